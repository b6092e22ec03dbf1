/**
 * A dialog over the page. Any button with `data-opens` and the dialog's id opens it; Esc, its cross and a click beside
 * it close it.
 */
export class Sheet {
  #dialog;
  #onOpen;

  /** `onOpen(opener)`: called before it shows; `opener`: the button, if there was one. */
  constructor(dialog, { onOpen = () => {} } = {}) {
    this.#dialog = dialog;
    this.#onOpen = onOpen;
    dialog.addEventListener("click", (event) => this.#clicked(event));
    document.querySelectorAll(`[data-opens="${dialog.id}"]`).forEach((button) => {
      button.addEventListener("click", () => this.open(button));
    });
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** Opens the dialog, and closes another one that is open. */
  open(opener) {
    if (!this.isOpen) {
      document.querySelector("dialog[open]")?.close();
      this.#onOpen(opener);
      this.#dialog.showModal();
    }
  }

  close() {
    this.#dialog.close();
  }

  toggle() {
    if (this.isOpen) {
      this.close();
    } else {
      this.open();
    }
  }

  #clicked({ target, clientX, clientY }) {
    const { left, right, top, bottom } = this.#dialog.getBoundingClientRect();
    const isBeside = clientX < left || clientX > right || clientY < top || clientY > bottom;
    if (target.closest(".sheet__close") || (target === this.#dialog && isBeside)) {
      this.close();
    }
  }
}
