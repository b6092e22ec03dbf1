/** Asks before an action that can't be undone. */
export class Confirm {
  #dialog;

  /** `dialog`: its form closes it with the value of the button that was pressed. */
  constructor(dialog) {
    this.#dialog = dialog;
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  /** `quoted`: the text that it is about. Returns, async, whether it was confirmed. */
  ask(quoted) {
    this.#dialog.returnValue = "";
    this.#dialog.querySelector("q").textContent = quoted;
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#dialog.addEventListener("close", () => resolve(this.#dialog.returnValue === "yes"), { once: true });
    });
  }
}
