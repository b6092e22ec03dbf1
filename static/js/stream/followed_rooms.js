/**
 * The rooms that the stream follows: all that tabs show, and as many others as the connections for those have room for.
 * Knows for each the last event that was passed on (its cursor), and some events before that.
 */
import { RecentEvents } from "./recent_events.js";
import { ROOMS_OF_ONE } from "./room_streams.js";

const MOST_STREAMS = 3; // at once: over HTTP/1.1 a browser has six connections for everything

export class FollowedRooms {
  #shown;
  #cursors = new Map();
  #recent = new RecentEvents();

  /** `shown()`: a Set of the rooms that tabs show. */
  constructor(shown) {
    this.#shown = shown;
  }

  /** The ids, in the order in which the rooms were added. */
  get ids() {
    return [...this.#cursors.keys()];
  }

  /** A Map of room id to the id of the last event that was passed on. */
  get cursors() {
    return this.#cursors;
  }

  /** The most rooms that are followed. */
  get capacity() {
    const needed = Math.ceil(this.#shown().size / ROOMS_OF_ONE);
    return ROOMS_OF_ONE * Math.min(MOST_STREAMS, Math.max(1, needed));
  }

  get isFull() {
    return this.#cursors.size >= this.capacity;
  }

  has(roomId) {
    return this.#cursors.has(roomId);
  }

  cursor(roomId) {
    return this.#cursors.get(roomId);
  }

  /** Adds a room, from the stream's next opening on. Returns whether it was added: not if it is known or there is no room. */
  add(roomId, cursor) {
    const shown = this.#shown();
    if (this.has(roomId) || (this.isFull && !shown.has(roomId))) {
      return false;
    }
    if (this.isFull) {
      // If all are shown, the one that was added first goes. A tab that looks at it adds it again as the last (`ping`).
      this.drop(this.#lastUnshown() ?? [...shown].find((id) => this.has(id)));
    }
    this.restart(roomId, cursor);
    return true;
  }

  /** Adds a room that was just made. If there is no room for it, the oldest one goes that no tab shows. */
  addNew(roomId, cursor) {
    const shown = this.#shown();
    const [oldest] = this.ids.filter((id) => !shown.has(id)).sort((a, b) => a - b);
    if (this.isFull && oldest < roomId) {
      this.drop(oldest);
    }
    this.add(roomId, cursor);
  }

  /** The room goes on from this cursor. What came before it is forgotten. */
  restart(roomId, cursor) {
    this.#cursors.set(roomId, cursor);
    this.#recent.forget(roomId);
  }

  /** The next event of a room was passed on. */
  advance(kind, event) {
    this.#cursors.set(event.room_id, event.id);
    this.#recent.add(kind, event);
  }

  /** Notes that the next event does not follow the last one that was passed on. */
  forgetRecent(roomId) {
    this.#recent.forget(roomId);
  }

  drop(roomId) {
    this.#cursors.delete(roomId);
    this.#recent.forget(roomId);
  }

  /** Drops rooms that no tab shows until the others fit. */
  shrink() {
    for (let last; this.#cursors.size > this.capacity && (last = this.#lastUnshown()); ) {
      this.drop(last);
    }
  }

  /** Returns true if this event was passed on lately. */
  hasPassed(roomId, id) {
    return id === this.cursor(roomId) || this.#recent.has(roomId, id);
  }

  /** The events behind this one, as `[kind, event]`; null where they are not known here any more. */
  eventsAfter(roomId, id) {
    return id === this.cursor(roomId) ? [] : this.#recent.after(roomId, id);
  }

  #lastUnshown() {
    const shown = this.#shown();
    return this.ids.findLast((id) => !shown.has(id));
  }
}
