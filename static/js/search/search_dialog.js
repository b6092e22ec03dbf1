/** The search dialog: in a room or in all of them, as you type. A result leads to its message among its neighbours. */
import { fromTemplate } from "../support/dom.js";
import { texts } from "../support/texts.js";
import { date, full } from "../support/times.js";
import { Sheet } from "../window/sheet.js";
import { highlight } from "./highlight.js";
import { MessageSearch } from "./message_search.js";

export class SearchDialog {
  #parts;
  #room;
  #sheet;
  #search;

  /** `parts`: the elements form, field, scope, word, results, more, rest. `room`: where the page is, or null.
   * `find(parameters, signal)`: async, a page of results. */
  constructor({ dialog, parts, room, find }) {
    this.#parts = parts;
    this.#room = room;
    this.#sheet = new Sheet(dialog, { onOpen: (opener) => this.#aim(opener?.dataset.scope) });
    this.#search = new MessageSearch({ find, on: { state: (...state) => this.#show(...state) } });
    parts.field.addEventListener("input", () => this.#look());
    parts.scope?.addEventListener("change", () => this.#look());
    parts.form.addEventListener("submit", (event) => this.#submit(event));
    parts.more.addEventListener("click", () => this.#search.more());
    dialog.addEventListener("keydown", (event) => this.#pressed(event));
    window.addEventListener("online", () => this.#sheet.isOpen && this.#search.again());
    this.#say(texts.searchHint);
  }

  /** `scope`: "room" or "all". */
  open(scope) {
    this.#aim(scope);
    this.#sheet.open();
    this.#parts.field.select();
  }

  #aim(scope) {
    const choice = scope && this.#parts.scope?.querySelector(`[value="${scope}"]`);
    if (choice && !choice.checked) {
      choice.checked = true;
      this.#look();
    }
  }

  #look() {
    const isHere = this.#parts.scope?.querySelector(":checked").value === "room";
    this.#search.search(this.#parts.field.value, isHere ? this.#room.id : null);
  }

  #submit(event) {
    event.preventDefault();
    const first = this.#links()[0];
    if (first) {
      first.click();
    } else {
      this.#search.again();
    }
  }

  #show(state, found, hasMore) {
    const { results, more } = this.#parts;
    if (state === "found") {
      const shown = results.children.length;
      results.append(...found.slice(shown).map((each) => this.#item(each)));
      const hadFocus = document.activeElement === more;
      more.hidden = !hasMore;
      more.textContent = found.length > shown ? texts.moreResults : texts.lookFurther;
      if (hadFocus) {
        this.#links()[shown]?.focus();
      }
      const nothing = hasMore ? texts.nothingFoundYet : texts.nothingFound;
      this.#say(found.length === 0 ? nothing(this.#search.query) : "");
      return;
    }
    if (state === "failed" && results.children.length > 0) {
      this.#say("");
      return; // the button for more can still be pressed
    }
    results.replaceChildren();
    more.hidden = true;
    this.#say(
      { idle: () => texts.searchHint, searching: () => texts.searching, failed: () => this.#reason(found) }[state](),
    );
  }

  #reason(error) {
    return error.status === 0 ? texts.searchOffline : error.isFinal ? texts.searchRefused(error.message) : texts.searchFailed;
  }

  #item({ message, room_name: roomName, snippet }) {
    const item = fromTemplate("result-template");
    const time = item.querySelector("time");
    const at = new Date(message.created_at);
    item.querySelector("a").href = `/chat/${message.room_id}?at=${encodeURIComponent(message.id)}`;
    item.querySelector(".result__who").textContent = message.user_name;
    item.querySelector(".result__room").textContent = message.room_id === this.#room?.id ? "" : texts.inRoom(roomName);
    time.dateTime = message.created_at;
    time.textContent = date(at);
    time.title = full(at);
    highlight(item.querySelector(".result__words"), snippet, this.#search.query);
    return item;
  }

  /** Moves from the field into the results, and back, by arrow keys. */
  #pressed(event) {
    if (event.key === "Escape") {
      event.preventDefault(); // a search field would clear itself
      this.#sheet.close();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [this.#parts.field, ...this.#links(), ...(this.#parts.more.hidden ? [] : [this.#parts.more])];
    const here = stops.indexOf(document.activeElement);
    if (step && here >= 0 && stops[here + step]) {
      event.preventDefault();
      stops[here + step].focus();
    }
  }

  #links() {
    return [...this.#parts.results.querySelectorAll("a")];
  }

  #say(words) {
    this.#parts.word.textContent = words;
  }
}
