/** Watches whether the reader looks at the end of the room, and then marks the room as read. */
export class Reading {
  #messages;
  #userId;
  #mark;
  #onRead;

  /** `mark`: see read_mark.js. `onRead()`: the whole room was read. */
  constructor({ messages, scroller, userId, mark, onRead }) {
    this.#messages = messages;
    this.#userId = userId;
    this.#mark = mark;
    this.#onRead = onRead;
    scroller.addEventListener("scroll", () => this.look(), { passive: true });
    document.addEventListener("visibilitychange", () => this.look());
    window.addEventListener("pagehide", () => mark.flush());
  }

  get isAtEnd() {
    return !document.hidden && this.#messages.scroll.isAtEnd;
  }

  look() {
    if (!this.isAtEnd) {
      return;
    }
    const newest = this.#messages.placed.findLast(({ message }) => message.user_id !== this.#userId);
    if (newest) {
      this.#mark.reach(newest.message.id);
    }
    this.#onRead();
  }
}
