/** Both ends of the list of messages, and the way to the end of the log. */
import { History } from "./page_edge.js";

const PAGE = 50;

export class Paging {
  #messages;
  #readPage;
  #older;
  #newer;
  #onPaged;

  /**
   * `older`, `newer`: the links at both ends; `origin`: what stands where the room begins.
   * `readPage`: async, a page of messages. `onPaged()`: other rows than before stand in the list.
   */
  constructor({ older, origin, newer, scroller, messages, readPage, onPaged }) {
    this.#messages = messages;
    this.#readPage = readPage;
    this.#onPaged = onPaged;
    this.#older = new History({ link: older, instead: origin, scroller, load: () => this.#loadOlder() });
    this.#newer = new History({ link: newer, instead: null, scroller, load: () => this.#loadNewer() });
  }

  /** The list starts over, with or without something before it. */
  startOver(hasOlder) {
    this.#older.hasMore = hasOlder;
    this.#newer.hasMore = false;
  }

  /** Messages went from the page at one end. */
  cut({ older, newer }) {
    this.#older.hasMore ||= Boolean(older);
    this.#newer.hasMore ||= Boolean(newer);
  }

  async #loadOlder() {
    const before = this.#messages.oldestId;
    const page = before && (await this.#readPage({ before, limit: PAGE }));
    // Unless the list has changed meanwhile at the end where the page would go.
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
    const page = after && (await this.#readPage({ after, limit: PAGE }));
    if (!page || after !== this.#messages.newestId || !this.#messages.hasNewer) {
      return undefined;
    }
    const isAtEnd = this.#messages.showNewer(page.messages, !page.has_more);
    this.#onPaged();
    return !isAtEnd;
  }
}
