/** The quote in a reply: who wrote the original message, and how it began when the reply was written. */
import { fromTemplate } from "../support/dom.js";

export class MessageQuote {
  #row;
  #element;

  /** `row`: the row's element. */
  constructor(row) {
    this.#row = row;
    this.#element = row.querySelector(".message__quote");
  }

  /** As in a message: `{ id, user_name, content }`; undefined if the message is no reply. */
  read() {
    const link = this.#element?.querySelector("a");
    return (
      link && {
        id: link.dataset.replyTo,
        user_name: link.querySelector("b").textContent,
        content: link.querySelector("i").textContent,
      }
    );
  }

  show(replyTo) {
    if (!replyTo) {
      this.#element?.remove();
      this.#element = null;
      return;
    }
    if (!this.#element) {
      this.#element = fromTemplate("quote-template");
      this.#row.querySelector(".message__who").after(this.#element);
    }
    const link = this.#element.querySelector("a");
    link.dataset.replyTo = replyTo.id;
    link.href = `${location.pathname}?at=${encodeURIComponent(replyTo.id)}`;
    link.querySelector("b").textContent = replyTo.user_name;
    link.querySelector("i").textContent = replyTo.content;
  }
}
