/** “Grace is typing”, above the field. Screen readers read it when somebody begins, then not again for a while. */
import { isolated, texts } from "../support/texts.js";

const QUIET_TIME = 30_000; // ms between two times that it is read out
const MOST_NAMES = 3;

export class TypingLine {
  #element;
  #words;
  #list = new Intl.ListFormat(texts.language, { type: "conjunction" });
  #isQuiet = false;

  constructor(element) {
    this.#element = element;
    this.#words = element.querySelector("[aria-live]");
  }

  show(names) {
    this.#element.classList.toggle("typing--on", names.length > 0);
    if (names.length === 0) {
      this.#words.textContent = "";
      return;
    }
    this.#words.ariaLive = this.#isQuiet ? "off" : "polite";
    this.#words.textContent = this.#say(names);
    if (!this.#isQuiet) {
      this.#isQuiet = true;
      setTimeout(() => (this.#isQuiet = false), QUIET_TIME);
    }
  }

  #say(names) {
    if (names.length === 1) {
      return texts.isTyping(names[0]);
    }
    return names.length <= MOST_NAMES ? texts.areTyping(this.#list.format(names.map(isolated))) : texts.severalType;
  }
}
