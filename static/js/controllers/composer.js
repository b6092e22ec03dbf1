/** Where messages are written. Never disabled: what is written can always be handed on. */
import { texts } from "../texts.js";

const WARN_AT = 200; // characters before the end
const MOST_ROWS = 8;

export class Composer {
  #form;
  #field;
  #left;
  #draft;
  #onSend;

  /** `left`: where to say how much more fits. */
  constructor({ form, left, draft, onSend }) {
    this.#form = form;
    this.#field = form.elements.content;
    this.#left = left;
    this.#draft = draft;
    this.#onSend = onSend;
    this.#field.required = false; // an empty message is nothing to complain about
    this.#field.value ||= draft.read();
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    form.addEventListener("submit", (event) => this.#submit(event));
    // So that a phone's keyboard stays up when Send is pressed.
    form.querySelector("button").addEventListener("pointerdown", (event) => event.preventDefault());
    this.#show();
  }

  focus() {
    this.#field.focus();
  }

  #pressed(event) {
    // 229: Safari ends composing before the key that ended it is told (https://bugs.webkit.org/show_bug.cgi?id=165004).
    const isComposing = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !isComposing) {
      event.preventDefault();
      this.#form.requestSubmit();
    }
  }

  #submit(event) {
    event.preventDefault();
    const content = this.#field.value.trim();
    if (content) {
      this.#field.value = "";
      this.#changed();
      this.#onSend(content);
    }
  }

  #changed() {
    this.#draft.write(this.#field.value);
    this.#show();
  }

  #show() {
    const { value, maxLength } = this.#field;
    const isFull = value.length >= maxLength; // the browser cuts there, and does not say so
    const left = maxLength - [...value].length;
    this.#left.textContent = isFull ? texts.noneLeft : left <= WARN_AT ? texts.charactersLeft(left) : "";
    this.#left.classList.toggle("composer__left--none", isFull);
    if (!CSS.supports("field-sizing", "content")) {
      this.#countRows();
    }
  }

  #countRows() {
    const field = this.#field;
    field.rows = 1;
    const oneRow = parseFloat(getComputedStyle(field).lineHeight);
    field.rows = Math.min(MOST_ROWS, Math.max(1, Math.round((field.scrollHeight - field.clientHeight) / oneRow) + 1));
  }
}
