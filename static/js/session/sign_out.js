/**
 * The button that signs out: asks first if unsent messages would be lost, and removes the user's data from this
 * browser.
 */
import { reason } from "../support/api.js";
import { texts } from "../support/texts.js";

export class SignOut {
  #form;
  #word;
  #confirm;
  #api;
  #countUnsent;
  #left;

  /**
   * `form`: works without scripts too. `word`: shows what went wrong. `confirm`: see confirm.js.
   * `countUnsent`: async. `left(withUnsent)`: async, removes the user's data.
   */
  constructor({ form, word, confirm, api, countUnsent, left }) {
    this.#form = form;
    this.#word = word;
    this.#confirm = confirm;
    this.#api = api;
    this.#countUnsent = countUnsent;
    this.#left = left;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#signOut(Boolean(event.submitter));
    });
  }

  /** `isAsked`: the user pressed the button, so we can ask. Otherwise unsent messages are kept. */
  async #signOut(isAsked) {
    const unsent = await this.#countUnsent();
    if (isAsked && unsent > 0 && !(await this.#confirm.ask(texts.unsentMessages(unsent)))) {
      return;
    }
    try {
      await this.#api.signOut();
    } catch (error) {
      if (error.status !== 401) {
        this.#word.say(texts.notSignedOut(reason(error)));
        return;
      }
    }
    await this.#left(isAsked);
    location.assign(this.#form.dataset.next);
  }
}
