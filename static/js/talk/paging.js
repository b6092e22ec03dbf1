/** Pages through the messages at both ends of the list. */
import { PageEdge } from "./page_edge.js";

const PAGE_SIZE = 50;

export class Paging {
  #messages;
  #readPage;
  #older;
  #newer;
  #onPaged;

  /**
   * `older`, `newer`: the links at both ends; `origin`: the element to show where the room begins.
   * `readPage`: async, a page of messages. `onPaged()`: the rows of the list have changed.
   */
  constructor({ older, origin, newer, scroller, messages, readPage, onPaged }) {
    this.#messages = messages;
    this.#readPage = readPage;
    this.#onPaged = onPaged;
    this.#older = new PageEdge({ link: older, instead: origin, scroller, load: () => this.#loadOlder() });
    this.#newer = new PageEdge({ link: newer, instead: null, scroller, load: () => this.#loadNewer() });
  }

  /** The list was replaced. `hasOlder`: whether there are older messages. */
  startOver(hasOlder) {
    this.#older.hasMore = hasOlder;
    this.#newer.hasMore = false;
  }

  /** Messages were removed at one end. */
  cut({ older, newer }) {
    this.#older.hasMore ||= Boolean(older);
    this.#newer.hasMore ||= Boolean(newer);
  }

  async #loadOlder() {
    const before = this.#messages.oldestId;
    const page = before && (await this.#readPage({ before, limit: PAGE_SIZE }));
    // Unless the list has changed at this end meanwhile.
    if (!page || before !== this.#messages.oldestId) {
      return undefined;
    }
    this.#messages.showOlder(page.messages);
    this.#onPaged();
    this.#messages.scroll.keep(() => (this.#older.hasMore = page.has_more));
    return page.has_more;
  }

  async #loadNewer() {
    const after = this.#messages.newestId;
    const page = after && (await this.#readPage({ after, limit: PAGE_SIZE }));
    if (!page || after !== this.#messages.newestId || !this.#messages.hasNewer) {
      return undefined;
    }
    const isAtEnd = this.#messages.showNewer(page.messages, !page.has_more);
    this.#onPaged();
    return !isAtEnd;
  }
}
