/**
 * What a room has said so far, without a gap.
 *
 * Every lasting event names the one before it (`prev`). As long as each follows on what we have, the stream is
 * believed. When one does not, or the server says `reset`, we do what a page does when it loads: read a page of
 * messages, which says what cursor it reflects, and open the stream there. So page and stream always meet at a cursor
 * and never overlap, and nobody here has to compare ids: they stay what the contract says they are, opaque.
 */
import { Backoff } from "./backoff.js";
import { Pause } from "./pause.js";

const PAGE = 200; // the largest that the server gives

export class RoomLog {
  #tip;
  #stream;
  #readPage;
  #on;
  #pause = new Pause();
  #reading = 0;

  /** `readPage`: async, a page of messages. `on.event(kind, event)`, `on.messages(messages)`, `on.replaced(page)`. */
  constructor({ cursor, stream, readPage, on }) {
    this.#tip = cursor;
    this.#stream = stream;
    this.#readPage = readPage;
    this.#on = on;
  }

  /** The cursor up to which everything was handed on. */
  get tip() {
    return this.#tip;
  }

  /** Takes an event of the stream. False: it does not follow on what we have, and will be read another way. */
  receive(kind, event) {
    const isPassingSignal = event.prev === undefined;
    if (!isPassingSignal && event.prev !== this.#tip) {
      this.#fillGap();
      return false;
    }
    this.#tip = event.id ?? this.#tip;
    this.#on.event(kind, event);
    return true;
  }

  /** Our cursor can't be served: start over from the newest page. */
  async reset() {
    await this.#read(async (read) => {
      const page = await read({});
      this.#tip = page.cursor;
      this.#on.replaced(page);
    });
  }

  /** There is a connection again: don't wait for the next attempt. */
  hurry() {
    this.#pause.end();
  }

  async #fillGap() {
    await this.#read(async (read) => {
      let page;
      do {
        page = await read({ after: this.#tip, limit: PAGE });
        this.#tip = page.cursor;
        this.#on.messages(page.messages);
      } while (page.has_more);
    });
  }

  /** Reads with the stream closed, and opens it where the reading ended. */
  async #read(work) {
    this.#stream.pause();
    const turn = ++this.#reading;
    await work((parameters) => this.#insist(parameters));
    if (turn === this.#reading) {
      this.#stream.open(this.#tip);
    }
  }

  /** A page, however long it takes. Ends without an answer only where there will never be one. */
  async #insist(parameters) {
    const backoff = new Backoff();
    for (;;) {
      try {
        return await this.#readPage(parameters);
      } catch (error) {
        if (this.#stream.stopFor(error.status)) {
          throw error;
        }
        await this.#pause.for(backoff.next());
      }
    }
  }
}
