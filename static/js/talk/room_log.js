/**
 * The room's events so far, without a gap.
 *
 * Each stored event names the one before it (`prev`). As long as each follows on ours, the stream is trusted; events
 * seen before are dropped. When an event neither follows nor was seen, the stream is behind us (then our own last event
 * comes by in a moment) or ahead: we wait for that moment, then ask for the events after our tip. Only events tell what
 * became of older messages.
 *
 * When our tip can't be served (`reset`), or the gap stays, we do what a page does when it loads: read the newest
 * messages, which say which cursor they reflect, and go on there. Ids are never compared: the contract calls them
 * opaque.
 */
import { Backoff } from "../support/backoff.js";
import { Pause } from "../support/pause.js";

const CATCH_UP_WAIT = 2_000; // ms in which our tip comes by, if the stream is only behind
const MOST_ASKS = 3; // times that we ask before we give up on the events after our tip
const SEEN_IDS_KEPT = 500; // ids

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

  /** The id of the last event that was handed on. */
  get tip() {
    return this.#tip;
  }

  /** Ids of some events before the tip, the oldest first. */
  get seen() {
    return [...this.#seen].slice(-50);
  }

  /** Takes an event of the room from the stream. */
  receive(kind, event) {
    const isPassingSignal = event.prev === undefined;
    if (isPassingSignal) {
      this.#on.event(kind, event);
    } else if (this.#isReading) {
      return; // the page that is being read has it, or the stream will be asked for it then
    } else if (event.id === this.#tip) {
      this.at(event.id);
    } else if (event.prev === this.#tip) {
      this.#take(kind, event);
    } else {
      const isCertain = this.#isNext && !this.#seen.has(event.id);
      this.#isNext = false;
      if (isCertain) {
        this.#stream.ask(0); // another tab may have the events in between
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

  /** The server can't say exactly what follows `asked`; the stream goes on from `cursor`. */
  reset(asked, cursor) {
    if (asked === this.#tip) {
      this.startOver();
    } else {
      this.at(cursor);
    }
  }

  /** Replaces all messages by the newest page. */
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
    if (this.#seen.size > SEEN_IDS_KEPT) {
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
      this.#doubt ??= setTimeout(() => this.#ask(), CATCH_UP_WAIT);
    }
  }

  /** Asks for the events after our tip, if there is a connection: without one our tip may well be right. */
  #ask() {
    this.#doubt = null;
    this.#turn += this.#stream.isLive ? 1 : 0;
    if (this.#turn > MOST_ASKS) {
      this.startOver();
      return;
    }
    this.#doubtIt();
    if (this.#turn > 0) {
      this.#stream.ask(this.#turn);
    }
  }

  /** Reads a page, however long it takes; null if there will never be one. */
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
