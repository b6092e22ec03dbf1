/** When to tell that somebody is writing: at most every three seconds, and never for a field that is empty. */
const EVERY = 3_000; // ms

export class Typing {
  #tell;
  #toldAt = -Infinity;
  #notBefore = -Infinity;

  /** `tell`: async; that it fails is nobody's concern, but for when to try the next time. */
  constructor(tell) {
    this.#tell = tell;
  }

  wrote(text) {
    const now = performance.now();
    if (text.trim() && now - this.#toldAt >= EVERY && now >= this.#notBefore) {
      this.#toldAt = now;
      this.#tell().catch(({ retryAfter = 0 }) => (this.#notBefore = performance.now() + retryAfter));
    }
  }

  /** What was written has gone out: the next word is news again. */
  done() {
    this.#toldAt = -Infinity;
  }
}
