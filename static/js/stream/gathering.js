/**
 * What tabs say while the one that is going to lead waits until all have said where they are: their places (hello), and
 * whatever else they want of their leader, which is told to it when it begins.
 */
const TAKES = 150; // ms, at most
const MOST_WORDS = 500;

export class Gathering {
  #hellos = new Map();
  #words = [];
  #heard = () => {};

  /** `own`: where the tab is that is going to lead. */
  constructor(own) {
    this.#hellos.set(own.tab, own);
  }

  /** The tabs' places, ours first. */
  get hellos() {
    return [...this.#hellos.values()];
  }

  hear(message) {
    if (message.type === "hello") {
      this.#hellos.set(message.tab, message);
      this.#heard();
    } else if (this.#words.length < MOST_WORDS) {
      this.#words.push(message);
    }
  }

  /** Returns when so many other tabs have said where they are, but waits not for long. */
  async of(others) {
    if (this.#hellos.size <= others) {
      await new Promise((resolve) => {
        this.#heard = () => this.#hellos.size > others && resolve();
        setTimeout(resolve, TAKES);
      });
    }
  }

  /** Tells the leader, who has begun, what else was said. */
  tell(leader) {
    this.#words.forEach((message) => leader.hear(message));
  }
}
