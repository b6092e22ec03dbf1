/**
 * The button that leads back to the newest message, for a reader who is further up. Shows how many have come meanwhile.
 */
import { texts } from "../support/texts.js";

const FAR_SCREENS = 1.5; // screens from the end; from there the button shows even if nothing new came

export class ToNewestButton {
  #button;
  #messages;
  #count = 0;

  /** `toEnd()`: goes to the end of the log, which may have to be loaded first. */
  constructor({ button, scroller, messages, toEnd }) {
    this.#button = button;
    this.#messages = messages;
    button.addEventListener("click", () => {
      toEnd();
      this.show();
    });
    scroller.addEventListener("scroll", () => this.show(), { passive: true });
  }

  add(count) {
    this.#count += count;
    this.show();
  }

  show() {
    const { scroll, hasNewer } = this.#messages;
    if (scroll.isAtEnd) {
      this.#count = 0;
    }
    const isNews = this.#count > 0;
    this.#button.hidden = scroll.isAtEnd || !(isNews || hasNewer || scroll.screensAway > FAR_SCREENS);
    this.#button.classList.toggle("newest--quiet", !isNews);
    const words = isNews ? texts.newMessages(this.#count) : texts.newest;
    if (this.#button.textContent !== words) {
      this.#button.textContent = words;
    }
  }
}
