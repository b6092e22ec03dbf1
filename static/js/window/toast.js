/** A short message that disappears by itself. */
const TOAST_STAYS = 2_500; // ms

export class Toast {
  #element;
  #timer;

  /** `element`: has the role `status`. */
  constructor(element) {
    this.#element = element;
  }

  say(words) {
    clearTimeout(this.#timer);
    this.#element.textContent = words;
    this.#timer = setTimeout(() => (this.#element.textContent = ""), TOAST_STAYS);
  }
}
