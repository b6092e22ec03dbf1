/** Asks before something that can't be taken back. */
export class Confirm {
  #dialog;

  /** `dialog`: its form closes it with the value of the button that was pressed. */
  constructor(dialog) {
    this.#dialog = dialog;
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  /** `quoted`: what it is about. Returns whether it was confirmed. */
  ask(quoted) {
    this.#dialog.returnValue = "";
    this.#dialog.querySelector("q").textContent = quoted;
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#dialog.addEventListener("close", () => resolve(this.#dialog.returnValue === "yes"), { once: true });
    });
  }
}
