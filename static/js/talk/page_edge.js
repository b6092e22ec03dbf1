/** One end of the list of messages: what lies beyond is loaded when its reader comes near, or asks for it. */
const AHEAD = "600px"; // beyond the visible part of the log

export class History {
  #link;
  #instead;
  #scroller;
  #load;
  #observer;
  #isLoading = false;

  /**
   * `link`: asks for more. `instead`: what stands there when there is no more (or null).
   * `load`: async, shows the next page; returns whether there is more, or undefined where it could not be placed.
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
      rootMargin: `${AHEAD} 0px`,
    });
    this.#observer.observe(link);
  }

  get hasMore() {
    return !this.#link.hidden;
  }

  /** Whether there are messages beyond those on the page. */
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
