/**
 * Watches whether the leading tab answers. One that is frozen or stuck does not: then another tab takes its place.
 * Only a tab that somebody looks at does that. Its timers come in time, those of a tab in the background need not.
 */
import { between } from "../support/random.js";

const ANSWER_TAKES = 1_200; // ms, at most, for a leader that is well
const PING_EVERY = 1_000; // ms without a sign of it, while somebody looks
const MOST_STEALS = 3; // in a row, after which we don't believe that tabs can hear each other

export class LeaderWatch {
  #isFollowing;
  #on;
  #heardAt = 0;
  #steals = 0;
  #answer = null;
  #pings;

  /**
   * `isFollowing()`: whether another tab is to lead. `on.ping()`: it is time to ask it for a sign. `on.stuck()`: it does
   * not answer. `on.hopeless()`: none of several leaders answered.
   */
  constructor({ isFollowing, on }) {
    this.#isFollowing = isFollowing;
    this.#on = on;
  }

  start() {
    this.#pings = setInterval(() => Date.now() - this.#heardAt >= PING_EVERY && this.#on.ping(), PING_EVERY);
  }

  stop() {
    this.answered();
    clearInterval(this.#pings);
  }

  /** The leader was asked for something. */
  expectAnswer() {
    this.#answer ??= setTimeout(() => this.#unanswered(), between(ANSWER_TAKES, ANSWER_TAKES * 1.25));
  }

  answered() {
    clearTimeout(this.#answer);
    this.#answer = null;
  }

  /** The leader said something. */
  heard() {
    this.answered();
    this.#heardAt = Date.now();
    this.#steals = 0;
  }

  #unanswered() {
    this.#answer = null;
    if (document.hidden || !this.#isFollowing()) {
      return;
    }
    this.#steals += 1;
    if (this.#steals > MOST_STEALS) {
      this.#on.hopeless();
    } else {
      this.#on.stuck();
    }
  }
}
