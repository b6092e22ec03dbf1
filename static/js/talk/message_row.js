/**
 * One message on the page: an `<li>` that the server rendered, or one made from the same template.
 *
 * `message` is what the row shows. Without an `id` it has not been acknowledged.
 */
import { hueClass, initials } from "../people/avatar.js";
import { fromTemplate, myId } from "../support/dom.js";
import { texts } from "../support/texts.js";
import { clock, day, full } from "../support/times.js";
import { continues, isNewDay, placeInTalk } from "./grouping.js";
import { MessageBody } from "./message_body.js";
import { reacted } from "./message_changes.js";
import { lookOfRow, classesOf } from "./message_classes.js";
import { MessageQuote } from "./message_quote.js";
import { MessageReactions } from "./message_reactions.js";

export class MessageRow {
  #place;
  #followed = {}; // the places that `follow` compared last
  #continues = false;
  #day = null;
  #unread = null;
  #note = null;
  #said = null;
  #edited;
  #me = myId();
  #wishes = new Map();
  #parts;

  static make(message) {
    const row = new MessageRow(fromTemplate("message-template"));
    row.fill(message);
    return row;
  }

  /** Makes a row from an element that the server rendered. */
  static adopt(element) {
    const row = new MessageRow(element);
    row.#read();
    row.#placeIt();
    row.#showTimes();
    return row;
  }

  constructor(element) {
    this.element = element;
    this.#edited = element.querySelector(".message__edited");
    this.#parts = {
      face: element.querySelector(".message__face"),
      author: element.querySelector("strong"),
      time: element.querySelector("time"),
      body: new MessageBody(element),
      quote: new MessageQuote(element),
      reactions: new MessageReactions(element),
    };
  }

  fill(message) {
    this.message = message;
    this.#placeIt();
    const { face, author, body, quote } = this.#parts;
    const { element } = this;
    write(element.dataset, "id", message.id);
    write(element.dataset, "userId", message.user_id);
    write(element.dataset, "clientId", message.client_id);
    write(element.dataset, "mentions", message.mentions?.join(" "));
    face.className = `message__face face ${hueClass(message.user_id)}`;
    face.textContent = initials(message.user_name);
    author.textContent = message.user_name;
    const marks = classesOf(message, this.#me);
    for (const [name, holds] of Object.entries(marks)) {
      element.classList.toggle(name, holds);
    }
    quote.show(message.reply_to);
    body.show(message, marks["message--long"]);
    this.#showReactions();
    this.#showEdited();
    this.#showTimes();
    this.#group();
  }

  /** Shows the reader's own reaction as on or off until the log confirms it; null shows the log's state. */
  wish(emoji, on) {
    if (on === null) {
      this.#wishes.delete(emoji);
    } else {
      this.#wishes.set(emoji, on);
    }
    this.#showReactions();
  }

  /** Returns true if the reader has reacted with this emoji, or is about to. */
  hasMine(emoji) {
    return this.#reactions.some((each) => each.emoji === emoji && each.user_ids.includes(this.#me));
  }

  /** Expands a long message, or collapses it. */
  toggleAll() {
    this.#parts.body.toggleAll(this.element);
  }

  /** Shows a line below the message about what the reader did with it; null removes the line. */
  say(words, isFailure = false) {
    this.element.classList.toggle("message--busy", words !== null && !isFailure);
    if (words === null) {
      this.#said?.remove();
      this.#said = null;
      return;
    }
    if (!this.#said) {
      this.#said = fromTemplate("said-template");
      this.#said.querySelector("button").addEventListener("click", () => {
        this.say(null);
        this.element.focus({ preventScroll: true });
      });
      this.element.append(this.#said);
    }
    this.#said.classList.toggle("message__said--failed", isFailure);
    this.#said.querySelector("em").textContent = words;
    this.#said.querySelector("button").hidden = !isFailure;
  }

  /** Renders the row as the one after `previous` (a row, or null): with or without a new day and an author. */
  follow(previous) {
    const above = previous?.#place;
    if (this.#followed.above === above && this.#followed.own === this.#place) {
      return;
    }
    this.#followed = { above, own: this.#place };
    this.#continues = continues(above, this.#place);
    this.#group();
    if (!isNewDay(above, this.#place)) {
      this.#day?.remove();
      this.#day = null;
    } else if (!this.#day) {
      this.#day = fromTemplate("day-template");
      this.element.prepend(this.#day);
      this.nameDay();
    }
  }

  /** Renders the name of the day again: “Today” becomes “Yesterday” at midnight. */
  nameDay() {
    const time = this.#day?.querySelector("time");
    if (time) {
      time.dateTime = this.message.created_at;
      time.textContent = day(new Date(this.message.created_at));
    }
  }

  /** Shows the line above the first message that the reader has not seen. */
  set isFirstUnread(isFirst) {
    this.#unread?.remove();
    this.#unread = isFirst ? fromTemplate("unread-template") : null;
    if (isFirst) {
      this.element.prepend(this.#unread);
    }
    this.#group();
  }

  /** `state`: pending, failed, or null for a message that was sent. Returns the note below the text, or null. */
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

  /** Notes what grouping compares, if it is not the same as before. */
  #placeIt() {
    const place = placeInTalk(this.message);
    if (this.#place?.at !== place.at || this.#place.userId !== place.userId) {
      this.#place = place;
    }
  }

  /** Hides the author if the message above has the same one. An edited message always shows it, with a note. */
  #group() {
    this.element.classList.toggle("message--more", this.#continues && !this.#unread && !this.#edited);
  }

  /** Reads the message from the attributes that the server rendered. */
  #read() {
    const { id, userId, clientId, mentions } = this.element.dataset;
    const { author, time, body, quote, reactions } = this.#parts;
    this.message = {
      id,
      user_id: Number(userId),
      client_id: clientId,
      user_name: author.textContent,
      created_at: time.dateTime,
      edited_at: this.#edited?.dataset.at,
      mentions: mentions?.split(" ").map(Number),
      reply_to: quote.read(),
      reactions: reactions.read(),
      look: lookOfRow(this.element),
      ...body.read(),
    };
  }

  get #reactions() {
    return Array.from(this.#wishes).reduce(
      (all, [emoji, on]) => reacted(all, { emoji, on, user_id: this.#me }),
      this.message.reactions ?? [],
    );
  }

  #showReactions() {
    this.#parts.reactions.show(this.message.deleted ? [] : this.#reactions, this.#me);
  }

  #showEdited() {
    const at = this.message.deleted ? undefined : this.message.edited_at;
    if (!at) {
      this.#edited?.remove();
      this.#edited = null;
      return;
    }
    if (!this.#edited) {
      this.#edited = fromTemplate("edited-template");
      this.#parts.time.after(" ", this.#edited);
    }
    this.#edited.dataset.at = at;
  }

  #showTimes() {
    const at = new Date(this.message.created_at);
    this.#parts.time.dateTime = this.message.created_at;
    this.#parts.time.textContent = clock(at);
    this.#parts.time.title = full(at);
    if (this.#edited) {
      this.#edited.title = texts.editedAt(full(new Date(this.#edited.dataset.at)));
    }
  }
}

function write(dataset, name, value) {
  if (value === undefined || value === null || value === "") {
    delete dataset[name];
  } else {
    dataset[name] = value;
  }
}
