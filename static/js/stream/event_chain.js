/**
 * Checks that each room's events follow on each other. Where one does not, the stream is opened anew behind the last one
 * that did. If the gap stays, it is the log's own, and the tabs are told.
 *
 * A tab can be behind us or ahead of us, and ids do not say which. So a tab that can't go on from what passes asks, and
 * asks again: first we make sure that our own connection is not what is behind, then we go to where the tab is. All tabs
 * hear of that and check their own position, which is safe: they recognise by its id what they have already.
 */
const MOST_MOVES = 2; // of a room to and fro between tabs, with nothing said there

export class EventChain {
  #rooms;
  #send;
  #reopen;
  #suspected = new Set();
  #moves = new Map();

  /** `rooms`: the FollowedRooms. `send(message)`: to the tabs. `reopen()`: opens the stream from the rooms' cursors. */
  constructor({ rooms, send, reopen }) {
    this.#rooms = rooms;
    this.#send = send;
    this.#reopen = reopen;
  }

  /** Takes a stored event of the stream. */
  receive(kind, event) {
    const { id, prev, room_id: roomId } = event;
    if (!this.#rooms.has(roomId) || this.#rooms.hasPassed(roomId, id)) {
      return;
    }
    const cursor = this.#rooms.cursor(roomId);
    const follows = prev === cursor || !cursor;
    if (!follows && !this.#suspected.has(roomId)) {
      this.#suspected.add(roomId);
      this.#reopen();
      return;
    }
    this.#suspected.delete(roomId);
    this.#moves.delete(roomId);
    if (!follows) {
      this.#rooms.forgetRecent(roomId);
      this.#send({ type: "gap", roomId, cursor });
    }
    this.#rooms.advance(kind, event);
    this.#send({ type: "event", kind, event });
  }

  /** The server can't say what followed the room's cursor: it goes on from another one. */
  reset(roomId, cursor) {
    const asked = this.#rooms.cursor(roomId);
    this.#rooms.restart(roomId, cursor);
    this.#send({ type: "reset", roomId, asked, cursor });
  }

  /** Sends a tab what follows its tip. Returns false where that is not known here. */
  bring(tab, roomId, tip) {
    if (!this.#rooms.has(roomId)) {
      return true;
    }
    const events = this.#rooms.eventsAfter(roomId, tip);
    if (events) {
      this.#send({ type: "events", to: tab, roomId, events, cursor: this.#rooms.cursor(roomId) });
    }
    return Boolean(events);
  }

  /** Goes to where a tab is. Tabs that call us to and fro are told that nobody knows what is between them. */
  move(tab, roomId, tip) {
    const moves = (this.#moves.get(roomId) ?? 0) + 1;
    this.#moves.set(roomId, moves);
    if (moves > MOST_MOVES) {
      this.#send({ type: "gap", to: tab, roomId, cursor: tip });
      return;
    }
    this.#rooms.restart(roomId, tip);
    this.#reopen();
    this.#send({ type: "moved", roomId, cursor: tip });
  }
}
