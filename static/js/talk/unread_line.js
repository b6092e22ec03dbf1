/** The line above the first message that its reader has not seen: as the page was loaded, or while nobody looked. */
export class Unread {
  #messages;
  #userId;
  #id = null;
  #row = null;

  constructor({ messages, userId }) {
    this.#messages = messages;
    this.#userId = userId;
  }

  get row() {
    return this.#row;
  }

  /** Draws the line for a page that was loaded: above the message `first`, or else above what others said behind `lastRead`. */
  start(first, lastRead) {
    const rows = this.#messages.placed;
    const read = rows.findIndex(({ message }) => message.id === lastRead);
    const behind = read < 0 ? [] : rows.slice(read + 1);
    const row = this.#messages.find(first) ?? behind.find((each) => this.#isByOthers(each));
    this.#line(row?.message.id ?? null);
  }

  /** Rows of messages by others that have just arrived, while nobody looks. Those after the first are below the line. */
  add(rows) {
    if (!this.#id && rows.length > 0) {
      this.#line(rows[0].message.id);
    }
  }

  /** Whoever answers, or reads elsewhere, has read. */
  clear() {
    this.#line(null);
  }

  /** Other rows stand in the list than before. */
  redraw() {
    this.#line(this.#id);
  }

  #line(id) {
    const row = id ? (this.#messages.find(id) ?? null) : null;
    if (this.#row !== row) {
      if (this.#row) {
        this.#row.isFirstUnread = false;
      }
      if (row) {
        row.isFirstUnread = true;
      }
    }
    this.#id = id;
    this.#row = row;
  }

  #isByOthers({ message }) {
    return message.user_id !== this.#userId;
  }
}
