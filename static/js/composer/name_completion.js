/** Suggests names for a mention: a list above the field. Enter or Tab takes one, Escape closes the list. */
import { hueClass, initials } from "../people/avatar.js";
import { fromTemplate } from "../support/dom.js";
import { matching, mentionBefore } from "./completion.js";

export class NameCompletion {
  #field;
  #list;
  #people;
  #mention = null;
  #found = [];
  #active = 0;
  #dismissed = -1; // the position of an @ whose list was closed
  #onAsked;

  /** `people`: a function that returns `[{ id, name }]`, the likeliest first. `onAsked()`: the list is about to be shown. */
  constructor({ field, list, people, onAsked }) {
    this.#field = field;
    this.#list = list;
    this.#people = people;
    this.#onAsked = onAsked;
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    field.addEventListener("input", () => this.update());
    field.addEventListener("click", () => this.update());
    field.addEventListener("keyup", ({ key }) => ["ArrowLeft", "ArrowRight", "Home", "End"].includes(key) && this.update());
    field.addEventListener("blur", () => this.#close());
    field.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => this.#clicked(event));
  }

  /** Updates the list: the caret moved, or more people are known. */
  update() {
    const { value, selectionStart, selectionEnd } = this.#field;
    const mention = selectionStart === selectionEnd ? mentionBefore(value, selectionStart) : null;
    if (!mention || mention.text.endsWith(" ") || mention.start === this.#dismissed) {
      this.#close();
      return;
    }
    if (!this.#mention) {
      this.#onAsked();
    }
    const found = matching(this.#people(), mention.text);
    const isWritten = found.length === 1 && found[0].name === mention.text;
    if (found.length === 0 || isWritten) {
      this.#close();
    } else {
      this.#open(mention, found);
    }
  }

  #open(mention, found) {
    const active = this.#found[this.#active]?.id;
    this.#active = this.#mention ? Math.max(0, found.findIndex((each) => each.id === active)) : 0;
    this.#mention = mention;
    this.#found = found;
    this.#list.replaceChildren(...found.map(option));
    this.#list.hidden = false;
    this.#mark();
  }

  #close() {
    this.#mention = null;
    this.#found = [];
    this.#list.hidden = true;
    this.#field.removeAttribute("aria-activedescendant");
    if (!this.#field.value.includes("@")) {
      this.#dismissed = -1;
    }
  }

  #mark() {
    [...this.#list.children].forEach((each, index) => {
      each.setAttribute("aria-selected", String(index === this.#active));
    });
    const active = this.#list.children[this.#active];
    active.scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", active.id);
  }

  #pressed(event) {
    if (!this.#mention || event.isComposing || event.keyCode === 229) {
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const takes = (event.key === "Enter" || event.key === "Tab") && !event.shiftKey;
    if (!step && !takes && event.key !== "Escape") {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (step) {
      this.#active = (this.#active + step + this.#found.length) % this.#found.length;
      this.#mark();
    } else if (takes) {
      this.#take(this.#found[this.#active]);
    } else {
      this.#dismissed = this.#mention.start;
      this.#close();
    }
  }

  #clicked(event) {
    const index = [...this.#list.children].indexOf(event.target.closest("li"));
    if (index >= 0) {
      this.#take(this.#found[index]);
    }
  }

  #take({ name }) {
    const { start, text } = this.#mention;
    const end = start + 1 + text.length;
    const rest = this.#field.value.slice(end);
    this.#field.setRangeText(`@${name}${/^\s/.test(rest) ? "" : " "}`, start, end, "end");
    this.#close();
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function option({ id, name }) {
  const element = fromTemplate("name-template");
  element.id = `name-${id}`;
  const face = element.querySelector(".face");
  face.classList.add(hueClass(id));
  face.textContent = initials(name);
  element.querySelector("b").textContent = name;
  return element;
}
