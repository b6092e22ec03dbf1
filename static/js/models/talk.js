// The room's messages as the log has them: applies what the stream brings, and notices what it did not bring.

import { compareIds } from "../helpers/ids.js";

export class Talk {
  /**
   * `tip`: the id of the newest event that the page reflects. `loadAfter(id)`: a page of messages behind it.
   * `show(message)`: in its place, or instead of the one with the same author and client id.
   */
  constructor({ tip, loadAfter, show }) {
    this.tip = tip;
    this.loadAfter = loadAfter;
    this.show = show;
  }

  /** A message from the stream. One whose `prev` is not the tip follows something that was missed: that first. */
  async receive(message) {
    if (compareIds(message.id, this.tip) <= 0) return;
    if (message.prev !== this.tip) await this.#repair(message.id);
    this.#take(message);
  }

  /** The newest page, after a reset. */
  restart({ messages, cursor }) {
    this.tip = cursor;
    for (const message of messages) this.show(message);
  }

  async #repair(until) {
    for (let more = true; more && compareIds(this.tip, until) < 0; ) {
      const page = await this.loadAfter(this.tip);
      for (const message of page.messages) if (compareIds(message.id, until) < 0) this.#take(message);
      more = page.has_more;
      if (more) this.tip = page.cursor;
    }
  }

  #take(message) {
    this.show(message);
    if (compareIds(message.id, this.tip) > 0) this.tip = message.id;
  }
}
