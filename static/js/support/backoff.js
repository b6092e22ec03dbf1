/**
 * How long to wait before the next attempt: exponential with full jitter, so that many pages that were cut off at the
 * same moment do not come back at the same moment.
 */
import { between } from "./random.js";

const BASE = 1_000; // ms
const CAP = 30_000; // ms

export class Backoff {
  #attempts = 0;

  next() {
    const ceiling = Math.min(CAP, BASE * 2 ** this.#attempts);
    this.#attempts += 1;
    return between(0, ceiling);
  }

  reset() {
    this.#attempts = 0;
  }
}
