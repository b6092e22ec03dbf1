/** The body of a message: its text, formatted where the server did that; or that it was deleted. */
import { fromTemplate } from "../support/dom.js";
import { texts } from "../support/texts.js";
import { showHtml, shownHtml } from "./html.js";

export class MessageBody {
  #text;
  #span;
  #html;
  #gone;
  #all;
  #shown; // as it was given: the browser may serialise the same markup differently

  /** `element`: the row. */
  constructor(element) {
    this.#text = element.querySelector(".message__text");
    this.#span = this.#text.querySelector("span");
    this.#html = element.querySelector(".message__html");
    this.#shown = this.#html ? shownHtml(this.#html) : undefined;
    this.#gone = element.querySelector(".message__gone");
    this.#all = element.querySelector(".message__all");
  }

  /** Reads the message's body from the row. */
  read() {
    return {
      content: this.#span.textContent,
      html: this.#shown,
      deleted: Boolean(this.#gone),
    };
  }

  show({ content, html, deleted }, isLong) {
    if (this.#span.textContent !== content) {
      this.#span.textContent = content; // if nothing changed, a selection in it stays
    }
    this.#text.hidden = Boolean(html || deleted);
    this.#showHtml(html);
    this.#gone = this.#toggle(this.#gone, deleted, "gone-template");
    this.#all = this.#toggle(this.#all, isLong, "all-template");
  }

  /** Expands a long message, or collapses it. */
  toggleAll(row) {
    const isOpen = row.classList.toggle("message--open");
    this.#all.setAttribute("aria-expanded", String(isOpen));
    this.#all.textContent = isOpen ? texts.showLess : texts.showAll;
  }

  #showHtml(html) {
    this.#html = this.#toggle(this.#html, Boolean(html), "html-template");
    if (html && this.#shown !== html) {
      showHtml(this.#html, html);
    }
    this.#shown = html;
  }

  /** Adds or removes an element below the text, in the order of the template. Returns the element, or null. */
  #toggle(element, isWanted, template) {
    if (!isWanted) {
      element?.remove();
      return null;
    }
    if (element) {
      return element;
    }
    const made = fromTemplate(template);
    (this.#html ?? this.#text).after(made);
    return made;
  }
}
