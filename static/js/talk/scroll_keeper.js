/**
 * Owns the scroll position of the log. Every change of the list happens inside `keep`: a reader at the end stays at the
 * end, and for a reader further up the messages stay where they are.
 */
const NEAR_THE_END = 100; // px

export class ScrollKeeper {
  #scroller;
  #rows;
  #isAtEnd = true;
  #isCutOff = false;
  #top = 0;

  /** `scroller`: the element that scrolls. `rows()`: the elements in it, in order, that can anchor the position. */
  constructor(scroller, rows) {
    this.#scroller = scroller;
    this.#rows = rows;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    // Caused by a phone's keyboard, a growing composer, a rotated screen.
    new ResizeObserver(() => this.keep(() => {})).observe(scroller);
  }

  get isAtEnd() {
    return this.#isAtEnd;
  }

  /** Returns true if the list ends before the log does: then nobody is at the end. */
  set isCutOff(isCutOff) {
    this.#isCutOff = isCutOff;
    this.#look();
  }

  /** The distance between the reader and the end, in screens. */
  get screensAway() {
    return this.#distance() / (this.#scroller.clientHeight || 1);
  }

  keep(change) {
    // The reader may have scrolled just now, before the browser fires its event.
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

  /** Scrolls an element to the upper edge, or to the middle. */
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

  /** The first row that ends below the upper edge. Found by halving: of hundreds of rows few are measured. */
  #firstVisible() {
    const { top } = this.#scroller.getBoundingClientRect();
    const rows = this.#rows();
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].getBoundingClientRect().bottom > top) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return rows[low];
  }
}
