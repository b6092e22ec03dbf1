/**
 * How far a room was read, as told to the server: at once, then at most every 1.5 s, and again until it was heard.
 * The server only ever moves it forward, so that nothing here has to know what is forward.
 */
import { Backoff } from "../support/backoff.js";

const EVERY = 1_500; // ms
const REMEMBERED = 50; // ids

export class ReadMark {
  #put;
  #told = new Set();
  #latest;
  #wanted = null;
  #backoff = new Backoff();
  #timer = null;

  /** `lastRead`: what the server knows already. `put(id)`: async, tells the server. */
  constructor({ lastRead, put }) {
    this.#put = put;
    this.#latest = lastRead;
  }

  /** Everything up to this message was read. */
  reach(id) {
    if (id !== this.#latest) {
      this.#latest = id;
      this.#wanted = id;
      this.#timer ??= setTimeout(() => this.#tell());
    }
  }

  /** Whether it was from here that the server was told so. */
  hasTold(id) {
    return this.#told.has(id);
  }

  /** The page goes: now or never. */
  flush() {
    if (this.#wanted) {
      clearTimeout(this.#timer);
      this.#tell();
    }
  }

  async #tell() {
    const id = this.#wanted;
    if (!id) {
      this.#timer = null;
      return;
    }
    this.#wanted = null;
    this.#told.add(id);
    if (this.#told.size > REMEMBERED) {
      this.#told.delete(this.#told.values().next().value);
    }
    let wait = EVERY;
    try {
      await this.#put(id);
      this.#backoff.reset();
    } catch (error) {
      if (!error.isFinal) {
        this.#wanted ??= id;
        wait = Math.max(EVERY, error.retryAfter ?? 0, this.#backoff.next());
      }
    }
    this.#timer = setTimeout(() => this.#tell(), wait);
  }
}
