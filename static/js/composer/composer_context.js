/** The bar above the field: the message that is being answered or edited. */
export class ComposerContext {
  #element;
  #title;
  #text;

  onCancel = () => {};

  constructor(element) {
    this.#element = element;
    this.#title = element.querySelector("b");
    this.#text = element.querySelector("i");
    const cancel = element.querySelector("button");
    cancel.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps a phone's keyboard up
    cancel.addEventListener("click", () => this.onCancel());
  }

  show(title, text) {
    if (this.#element.hidden || this.#title.textContent !== title) {
      this.#title.textContent = title;
    }
    this.#text.textContent = text;
    this.#element.hidden = false;
  }

  hide() {
    this.#element.hidden = true;
  }
}
