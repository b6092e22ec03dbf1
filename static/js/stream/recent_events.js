/** The last events of each room, in order and without a gap, for tabs that are a little behind. */
const EVENTS_PER_ROOM = 100;

export class RecentEvents {
  #rooms = new Map();

  /** Adds the next event of its room. */
  add(kind, event) {
    const known = this.#rooms.get(event.room_id) ?? [];
    this.#rooms.set(event.room_id, known);
    known.push([kind, event]);
    if (known.length > EVENTS_PER_ROOM) {
      known.shift();
    }
  }

  has(roomId, id) {
    return (this.#rooms.get(roomId) ?? []).some(([, event]) => event.id === id);
  }

  /** The events behind this one, as `[kind, event]`; null if they are not all known. */
  after(roomId, id) {
    const known = this.#rooms.get(roomId) ?? [];
    if (known[0]?.[1].prev === id) {
      return known;
    }
    const index = known.findIndex(([, event]) => event.id === id);
    return index < 0 ? null : known.slice(index + 1);
  }

  /** Drops the events of a room: what comes next does not follow on them. */
  forget(roomId) {
    this.#rooms.delete(roomId);
  }
}
