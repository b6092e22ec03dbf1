/** A word that something was done, for a moment. */
const STAYS = 2_500; // ms

export class Toast {
  #element;
  #timer;

  /** `element`: with the role of a status. */
  constructor(element) {
    this.#element = element;
  }

  say(words) {
    clearTimeout(this.#timer);
    this.#element.textContent = words;
    this.#timer = setTimeout(() => (this.#element.textContent = ""), STAYS);
  }
}
