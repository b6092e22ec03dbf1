/**
 * How long to wait before the next attempt: exponential with full jitter, so that many pages that were cut off at the
 * same moment do not come back at the same moment.
 */
const BASE = 1_000; // ms
const CAP = 30_000; // ms

export class Backoff {
  #attempts = 0;

  next() {
    const ceiling = Math.min(CAP, BASE * 2 ** this.#attempts);
    this.#attempts += 1;
    return Math.random() * ceiling;
  }

  reset() {
    this.#attempts = 0;
  }
}
