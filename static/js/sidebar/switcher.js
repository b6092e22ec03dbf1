/**
 * Goes to a room by a few letters of its name. Rooms that mention the user come first, then unread ones, then recent
 * ones.
 */
import { fromTemplate } from "../support/dom.js";
import { matches } from "../support/fold_text.js";
import { texts } from "../support/texts.js";
import { Sheet } from "../window/sheet.js";
import { listedRooms, showCounts } from "./listed_rooms.js";

const MOST_OPTIONS = 50; // shown at once; another letter finds the rest

export class Switcher {
  #sheet;
  #field;
  #list;
  #none;
  #rooms;
  #recent;
  #shown = [];
  #chosen = 0;

  /** `dialog`: with its field, list and word. `rooms`: the element that lists all rooms. `recent`: RecentRooms. */
  constructor({ dialog, rooms, recent }) {
    this.#field = dialog.querySelector("input");
    this.#list = dialog.querySelector("[role=listbox]");
    this.#none = dialog.querySelector("[role=status]");
    this.#rooms = rooms;
    this.#recent = recent;
    this.#sheet = new Sheet(dialog, { onOpen: () => this.#clear() });
    this.#field.addEventListener("input", () => this.#filter());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    this.#list.addEventListener("click", (event) => this.#go(this.#indexOf(event.target)));
    this.#list.addEventListener("pointermove", (event) => this.#choose(this.#indexOf(event.target)));
  }

  toggle() {
    this.#sheet.toggle();
  }

  #clear() {
    this.#field.value = "";
    this.#filter();
  }

  #filter() {
    const query = this.#field.value;
    this.#shown = listedRooms(this.#rooms)
      .filter(({ name }) => matches(name, query))
      .sort((one, other) => this.#rank(one) - this.#rank(other))
      .slice(0, MOST_OPTIONS);
    this.#list.replaceChildren(...this.#shown.map(optionOf));
    this.#none.textContent = this.#shown.length === 0 ? texts.noSuchRoom : "";
    this.#chosen = 0;
    this.#choose(0);
  }

  /** The current room comes last: nobody needs to go there. */
  #rank({ id, unread, mentions, isCurrent }) {
    const group = isCurrent ? 3 : mentions > 0 ? 0 : unread > 0 ? 1 : 2;
    return group * 1_000 + this.#recent.rank(id);
  }

  #pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !event.altKey) {
      const count = this.#shown.length;
      this.#choose((this.#chosen + step + count) % (count || 1));
    } else if (event.key === "Enter" && !event.isComposing) {
      this.#go(this.#chosen);
    } else {
      return;
    }
    event.preventDefault();
  }

  #choose(index) {
    const option = this.#list.children[index];
    if (!option) {
      this.#field.removeAttribute("aria-activedescendant");
      return;
    }
    this.#list.children[this.#chosen]?.setAttribute("aria-selected", "false");
    this.#chosen = index;
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", option.id);
  }

  #go(index) {
    const room = this.#shown[index];
    if (room) {
      this.#sheet.close();
      room.link.click(); // as a click in the list would do
    }
  }

  #indexOf(target) {
    return [...this.#list.children].indexOf(target.closest("[role=option]"));
  }
}

function optionOf(room, index) {
  const element = fromTemplate("option-template");
  element.id = `switcher-room-${index}`;
  element.querySelector(".option__name").textContent = room.name;
  element.classList.toggle("option--unread", room.unread > 0);
  showCounts(element, room);
  return element;
}
