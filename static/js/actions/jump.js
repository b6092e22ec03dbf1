/** Goes to a message: on this page if it is there, else on a page around it. */
const HIGHLIGHT_TIME = 2_000; // ms

export class Jump {
  #messages;
  #elsewhere;

  /** `elsewhere(id)`: the message is not on the page. */
  constructor({ messages, elsewhere }) {
    this.#messages = messages;
    this.#elsewhere = elsewhere;
  }

  to(id) {
    const row = this.#messages.find(id);
    if (!row) {
      this.#elsewhere(id);
      return;
    }
    const { element } = row;
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
    element.classList.add("message--lit");
    setTimeout(() => element.classList.remove("message--lit"), HIGHLIGHT_TIME);
  }
}
