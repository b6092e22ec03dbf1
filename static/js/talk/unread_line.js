/** The line above the first message that the reader has not seen: when the page was loaded, or while it was hidden. */
export class UnreadLine {
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

  /** Draws the line on a loaded page: above the message `first`, or else above the first by others after `lastRead`. */
  start(first, lastRead) {
    const rows = this.#messages.placed;
    const read = rows.findIndex(({ message }) => message.id === lastRead);
    const behind = read < 0 ? [] : rows.slice(read + 1);
    const row = this.#messages.find(first) ?? behind.find((each) => this.#isByOthers(each));
    this.#line(row?.message.id ?? null);
  }

  /** Takes rows by others that arrived while the page was hidden. The line goes above the first of them. */
  add(rows) {
    if (!this.#id && rows.length > 0) {
      this.#line(rows[0].message.id);
    }
  }

  /** Removes the line: the reader has answered, or read elsewhere. */
  clear() {
    this.#line(null);
  }

  /** The rows of the list have changed. */
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
