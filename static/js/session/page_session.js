/**
 * Checks that the page still belongs to its user. A browser has one session for all tabs: the user may sign out in another
 * tab, or somebody else may sign in there. Pages tell each other by a BroadcastChannel and by localStorage, and the
 * server says so in its answers.
 *
 * The session of a page ends for good, in one of these states, each of which may follow the ones before it: signed-out
 * (the session is over; unsent messages are kept for their writer) · somebody-else (is signed in) · left (the user
 * signed out in this browser).
 */
import { Stored } from "../support/stored.js";

const NAME = "session";
const STATES = ["signed-out", "somebody-else", "left"];

export class PageSession {
  #userId;
  #isElses;
  #on;
  #state = null;
  #stored = new Stored(NAME);
  #channel = null;

  /**
   * `isElses`: async, whether the server says that somebody else is signed in. `on.ended(state, withUnsent)`:
   * `withUnsent` is true if unsent messages were given up.
   */
  constructor({ userId, isElses, on }) {
    this.#userId = userId;
    this.#isElses = isElses;
    this.#on = on;
    this.#stored.onChange(() => this.#receive(this.#stored.read(null)));
    try {
      this.#channel = new BroadcastChannel(`harbour:${NAME}`);
      this.#channel.onmessage = ({ data }) => this.#receive(data);
    } catch {
      // missing or forbidden: the storage events have to do
    }
    window.addEventListener("pageshow", (event) => event.persisted && this.#back(this.#stored.read(null)));
    this.#broadcast({ userId });
  }

  /** The state in which it ended; null while it goes on. */
  get state() {
    return this.#state;
  }

  end(state, withUnsent = false) {
    if (STATES.indexOf(state) > STATES.indexOf(this.#state)) {
      this.#state = state;
      this.#on.ended(state, withUnsent);
    }
  }

  /** The user has signed out here. Tells all tabs. */
  leave(withUnsent) {
    this.#broadcast({ left: this.#userId, withUnsent });
    this.end("left", withUnsent);
  }

  #broadcast(what) {
    this.#stored.write(what);
    this.#channel?.postMessage(what);
  }

  async #receive(notice) {
    if (notice?.left === this.#userId) {
      this.end("left", notice.withUnsent);
    } else if (notice?.userId && notice.userId !== this.#userId && (await this.#isElses())) {
      this.end("somebody-else"); // not only a late notice from an old page
    }
  }

  /** The browser shows a cached page again. The notice in storage decides at once, before the server is asked. */
  #back(notice) {
    if (notice?.userId && notice.userId !== this.#userId) {
      this.end("somebody-else");
    }
    this.#receive(notice);
  }
}
