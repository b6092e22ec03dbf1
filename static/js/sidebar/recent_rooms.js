/**
 * The rooms that the user opened last in this browser, the latest first.
 *
 * Each room has a key of its own: a page sees the writes of another one late, so reading and writing one list would
 * lose rooms.
 */
import { Stored } from "../support/stored.js";

const MOST_ROOMS = 50;

export class RecentRooms {
  #prefix;

  constructor(userId) {
    this.#prefix = `recent-room:${userId}:`;
  }

  enter(roomId) {
    this.#at(roomId).write(Date.now());
    this.#ids()
      .slice(MOST_ROOMS)
      .forEach((id) => this.#at(id).forget());
  }

  /** For sorting: 0 for the latest; rooms that were never opened here come last. */
  rank(roomId) {
    const rank = this.#ids().indexOf(roomId);
    return rank < 0 ? MOST_ROOMS : rank;
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
