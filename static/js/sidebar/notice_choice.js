/** The settings of notifications: whether the browser allows them, and for which messages of each room. */
import { fromTemplate } from "../support/dom.js";
import { texts } from "../support/texts.js";
import { listedRooms } from "./listed_rooms.js";

export class NoticeChoice {
  #parts;
  #rooms;
  #levels;

  /** `parts`: the elements word, allow, list. `rooms`: the element that lists all rooms. `levels`: NoticeLevels. */
  constructor({ parts, rooms, levels }) {
    this.#parts = parts;
    this.#rooms = rooms;
    this.#levels = levels;
    // Only on a click: people refuse a prompt that comes out of the blue, and browsers remember that for good.
    parts.allow.addEventListener("click", async () => {
      await Notification.requestPermission();
      this.show();
      (parts.list.querySelector("select") ?? parts.list).focus();
    });
    parts.list.addEventListener("change", ({ target }) => levels.choose(Number(target.dataset.roomId), target.value));
  }

  show() {
    const permission = "Notification" in window && window.isSecureContext ? Notification.permission : "missing";
    this.#parts.word.textContent = texts.notices[permission];
    this.#parts.allow.hidden = permission !== "default";
    const rooms = permission === "granted" ? listedRooms(this.#rooms) : [];
    const here = rooms.filter(({ isCurrent }) => isCurrent);
    const others = rooms.filter(({ isCurrent }) => !isCurrent);
    this.#parts.list.replaceChildren(...[...here, ...others].map((room) => this.#row(room)));
  }

  #row({ id, name }) {
    const row = fromTemplate("notice-template");
    const label = row.querySelector("label");
    const select = row.querySelector("select");
    label.textContent = name;
    label.htmlFor = select.id = `notice-${id}`;
    select.dataset.roomId = id;
    select.value = this.#levels.of(id);
    return row;
  }
}
