/** Follows the list of rooms: adds rooms that are made to the stream, drops rooms that are closed, and tells the tabs. */
import { between } from "../support/random.js";
import { RoomRows } from "./room_rows.js";

const RELIST_INTERVAL = 60_000; // ms between two readings of a list that is longer than what one stream can follow

export class ListFollower {
  #rooms;
  #shown;
  #rows;
  #send;
  #open;
  #made = new Map();
  #following = null;
  #relisting;
  #isRefused = false;

  /**
   * `rooms`: the FollowedRooms. `shown()`: a Set of the rooms that tabs show. `read(ids)`: async, the rows of the list of
   * rooms, or of some. `send(message)`: to the tabs. `open()`: opens the stream anew. `failed(error)`: see RoomRows.
   */
  constructor({ rooms, shown, read, send, open, failed }) {
    this.#rooms = rooms;
    this.#shown = shown;
    this.#send = send;
    this.#open = open;
    this.#rows = new RoomRows({
      read,
      on: {
        list: (rows) => this.#listed(rows),
        rows: (rows) => this.#send({ type: "rows", rows }),
        failed,
      },
    });
  }

  /** Returns what this tab knows of the list, for the server to compare. */
  get digest() {
    return this.#rows.digest;
  }

  /** `ids`: of all rooms that a page lists. */
  begin(ids) {
    this.#rows.know(ids);
    this.#relist(ids.length);
  }

  /** Reads the list again, or this row of it. */
  reread(roomId) {
    if (roomId) {
      this.#rows.wantRow(roomId);
    } else {
      this.#rows.wantList();
    }
  }

  /** There is a connection again: don't wait for the next attempt. */
  hurry() {
    this.#rows.hurry();
  }

  /** The list changed, which every tab was told too. What is left to do is to follow a room that was made. */
  changed({ made, within, closed }) {
    this.#rows.change({ made: made?.id, closed });
    this.#made.delete(closed);
    if (made && !this.#rooms.has(made.id)) {
      this.#made.set(made.id, "0-0");
      // Everybody heard this at the same moment, so the server says over what time they should come.
      this.#following ??= setTimeout(() => this.#open(), between(0, within));
    } else if (!made && !closed) {
      this.#rows.wantList(within);
    }
  }

  /** Follows the rooms that were made since the stream was opened, from their beginning. */
  followMade() {
    clearTimeout(this.#following);
    this.#following = null;
    this.#made.forEach((cursor, roomId) => this.#rooms.addNew(roomId, cursor));
    this.#made.clear();
  }

  /** One of the rooms may be gone, for us at least. The same is not asked for again: the list says which. */
  refused() {
    this.#isRefused = true;
    this.#rows.wantList();
  }

  /** A room is over, and goes from the list too. */
  closed(roomId) {
    this.#rooms.drop(roomId);
    this.#send({ type: "closed", roomId });
    this.#rows.change({ closed: roomId });
    this.#send({ type: "event", kind: "rooms", event: { closed: roomId } });
  }

  end() {
    this.#rows.end();
    clearTimeout(this.#following);
    clearTimeout(this.#relisting);
  }

  #listed(rows) {
    this.#send({ type: "rooms", rows });
    const listed = new Set(rows.map(({ id }) => id));
    const gone = this.#isRefused ? this.#rooms.ids.filter((id) => !listed.has(id)) : [];
    this.#isRefused = false;
    gone.forEach((roomId) => this.closed(roomId));
    const newestFirst = rows.map(({ id }) => id).sort((a, b) => b - a);
    const shown = [...this.#shown()].filter((id) => this.#rooms.has(id));
    const wished = new Set([...new Set([...shown, ...newestFirst])].slice(0, this.#rooms.capacity));
    this.#rooms.ids.filter((id) => !wished.has(id)).forEach((id) => this.#rooms.drop(id));
    const more = rows.filter(({ id, last_id: cursor }) => wished.has(id) && this.#rooms.add(id, cursor));
    if (more.length > 0 || gone.length > 0) {
      this.#open();
    }
    this.#relist(rows.length);
  }

  /** A list that is longer than what one stream can follow is read again now and then. */
  #relist(rooms) {
    clearTimeout(this.#relisting);
    if (rooms > this.#rooms.capacity) {
      this.#relisting = setTimeout(() => this.#rows.wantList(), RELIST_INTERVAL);
    }
  }
}
