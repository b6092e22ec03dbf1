/**
 * The rooms that somebody was in last, the latest first, as far as this browser knows.
 *
 * Each has a key of its own: what one page writes reaches the next one late, so a list that is read and written again
 * would lose rooms.
 */
import { Stored } from "../support/stored.js";

const MOST = 50;

export class RecentRooms {
  #prefix;

  constructor(userId) {
    this.#prefix = `recent-room:${userId}:`;
  }

  enter(roomId) {
    this.#at(roomId).write(Date.now());
    this.#ids()
      .slice(MOST)
      .forEach((id) => this.#at(id).forget());
  }

  /** For sorting: 0 for the latest; behind all others what was not seen here. */
  place(roomId) {
    const place = this.#ids().indexOf(roomId);
    return place < 0 ? MOST : place;
  }

  #at(roomId) {
    return new Stored(this.#prefix + roomId);
  }

  #ids() {
    const ids = Stored.keys(this.#prefix).map((key) => Number(key.slice(this.#prefix.length)));
    const times = new Map(ids.map((id) => [id, this.#at(id).read(0)]));
    return ids.sort((one, other) => times.get(other) - times.get(one));
  }
}
