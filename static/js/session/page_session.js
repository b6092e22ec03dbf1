/**
 * Whether this page is still its user's. A browser has one session for all its tabs: somebody may sign out in another
 * tab, or somebody else sign in there. Pages tell each other, by a channel and by what storage keeps, and the server tells
 * who asks it.
 *
 * It ends for good, in one of these ways, each of which may follow on those before it:
 * signed-out (the session is over; what is written is kept for its user) · somebody-else (is signed in) · left (its user
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
   * `withUnsent` is true where what is unsent was given up.
   */
  constructor({ userId, isElses, on }) {
    this.#userId = userId;
    this.#isElses = isElses;
    this.#on = on;
    this.#stored.onChange(() => this.#hear(this.#stored.read(null)));
    try {
      this.#channel = new BroadcastChannel(`harbour:${NAME}`);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
    } catch {
      // there is none, or it is forbidden: what storage keeps has to do
    }
    window.addEventListener("pageshow", (event) => event.persisted && this.#back(this.#stored.read(null)));
    this.#say({ userId });
  }

  /** The state in which it ended; null as long as it goes on. */
  get state() {
    return this.#state;
  }

  end(state, withUnsent = false) {
    if (STATES.indexOf(state) > STATES.indexOf(this.#state)) {
      this.#state = state;
      this.#on.ended(state, withUnsent);
    }
  }

  /** Our user has signed out here. All tabs hear of it. */
  leave(withUnsent) {
    this.#say({ left: this.#userId, withUnsent });
    this.end("left", withUnsent);
  }

  #say(what) {
    this.#stored.write(what);
    this.#channel?.postMessage(what);
  }

  async #hear(said) {
    if (said?.left === this.#userId) {
      this.end("left", said.withUnsent);
    } else if (said?.userId && said.userId !== this.#userId && (await this.#isElses())) {
      this.end("somebody-else"); // and not only an old page that came late
    }
  }

  /** The browser shows the page again, as it was when it was left. Whoever was here last is asked of nobody. */
  #back(said) {
    if (said?.userId && said.userId !== this.#userId) {
      this.end("somebody-else");
    }
    this.#hear(said);
  }
}
