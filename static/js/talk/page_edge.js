/** One end of the list of messages: loads the next page when the reader comes near, or asks for it. */
const LOAD_MARGIN = "600px"; // beyond the visible part of the log

export class PageEdge {
  #link;
  #instead;
  #scroller;
  #load;
  #observer;
  #isLoading = false;

  /**
   * `link`: loads more. `instead`: the element to show when there is no more (or null).
   * `load`: async, shows the next page; returns whether there is more, or undefined if the page did not fit the list.
   */
  constructor({ link, instead, scroller, load }) {
    this.#link = link;
    this.#instead = instead;
    this.#scroller = scroller;
    this.#load = load;
    link.addEventListener("click", (event) => {
      const opensElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
      if (!opensElsewhere) {
        event.preventDefault();
        this.more();
      }
    });
    this.#observer = new IntersectionObserver(([entry]) => entry.isIntersecting && this.more(), {
      root: scroller,
      rootMargin: `${LOAD_MARGIN} 0px`,
    });
    this.#observer.observe(link);
  }

  get hasMore() {
    return !this.#link.hidden;
  }

  /** Returns true if there are messages beyond those on the page. */
  set hasMore(hasMore) {
    const hadFocus = document.activeElement === this.#link;
    this.#link.hidden = !hasMore;
    if (this.#instead) {
      this.#instead.hidden = hasMore;
    }
    if (hadFocus && !hasMore) {
      this.#scroller.focus();
    }
  }

  async more() {
    if (this.#isLoading || !this.hasMore) {
      return;
    }
    this.#isLoading = true;
    try {
      const hasMore = await this.#load();
      if (hasMore !== undefined) {
        this.hasMore = hasMore;
        this.#lookAgain();
      }
    } catch {
      // The link can still be pressed, and coming near it again tries again.
    } finally {
      this.#isLoading = false;
    }
  }

  /** Observes the link anew: the observer only reports changes, and a short page does not move the link out of view. */
  #lookAgain() {
    this.#observer.unobserve(this.#link);
    setTimeout(() => this.#observer.observe(this.#link));
  }
}
