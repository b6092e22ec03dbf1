/**
 * What the room says while the list of messages does not reach its end: kept until the pages between have been loaded.
 * When there is too much of it, it is let go, and the pages bring it too.
 */
const MOST = 200; // messages

export class Ahead {
  #messages = [];
  #isWhole = true;

  add(messages) {
    this.#messages.push(...messages);
    if (this.#messages.length > MOST) {
      this.#messages = [];
      this.#isWhole = false;
    }
  }

  /** From now on; what was before is forgotten. */
  begin() {
    this.#messages = [];
    this.#isWhole = true;
  }

  /** These stand in the list now. */
  have(messages) {
    const ids = new Set(messages.map(({ id }) => id));
    this.#messages = this.#messages.filter(({ id }) => !ids.has(id));
  }

  /** What follows on the last page; null where some of it was let go: another page has to be asked for. */
  take() {
    const messages = this.#isWhole ? this.#messages : null;
    this.begin();
    return messages;
  }
}
