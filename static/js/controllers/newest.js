/** The way back to the newest message, for a reader who is further up. Says how many have come meanwhile. */
import { texts } from "../texts.js";

const FAR = 1.5; // screens from the end, where the way back is offered even if nothing new came

export class Newest {
  #button;
  #scroll;
  #count = 0;

  constructor({ button, scroller, scroll }) {
    this.#button = button;
    this.#scroll = scroll;
    button.addEventListener("click", () => {
      scroll.toEnd();
      this.#show();
    });
    scroller.addEventListener("scroll", () => this.#show(), { passive: true });
  }

  add(count) {
    this.#count += count;
    this.#show();
  }

  #show() {
    if (this.#scroll.isAtEnd) {
      this.#count = 0;
    }
    const isNews = this.#count > 0;
    this.#button.hidden = this.#scroll.isAtEnd || !(isNews || this.#scroll.screensAway > FAR);
    this.#button.classList.toggle("newest--quiet", !isNews);
    const words = isNews ? texts.newMessages(this.#count) : texts.newest;
    if (this.#button.textContent !== words) {
      this.#button.textContent = words;
    }
  }
}
