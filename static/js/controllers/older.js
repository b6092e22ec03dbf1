// Older messages, loaded as somebody scrolls up to them, or by the button.

import { texts } from "../texts.js";

const PAGE = 50;

export class Older {
  #part;
  #link;
  #start;
  #loading = false;

  /** `load(before, limit)`: a page of the API. `firstId()`: the oldest message in the page. `show(messages)`. */
  constructor({ part, start, box, load, firstId, show }) {
    this.#part = part;
    this.#link = part.querySelector("a");
    this.#start = start;
    this.load = load;
    this.firstId = firstId;
    this.show = show;
    this.#link.addEventListener("click", (event) => {
      event.preventDefault();
      this.#more();
    });
    new IntersectionObserver(([seen]) => seen.isIntersecting && this.#more(), { root: box, rootMargin: "400px" }).observe(part);
  }

  set exist(exist) {
    this.#part.hidden = !exist;
    this.#start.hidden = exist;
  }

  async #more() {
    if (this.#loading || this.#part.hidden) return;
    this.#loading = true;
    this.#link.textContent = texts.loadingOlder;
    try {
      const page = await this.load(this.firstId(), PAGE);
      this.show(page.messages);
      this.exist = page.has_more;
      this.#link.textContent = texts.older;
    } catch {
      this.#link.textContent = texts.olderFailed;
    } finally {
      this.#loading = false;
    }
  }
}
