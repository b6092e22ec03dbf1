/**
 * The field in which messages are written, answered and edited. Never disabled: a draft can always be sent.
 *
 * A message that is being edited takes the place of the draft, which comes back afterwards.
 */
import { texts } from "../support/texts.js";

const WARN_AT = 200; // characters before the end
const MOST_ROWS = 8;
const QUOTE_LENGTH = 120; // characters, as the server quotes

export class Composer {
  #form;
  #field;
  #left;
  #context;
  #draft;
  #on;
  #replyTo;
  #edited = null;
  #isClosed = false;

  /**
   * `left`: the element that shows how many characters are left. `context`: composer/composer_context.js.
   * `on.send(content, replyTo)`, `on.save(message, content)`: async, whether it worked, `on.editLast()`: the reader
   * wants to edit their last message, `on.wrote(text)`.
   */
  constructor({ form, left, context, draft, on }) {
    this.#form = form;
    this.#field = form.elements.content;
    this.#left = left;
    this.#context = context;
    this.#draft = draft;
    this.#on = on;
    this.#field.required = false; // an empty message is nothing to complain about
    this.#field.value ||= draft.read();
    this.#replyTo = draft.replyTo;
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    form.addEventListener("submit", (event) => this.#submit(event));
    context.onCancel = () => this.cancel();
    // So that a phone's keyboard stays up when Send is pressed.
    form.querySelector(".composer__send").addEventListener("pointerdown", (event) => event.preventDefault());
    this.#show();
  }

  focus() {
    this.#field.focus();
  }

  /** Closes the field for good. The draft is kept for its writer. */
  close() {
    this.#draft.keep(this.#field.value);
    this.#edited = null;
    this.#replyTo = null;
    this.#isClosed = true;
    this.#fill("");
    this.#field.tabIndex = -1;
    this.#form.classList.add("composer__form--closed");
  }

  /** Makes the next message a reply to this one. */
  reply({ id, user_name, content }) {
    this.#leaveEdit();
    this.#answer({ id, user_name, content: [...content].slice(0, QUOTE_LENGTH).join("") });
    this.#show();
    this.focus();
  }

  /** Starts editing this message. */
  edit(message) {
    this.#leaveEdit();
    this.#edited = message;
    this.#fill(message.content);
    this.focus();
  }

  /** Cancels the edit, or else the reply. */
  cancel() {
    if (this.#edited) {
      this.#leaveEdit();
    } else {
      this.#answer(null);
      this.#show();
    }
    this.focus();
  }

  /** Inserts a text at the caret. */
  insert(text) {
    this.#field.focus();
    this.#field.setRangeText(text, this.#field.selectionStart, this.#field.selectionEnd, "end");
    this.#changed();
  }

  #pressed(event) {
    // 229: Safari ends the composition before it fires the key that ended it (https://bugs.webkit.org/show_bug.cgi?id=165004).
    const isComposing = event.isComposing || event.keyCode === 229;
    if (isComposing || event.defaultPrevented) {
      return;
    }
    const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "ArrowUp" && isPlain && this.#field.value === "" && !this.#edited) {
      event.preventDefault();
      this.#on.editLast();
    } else if (event.key === "Escape" && (this.#edited || this.#replyTo)) {
      event.preventDefault();
      event.stopPropagation();
      this.cancel();
    }
  }

  #submit(event) {
    event.preventDefault();
    const content = this.#field.value.trim();
    if (this.#isClosed) {
      this.#fill("");
    } else if (this.#edited) {
      this.#save(this.#edited, content);
    } else if (content) {
      const replyTo = this.#replyTo;
      this.#answer(null);
      this.#fill("");
      this.#draft.write("");
      this.#on.send(content, replyTo);
    }
  }

  /** Saves the edit. The text stays in the field until the server has it; then the draft comes back, unless it was changed. */
  async #save(message, content) {
    const written = this.#field.value;
    const isSaved = await this.#on.save(message, content);
    if (isSaved && this.#edited === message && this.#field.value === written) {
      this.#leaveEdit();
    }
  }

  #leaveEdit() {
    if (this.#edited) {
      this.#edited = null;
      this.#fill(this.#draft.read());
    }
  }

  #answer(replyTo) {
    this.#replyTo = replyTo;
    this.#draft.replyTo = replyTo;
  }

  #fill(text) {
    this.#field.value = text;
    this.#field.setSelectionRange(text.length, text.length);
    this.#show();
  }

  #changed() {
    if (this.#isClosed) {
      this.#field.value = "";
    } else if (!this.#edited) {
      this.#draft.write(this.#field.value);
      this.#on.wrote(this.#field.value);
    }
    this.#show();
  }

  #show() {
    const { value, maxLength } = this.#field;
    const isFull = value.length >= maxLength; // the browser truncates silently
    const left = maxLength - [...value].length;
    this.#left.textContent = isFull ? texts.noneLeft : left <= WARN_AT ? texts.charactersLeft(left) : "";
    this.#left.classList.toggle("composer__left--none", isFull);
    this.#form.classList.toggle("composer__form--edit", Boolean(this.#edited));
    if (this.#edited) {
      this.#context.show(texts.editing, this.#edited.content);
    } else if (this.#replyTo) {
      this.#context.show(texts.replyingTo(this.#replyTo.user_name), this.#replyTo.content);
    } else {
      this.#context.hide();
    }
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
