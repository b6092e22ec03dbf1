/** The rooms that somebody was in last, the latest first, as far as this browser knows. */
import { Stored } from "../helpers/stored.js";

const MOST = 50;

export class RecentRooms {
  #stored;

  constructor(userId) {
    this.#stored = new Stored(`recent-rooms:${userId}`);
  }

  enter(roomId) {
    this.#stored.write([roomId, ...this.#ids().filter((id) => id !== roomId)].slice(0, MOST));
  }

  /** For sorting: 0 for the latest; behind all others what was not seen here. */
  place(roomId) {
    const place = this.#ids().indexOf(roomId);
    return place < 0 ? MOST : place;
  }

  #ids() {
    return this.#stored.read([]);
  }
}
