/** Older messages: loaded when their reader comes near the top, or asks for them. */
const AHEAD = "600px"; // above the visible part of the log
const PAGE = 50;

export class History {
  #link;
  #origin;
  #scroller;
  #messages;
  #readPage;
  #observer;
  #isLoading = false;

  /** `readPage`: async, a page of messages. */
  constructor({ link, origin, scroller, messages, readPage }) {
    this.#link = link;
    this.#origin = origin;
    this.#scroller = scroller;
    this.#messages = messages;
    this.#readPage = readPage;
    link.addEventListener("click", (event) => {
      const opensElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
      if (!opensElsewhere) {
        event.preventDefault();
        this.#load();
      }
    });
    this.#observer = new IntersectionObserver(([entry]) => entry.isIntersecting && this.#load(), {
      root: scroller,
      rootMargin: `${AHEAD} 0px 0px`,
    });
    this.#observer.observe(link);
  }

  /** Whether there are messages before those on the page. */
  set hasMore(hasMore) {
    const hadFocus = document.activeElement === this.#link;
    this.#link.hidden = !hasMore;
    this.#origin.hidden = hasMore;
    if (hadFocus && !hasMore) {
      this.#scroller.focus();
    }
  }

  async #load() {
    const before = this.#messages.oldestId;
    if (this.#isLoading || this.#link.hidden || !before) {
      return;
    }
    this.#isLoading = true;
    try {
      const page = await this.#readPage({ before, limit: PAGE });
      // Unless the list has changed meanwhile at the end where the page would go.
      if (before === this.#messages.oldestId) {
        this.#messages.showOlder(page.messages);
        this.#messages.scroll.keep(() => (this.hasMore = page.has_more));
        this.#lookAgain();
      }
    } catch {
      // The link is still there to be pressed, and coming near it again tries again.
    } finally {
      this.#isLoading = false;
    }
  }

  /** An observer speaks when something changes; a page that was too short to move the link away changes nothing. */
  #lookAgain() {
    this.#observer.unobserve(this.#link);
    setTimeout(() => this.#observer.observe(this.#link));
  }
}
