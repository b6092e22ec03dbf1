/**
 * Tells the server how far the room was read: at once, then at most every 1.5 s, and again until it succeeds. The
 * server moves a read mark only forward, so nothing here has to know which message is later.
 */
import { Backoff } from "../support/backoff.js";

const SEND_INTERVAL = 1_500; // ms
const SENT_IDS_KEPT = 50; // ids

export class ReadMark {
  #put;
  #told = new Set();
  #latest;
  #wanted = null;
  #backoff = new Backoff();
  #timer = null;

  /** `lastRead`: the id that the server has. `put(id)`: async, sends an id to the server. */
  constructor({ lastRead, put }) {
    this.#put = put;
    this.#latest = lastRead;
  }

  /** The reader has read everything up to this message. */
  reach(id) {
    if (id !== this.#latest) {
      this.#latest = id;
      this.#wanted = id;
      this.#timer ??= setTimeout(() => this.#tell());
    }
  }

  /** Returns true if this page sent this mark to the server. */
  hasTold(id) {
    return this.#told.has(id);
  }

  /** Sends the mark now: the page is about to go. */
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
    if (this.#told.size > SENT_IDS_KEPT) {
      this.#told.delete(this.#told.values().next().value);
    }
    let wait = SEND_INTERVAL;
    try {
      await this.#put(id);
      this.#backoff.reset();
    } catch (error) {
      if (!error.isFinal) {
        this.#wanted ??= id;
        wait = Math.max(SEND_INTERVAL, error.retryAfter ?? 0, this.#backoff.next());
      }
    }
    this.#timer = setTimeout(() => this.#tell(), wait);
  }
}
