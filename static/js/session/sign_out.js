/** The button that signs out: asks first where something would be lost, and takes away what is the user's in this browser. */
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
   * `form`: works by itself where there are no scripts. `word`: where to say what went wrong. `confirm`: see confirm.js.
   * `countUnsent`: async. `left(withUnsent)`: async, takes everything away.
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

  /** `isAsked`: somebody pressed the button, and can be asked. Otherwise messages that were not sent are kept for them. */
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
