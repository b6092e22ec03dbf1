/**
 * New messages that come while the list does not reach the end of the log: kept until the pages in between have been
 * loaded. When they become too many they are dropped; the pages bring them too.
 */
const MOST_MESSAGES = 200; // messages

export class UnplacedMessages {
  #messages = [];
  #isWhole = true;

  add(messages) {
    this.#messages.push(...messages);
    if (this.#messages.length > MOST_MESSAGES) {
      this.#messages = [];
      this.#isWhole = false;
    }
  }

  /** Starts anew, without the messages so far. */
  begin() {
    this.#messages = [];
    this.#isWhole = true;
  }

  /** These are in the list now. */
  have(messages) {
    const ids = new Set(messages.map(({ id }) => id));
    this.#messages = this.#messages.filter(({ id }) => !ids.has(id));
  }

  /** Returns the messages behind the last page; null if some were dropped, so that another page has to be loaded. */
  take() {
    const messages = this.#isWhole ? this.#messages : null;
    this.begin();
    return messages;
  }
}
