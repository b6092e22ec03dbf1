// Where messages are written. Never disabled: what is written goes into the outbox, whatever the line is like.

import { texts } from "../texts.js";

const LONGEST = 2000;
const WARN_AT = 200;

export class Composer {
  #form;
  #field;
  #left;
  #draftKey;

  /** `onSend(content)`: trimmed and not empty. */
  constructor({ form, left, roomId, onSend }) {
    this.#form = form;
    this.#field = form.elements.content;
    this.#left = left;
    this.#draftKey = `draft-${roomId}`;
    this.onSend = onSend;
    // The attribute counts UTF-16 units, the server code points: an emoji shall not count twice.
    this.#field.removeAttribute("maxlength");
    this.#field.required = false;
    this.#field.value ||= sessionStorage.getItem(this.#draftKey) ?? "";
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#field.addEventListener("input", () => this.#changed());
    this.#changed();
  }

  focus() {
    this.#field.focus();
  }

  #key(event) {
    // While a word is being composed, Enter chooses it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const content = this.#field.value.trim();
    if (!content || length(content) > LONGEST) return this.focus();
    this.#field.value = "";
    this.#changed();
    this.focus();
    this.onSend(content);
  }

  #changed() {
    sessionStorage.setItem(this.#draftKey, this.#field.value);
    const left = LONGEST - length(this.#field.value.trim());
    this.#left.hidden = left > WARN_AT;
    this.#left.textContent = texts.charactersLeft(left);
    this.#left.classList.toggle("composer__left--over", left < 0);
    if (!CSS.supports("field-sizing", "content")) this.#grow();
  }

  /** For browsers that can't size the field by its content themselves. */
  #grow() {
    this.#field.rows = Math.min(8, this.#field.value.split("\n").length);
  }
}

const length = (text) => [...text].length;
