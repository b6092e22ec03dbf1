/**
 * One message on the page: an `<li>` that the server sent, or one made from the same markup.
 *
 * `message` is what the row shows. One without an `id` has not been acknowledged.
 */
import { fromTemplate } from "../helpers/dom.js";
import { hueClass, initials } from "../helpers/people.js";
import { clock, day, full } from "../helpers/times.js";
import { continues, isNewDay } from "../models/grouping.js";

export class MessageRow {
  #day = null;
  #unread = null;
  #note = null;
  #parts;

  static make(message) {
    const row = new MessageRow(fromTemplate("message-template"));
    row.fill(message);
    return row;
  }

  /** A row of the page as it was loaded. */
  static adopt(element) {
    const row = new MessageRow(element);
    const { id, userId, clientId } = element.dataset;
    row.message = {
      id,
      user_id: Number(userId),
      client_id: clientId,
      user_name: row.#parts.author.textContent,
      content: row.#parts.text.textContent,
      created_at: row.#parts.time.dateTime,
    };
    row.#showTime();
    return row;
  }

  constructor(element) {
    this.element = element;
    this.#parts = {
      face: element.querySelector(".message__face"),
      author: element.querySelector("strong"),
      time: element.querySelector("time"),
      text: element.querySelector("span"),
    };
  }

  fill(message) {
    this.message = message;
    const { face, author, text } = this.#parts;
    const { element } = this;
    element.dataset.userId = message.user_id;
    element.dataset.clientId = message.client_id;
    if (message.id) {
      element.dataset.id = message.id;
    } else {
      delete element.dataset.id;
    }
    face.className = `message__face face ${hueClass(message.user_id)}`;
    face.textContent = initials(message.user_name);
    author.textContent = message.user_name;
    text.textContent = message.content;
    this.#showTime();
  }

  /** Draws the row as the next after `previous` (a row, or null): on the same day, in the same breath? */
  follow(previous) {
    this.element.classList.toggle("message--more", !this.#unread && continues(previous?.message, this.message));
    if (!isNewDay(previous?.message, this.message)) {
      this.#day?.remove();
      this.#day = null;
    } else if (!this.#day) {
      this.#day = fromTemplate("day-template");
      this.element.prepend(this.#day);
      this.nameDay();
    }
  }

  /** Today is not today for ever. */
  nameDay() {
    const time = this.#day?.querySelector("time");
    if (time) {
      time.dateTime = this.message.created_at;
      time.textContent = day(new Date(this.message.created_at));
    }
  }

  /** The line above the first message that its reader has not seen. */
  set isFirstUnread(isFirst) {
    this.#unread?.remove();
    this.#unread = isFirst ? fromTemplate("unread-template") : null;
    if (isFirst) {
      this.element.prepend(this.#unread);
      this.element.classList.remove("message--more");
    }
  }

  /** `state`: pending, failed, or null for a message like any other. Returns the note below the text, or null. */
  mark(state) {
    this.element.classList.toggle("message--pending", state !== null);
    this.element.classList.toggle("message--failed", state === "failed");
    if (state === null) {
      this.#note?.remove();
      this.#note = null;
    } else if (!this.#note) {
      this.#note = fromTemplate("note-template");
      this.element.append(this.#note);
    }
    return this.#note;
  }

  #showTime() {
    const at = new Date(this.message.created_at);
    this.#parts.time.dateTime = this.message.created_at;
    this.#parts.time.textContent = clock(at);
    this.#parts.time.title = full(at);
  }
}
