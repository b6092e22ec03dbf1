/** Tells the server that the reader is typing: at most every three seconds, and never for an empty field. */
const NOTICE_INTERVAL = 3_000; // ms

export class TypingNotice {
  #tell;
  #toldAt = -Infinity;
  #notBefore = -Infinity;

  /** `tell()`: async. A failure is ignored, except that it decides when to try again. */
  constructor(tell) {
    this.#tell = tell;
  }

  wrote(text) {
    const now = performance.now();
    if (text.trim() && now - this.#toldAt >= NOTICE_INTERVAL && now >= this.#notBefore) {
      this.#toldAt = now;
      this.#tell().catch(({ retryAfter = 0 }) => (this.#notBefore = performance.now() + retryAfter));
    }
  }

  /** The message was sent: the next word is worth a notice again. */
  done() {
    this.#toldAt = -Infinity;
  }
}
