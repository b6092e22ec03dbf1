/**
 * Collects what the other tabs send while a new leader is about to begin: their positions (hello), and anything else,
 * which the leader takes when it begins.
 */
const GATHERING_TAKES = 150; // ms, at most
const MOST_MESSAGES = 500;

export class Gathering {
  #hellos = new Map();
  #messages = [];
  #onHello = () => {};

  /** `own`: the hello of the tab that is going to lead. */
  constructor(own) {
    this.#hellos.set(own.tab, own);
  }

  /** The tabs' hellos, ours first. */
  get hellos() {
    return [...this.#hellos.values()];
  }

  receive(message) {
    if (message.type === "hello") {
      this.#hellos.set(message.tab, message);
      this.#onHello();
    } else if (this.#messages.length < MOST_MESSAGES) {
      this.#messages.push(message);
    }
  }

  /** Waits until this many other tabs have sent a hello, but not for long. */
  async waitFor(others) {
    if (this.#hellos.size <= others) {
      await new Promise((resolve) => {
        this.#onHello = () => this.#hellos.size > others && resolve();
        setTimeout(resolve, GATHERING_TAKES);
      });
    }
  }

  /** Passes the other messages on to the leader, which has begun. */
  handOver(leader) {
    this.#messages.forEach((message) => leader.receive(message));
  }
}
