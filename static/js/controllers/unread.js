/** What came while nobody was looking: a count in the title, and a line above the first of it. */
import { texts } from "../texts.js";

export class Unread {
  #title = document.title;
  #count = 0;
  #first = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#looked());
  }

  /** Rows of messages by others that have just arrived. */
  add(rows) {
    if (!document.hidden || rows.length === 0) {
      return;
    }
    if (this.#count === 0) {
      this.#line(rows[0]);
    }
    this.#count += rows.length;
    document.title = texts.titleWithCount(this.#count, this.#title);
  }

  /** Whoever answers has read. */
  clear() {
    this.#line(null);
  }

  #looked() {
    if (document.hidden) {
      return;
    }
    this.#count = 0;
    document.title = this.#title;
  }

  #line(row) {
    if (this.#first) {
      this.#first.isFirstUnread = false;
    }
    this.#first = row;
    if (row) {
      row.isFirstUnread = true;
    }
  }
}
