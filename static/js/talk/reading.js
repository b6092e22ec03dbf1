/** Whether its reader is looking at the end of the room, and what that means for the others to know: it was read. */
export class Reading {
  #messages;
  #userId;
  #mark;
  #onRead;

  /** `mark`: see read_mark.js. `onRead()`: everything here was read. */
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
