// The messages in the page: put in order, grouped by author and day, each shown once.

import { compareIds } from "../helpers/ids.js";
import { clock, dayName, exactly, isSameDay, isSoonAfter } from "../models/moments.js";
import { texts } from "../texts.js";

const MOST = 300;
const TRIM_AT = 350;

export class MessageList {
  #list;
  #templates;
  #byId = new Map();
  #byName = new Map();

  /** `me`: {id, name}. `onRetry(clientId)`, `onDiscard(clientId)`: what the buttons under an unsent message say. */
  constructor({ list, templates, me, onRetry, onDiscard }) {
    this.#list = list;
    this.#templates = templates;
    this.me = me;
    this.onRetry = onRetry;
    this.onDiscard = onDiscard;
    for (const item of list.querySelectorAll("li[data-id]")) {
      this.#remember(item);
      this.#setTime(item, item.querySelector("time").dateTime);
    }
    this.#arrange();
  }

  get firstId() {
    return this.#list.querySelector("li[data-id]")?.dataset.id;
  }

  /** Shows a message in its place. Says whether it was new to the page (not an own one that was pending). */
  show(message) {
    if (this.#byId.has(message.id)) return false;
    const earlier = this.#byName.get(nameOf(message.user_id, message.client_id));
    const item = earlier ?? this.#make(message);
    if (earlier) this.#forget(earlier);
    item.dataset.id = message.id;
    item.querySelector("span").textContent = message.content;
    this.#setNote(item, null);
    this.#setTime(item, message.created_at);
    this.#remember(item);
    this.#list.insertBefore(item, this.#placeFor(item));
    this.#arrange();
    return !earlier;
  }

  /** Shows an own message that is not acknowledged, at the end, with how it fares. */
  showPending({ client_id, content, number, state, reason }) {
    const name = nameOf(this.me.id, client_id);
    let item = this.#byName.get(name);
    if (!item) {
      item = this.#make({ user_id: this.me.id, user_name: this.me.name, client_id, content });
      item.querySelector("span").textContent = content;
      this.#setTime(item, new Date(number).toISOString());
      this.#byName.set(name, item);
      this.#list.append(item);
      this.#arrange();
    }
    if (!item.dataset.id) this.#setNote(item, state, reason);
  }

  discard(clientId) {
    const item = this.#byName.get(nameOf(this.me.id, clientId));
    if (item && !item.dataset.id) this.#remove(item);
    this.#arrange();
  }

  /** Starts over with other messages; what is pending stays. */
  clear() {
    for (const item of [...this.#list.querySelectorAll("li[data-id]")]) this.#remove(item);
    this.#arrange();
  }

  /** Keeps the page small. Says whether the oldest messages were let go of. */
  trim() {
    const items = this.#list.querySelectorAll("li[data-id]");
    if (items.length <= TRIM_AT) return false;
    for (const item of [...items].slice(0, items.length - MOST)) this.#remove(item);
    this.#arrange();
    return true;
  }

  #make(message) {
    const item = this.#templates.message.content.firstElementChild.cloneNode(true);
    item.dataset.userId = message.user_id;
    item.dataset.clientId = message.client_id;
    item.querySelector("strong").textContent = message.user_name;
    const face = item.querySelector(".face");
    face.classList.add(`face--${message.user_id % 12}`);
    face.textContent = initials(message.user_name);
    return item;
  }

  #remember(item) {
    this.#byId.set(item.dataset.id, item);
    this.#byName.set(nameOf(item.dataset.userId, item.dataset.clientId), item);
  }

  #forget(item) {
    this.#byId.delete(item.dataset.id);
    this.#byName.delete(nameOf(item.dataset.userId, item.dataset.clientId));
  }

  #remove(item) {
    this.#forget(item);
    item.remove();
  }

  /** The item before which this one stands: the first with a later id, else the first that is pending. */
  #placeFor(item) {
    let place = null;
    for (let each = this.#list.lastElementChild; each; each = each.previousElementSibling) {
      if (each === item || each.classList.contains("day")) continue;
      if (each.dataset.id && compareIds(each.dataset.id, item.dataset.id) < 0) break;
      place = each;
    }
    return place;
  }

  /** Day lines, and who goes on speaking. The list is short, so it is simply gone through. */
  #arrange() {
    for (const line of this.#list.querySelectorAll(".day")) line.remove();
    let before = null;
    for (const item of [...this.#list.children]) {
      const now = { at: new Date(item.querySelector("time").dateTime), user: item.dataset.userId };
      const newDay = !before || !isSameDay(before.at, now.at);
      if (newDay) item.before(this.#dayLine(now.at));
      const goesOn = !newDay && before.user === now.user && isSoonAfter(before.at, now.at);
      item.classList.toggle("message--more", goesOn);
      before = now;
    }
  }

  #dayLine(date) {
    const line = this.#templates.day.content.firstElementChild.cloneNode(true);
    line.firstElementChild.textContent = dayName(date);
    return line;
  }

  #setTime(item, moment) {
    const time = item.querySelector("time");
    const date = new Date(moment);
    time.dateTime = moment;
    time.textContent = clock(date);
    time.title = exactly(date);
  }

  #setNote(item, state, reason) {
    item.classList.toggle("message--pending", state === "sending" || state === "waiting");
    item.classList.toggle("message--failed", state === "refused");
    const why = { sending: texts.sending, waiting: texts.waiting, refused: texts.refused(reason) }[state];
    let note = item.querySelector(".message__note");
    if (!state) return note?.remove();
    if (!note) {
      note = this.#templates.note.content.firstElementChild.cloneNode(true);
      const [retry, discard] = note.querySelectorAll("button");
      retry.textContent = texts.retry;
      discard.textContent = texts.discard;
      retry.addEventListener("click", () => this.onRetry(item.dataset.clientId));
      discard.addEventListener("click", () => this.onDiscard(item.dataset.clientId));
      item.querySelector(".message__body").append(note);
    }
    note.hidden = state === "sending";
    note.querySelector("b").textContent = why;
  }
}

const nameOf = (userId, clientId) => `${userId} ${clientId}`;

const initials = (name) =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
