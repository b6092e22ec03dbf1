/**
 * What a room has said so far, without a gap.
 *
 * Every lasting event names the one before it (`prev`). As long as each follows on what we have, the stream is
 * believed. What was seen before is dropped. When something passes that neither follows nor was seen, the stream is
 * behind us (then our own place goes by in a moment) or ahead: we wait for that moment, and then ask for what follows
 * our tip, by events, since only events tell what became of older messages.
 *
 * When our place can't be served (`reset`), or the gap stays, we do what a page does when it loads: read the newest
 * messages, which say what cursor they reflect, and go on there. Nobody here compares ids: they stay what the contract
 * says they are, opaque.
 */
import { Backoff } from "../support/backoff.js";
import { Pause } from "../support/pause.js";

const PATIENCE = 2_000; // ms in which our place goes by, if the stream is only behind
const TURNS = 3; // that we ask before we believe that nobody can tell what follows our tip
const REMEMBERED = 500; // ids

export class RoomLog {
  #tip;
  #stream;
  #readPage;
  #on;
  #pause = new Pause();
  #seen = new Set();
  #isNext = false;
  #isReading = false;
  #doubt = null;
  #turn = 0;

  /**
   * `stream`: `ask(turn)` brings what follows our tip, or moves it there; `hello()` tells that the tip is another;
   * `isLive`; `stopFor(status)`. `readPage`: async, a page of messages. `on.event(kind, event)`, `on.replaced(page)`.
   */
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

  /** Some of what was there before the tip, the oldest first. */
  get seen() {
    return [...this.#seen].slice(-50);
  }

  /** Takes an event of the room as it passes. */
  receive(kind, event) {
    const isPassingSignal = event.prev === undefined;
    if (isPassingSignal) {
      this.#on.event(kind, event);
    } else if (this.#isReading) {
      return; // what the page does not show yet is asked for when it is read
    } else if (event.id === this.#tip) {
      this.at(event.id);
    } else if (event.prev === this.#tip) {
      this.#take(kind, event);
    } else {
      const isCertain = this.#isNext && !this.#seen.has(event.id);
      this.#isNext = false;
      if (isCertain) {
        this.#stream.ask(0); // it may be known what was between
      }
      this.#doubtIt();
    }
  }

  /** The stream goes on from this cursor. */
  at(cursor) {
    this.#isNext = cursor === this.#tip;
    if (this.#isNext) {
      this.#believe();
    } else if (cursor !== undefined) {
      this.#doubtIt();
    }
  }

  /** The stream has nothing between this cursor and what it brings next, and does not say how they follow. */
  gap(cursor) {
    if (cursor === this.#tip) {
      this.startOver();
    }
  }

  /** Who asked for what follows `asked` can't be served exactly; the stream goes on from `cursor`. */
  reset(asked, cursor) {
    if (asked === this.#tip) {
      this.startOver();
    } else {
      this.at(cursor);
    }
  }

  /** From the newest page. */
  async startOver() {
    if (this.#isReading) {
      return;
    }
    this.#isReading = true;
    this.#believe();
    const page = await this.#insist({});
    this.#isReading = false;
    if (page) {
      this.#tip = page.cursor;
      this.#seen.clear();
      this.#isNext = false;
      this.#on.replaced(page);
      this.#stream.hello();
    }
  }

  /** There is a connection again: don't wait for the next attempt. */
  hurry() {
    this.#pause.end();
  }

  #take(kind, event) {
    this.#seen.add(this.#tip);
    if (this.#seen.size > REMEMBERED) {
      this.#seen.delete(this.#seen.values().next().value);
    }
    this.#tip = event.id;
    this.#isNext = true;
    this.#believe();
    this.#on.event(kind, event);
  }

  #believe() {
    clearTimeout(this.#doubt);
    this.#doubt = null;
    this.#turn = 0;
  }

  #doubtIt() {
    if (!this.#isReading) {
      this.#doubt ??= setTimeout(() => this.#ask(), PATIENCE);
    }
  }

  /** Without a connection nobody can tell us, and nothing is wrong with our place. */
  #ask() {
    this.#doubt = null;
    this.#turn += this.#stream.isLive ? 1 : 0;
    if (this.#turn > TURNS) {
      this.startOver();
      return;
    }
    this.#doubtIt();
    if (this.#turn > 0) {
      this.#stream.ask(this.#turn);
    }
  }

  /** A page, however long it takes; null where there will never be one. */
  async #insist(parameters) {
    const backoff = new Backoff();
    for (;;) {
      try {
        return await this.#readPage(parameters);
      } catch (error) {
        if (this.#stream.stopFor(error.status)) {
          return null;
        }
        await this.#pause.for(backoff.next());
      }
    }
  }
}
