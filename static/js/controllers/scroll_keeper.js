// The one who moves the scroll. Whatever changes the list says whether the end or the place shall be kept.

const NEAR_PX = 100;

export class ScrollKeeper {
  #box;

  constructor(box) {
    this.#box = box;
  }

  get isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** Something is added at the end: who is there stays there, who reads further up is not moved. */
  growEnd(change) {
    const wasAtEnd = this.isAtEnd;
    change();
    if (wasAtEnd) this.toEnd();
    return wasAtEnd;
  }

  /** Something changes above what is being read: that stays where it is. */
  keepPlace(change) {
    const top = this.#box.getBoundingClientRect().top;
    const seen = [...this.#box.querySelectorAll("li[data-id]")].find((item) => item.getBoundingClientRect().bottom > top);
    const before = seen?.getBoundingClientRect().top;
    change();
    if (seen?.isConnected) this.#box.scrollTop += seen.getBoundingClientRect().top - before;
  }
}
