/** The rooms in the sidebar, with their unread counts. */
import { fromTemplate } from "../support/dom.js";
import { showCounts } from "./listed_rooms.js";

export class RoomItems {
  #list;
  #current;
  #items = new Map();
  #shown = new Map(); // the counts that the items show, by room

  /** `list`: the `<ul>`, with an `li[data-room-id]` for each room. `current`: the id of the room on the page, or null. */
  constructor({ list, current }) {
    this.#list = list;
    this.#current = current;
    for (const item of list.children) {
      this.#items.set(Number(item.dataset.roomId), item);
    }
  }

  /** The rows that the server rendered, in the form of GET /rooms. */
  get rows() {
    return [...this.#items].map(([id, item]) => ({
      id,
      name: item.querySelector(".sidebar__room-name").textContent,
      unread: Number(item.dataset.unread),
      mentions: Number(item.dataset.mentions),
      last_id: item.dataset.lastId,
    }));
  }

  /** `rows`: all rooms, in their order. Changes only what differs, so that the focus stays. */
  show(rows) {
    const there = new Set(rows.map(({ id }) => id));
    for (const [id, item] of this.#items) {
      if (!there.has(id) && id !== this.#current) {
        item.remove();
        this.#items.delete(id);
        this.#shown.delete(id);
      }
    }
    let next = this.#list.firstElementChild;
    for (const row of rows) {
      const item = this.#items.get(row.id) ?? this.#make(row);
      if (item === next) {
        next = next.nextElementSibling;
      } else {
        this.#list.insertBefore(item, next);
      }
      this.#count(item, row);
    }
  }

  #make({ id, name }) {
    const item = fromTemplate("sidebar-room-template");
    item.dataset.roomId = id;
    item.querySelector("a").href = `/chat/${id}`;
    item.querySelector(".sidebar__room-name").textContent = name;
    this.#items.set(id, item);
    return item;
  }

  #count(item, { id, unread, mentions, tip }) {
    const shown = this.#shown.get(id);
    if (shown?.unread === unread && shown.mentions === mentions && shown.tip === tip) {
      return; // of thousands of rooms one changes
    }
    this.#shown.set(id, { unread, mentions, tip });
    item.dataset.lastId = tip;
    showCounts(item, { unread, mentions });
  }
}
