/**
 * The wait before the next attempt: exponential with full jitter, so that pages that lost the connection at the same
 * moment do not come back at the same moment.
 */
import { between } from "./random.js";

const BASE_WAIT = 1_000; // ms
const LONGEST_WAIT = 30_000; // ms

export class Backoff {
  #attempts = 0;

  /** The next wait, in ms. */
  next() {
    const ceiling = Math.min(LONGEST_WAIT, BASE_WAIT * 2 ** this.#attempts);
    this.#attempts += 1;
    return between(0, ceiling);
  }

  reset() {
    this.#attempts = 0;
  }
}
