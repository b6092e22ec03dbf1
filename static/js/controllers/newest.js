// The button to the newest message, and the count of those that came unseen.

import { texts } from "../texts.js";

export class Newest {
  #pill;
  #button;
  #scroll;
  #below = 0;
  #hidden = 0;
  #title = document.title;

  constructor({ pill, box, scroll }) {
    this.#pill = pill;
    this.#button = pill.querySelector("button");
    this.#scroll = scroll;
    this.#button.addEventListener("click", () => scroll.toEnd());
    box.addEventListener("scroll", () => this.#update(), { passive: true });
    document.addEventListener("visibilitychange", () => this.#seen());
    window.addEventListener("resize", () => this.#update());
  }

  /** Somebody else's message came. `wasAtEnd`: it is in sight, if anybody is looking. */
  count(wasAtEnd) {
    if (!wasAtEnd) this.#below += 1;
    if (document.hidden) this.#hidden += 1;
    this.#update();
  }

  #seen() {
    if (!document.hidden) this.#hidden = 0;
    this.#update();
  }

  #update() {
    if (this.#scroll.isAtEnd) this.#below = 0;
    this.#pill.hidden = this.#scroll.isAtEnd;
    this.#button.textContent = this.#below ? texts.newMessages(this.#below) : texts.toNewest;
    document.title = texts.title(this.#hidden, this.#title);
  }
}
