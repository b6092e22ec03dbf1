/**
 * The one who moves the log. Whatever changes in it changes inside `keep`: a reader at the end stays at the end, and a
 * reader further up keeps what they were reading where it was.
 */
const NEAR_THE_END = 100; // px

export class ScrollKeeper {
  #scroller;
  #rows;
  #isAtEnd = true;
  #isCutOff = false;
  #top = 0;

  /** `scroller`: the element that scrolls. `rows`: returns the elements in it by which a place can be kept, in order. */
  constructor(scroller, rows) {
    this.#scroller = scroller;
    this.#rows = rows;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    // The phone's keyboard, a growing composer, a turned screen.
    new ResizeObserver(() => this.keep(() => {})).observe(scroller);
  }

  get isAtEnd() {
    return this.#isAtEnd;
  }

  /** Whether what can be scrolled to ends before the log does: then there is no end to be at. */
  set isCutOff(isCutOff) {
    this.#isCutOff = isCutOff;
    this.#look();
  }

  /** Screens between the reader and the end. */
  get screensAway() {
    return this.#distance() / (this.#scroller.clientHeight || 1);
  }

  keep(change) {
    // A reader may have gone up a moment ago, and the browser not have said so yet.
    if (this.#scroller.scrollTop < this.#top) {
      this.#look();
    }
    if (this.#isAtEnd) {
      change();
      this.toEnd();
      return;
    }
    const anchor = this.#firstVisible();
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) {
      this.#scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    }
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#top = this.#scroller.scrollTop;
    this.#isAtEnd = !this.#isCutOff;
  }

  /** Brings an element below the upper edge, or to the middle. */
  to(element, block = "start") {
    element.scrollIntoView({ block });
    this.#look();
  }

  #look() {
    this.#top = this.#scroller.scrollTop;
    this.#isAtEnd = !this.#isCutOff && this.#distance() <= NEAR_THE_END;
  }

  #distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #firstVisible() {
    const top = this.#scroller.getBoundingClientRect().top;
    return this.#rows().find((row) => row.getBoundingClientRect().bottom > top);
  }
}
