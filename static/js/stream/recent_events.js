/** The last events of each room, in their order and without a gap: what a tab that is a little behind is told from. */
const PER_ROOM = 100;

export class RecentEvents {
  #rooms = new Map();

  /** The next event of its room. */
  add(kind, event) {
    const known = this.#rooms.get(event.room_id) ?? [];
    this.#rooms.set(event.room_id, known);
    known.push([kind, event]);
    if (known.length > PER_ROOM) {
      known.shift();
    }
  }

  has(roomId, id) {
    return (this.#rooms.get(roomId) ?? []).some(([, event]) => event.id === id);
  }

  /** What follows this event, as `[kind, event]`; null where that is not known here. */
  after(roomId, id) {
    const known = this.#rooms.get(roomId) ?? [];
    if (known[0]?.[1].prev === id) {
      return known;
    }
    const index = known.findIndex(([, event]) => event.id === id);
    return index < 0 ? null : known.slice(index + 1);
  }

  /** What comes next does not follow on what is here. */
  forget(roomId) {
    this.#rooms.delete(roomId);
  }
}
