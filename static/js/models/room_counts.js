/**
 * What is unread in each of the rooms, kept by the stream.
 *
 * The list of rooms says how much is unread up to its `last_id`. What follows on that is counted here; what does not
 * follow, or takes something back, makes us unsure, and the list is read again. So no id is ever compared, and a count
 * that went wrong does not stay wrong.
 */
const REMEMBERED = 100; // events of a room, in case the list comes later than they

export class RoomCounts {
  #userId;
  #isRead;
  #on;
  #rows = new Map();

  /**
   * `rows`: as of GET /rooms. `isRead(roomId)`: whether somebody is looking at the end of that room here.
   * `on.changed()`; `on.unsure()`: the list should be read again.
   */
  constructor({ userId, rows, isRead, on }) {
    this.#userId = userId;
    this.#isRead = isRead;
    this.#on = on;
    rows.forEach((row) => this.#rows.set(row.id, known(row)));
  }

  /** `{ id, name, unread, mentions }` of each room, in the order of the list. */
  get rows() {
    return [...this.#rows.values()];
  }

  /** The last event that was counted, of each room: `[[roomId, id]]`, the newest room first. */
  get tips() {
    return this.rows.sort((a, b) => b.id - a.id).map(({ id, tip }) => [id, tip]);
  }

  get unread() {
    return this.rows.reduce((sum, { unread }) => sum + unread, 0);
  }

  get mentions() {
    return this.rows.reduce((sum, { mentions }) => sum + mentions, 0);
  }

  of(roomId) {
    return this.#rows.get(roomId);
  }

  receive(kind, event) {
    const row = this.#rows.get(event.room_id);
    if (!row) {
      return;
    }
    if (kind === "read") {
      this.#read(row, event);
    } else if (event.prev !== undefined && event.id !== row.tip && !row.recent.some(({ id }) => id === event.id)) {
      this.#count(row, kind, event);
    }
  }

  /** The list, as it was just read. */
  replace(rows) {
    const before = this.#rows;
    this.#rows = new Map(rows.map((row) => [row.id, known(row)]));
    for (const row of this.#rows.values()) {
      const recent = before.get(row.id)?.recent ?? [];
      const index = recent.findIndex(({ id }) => id === row.tip);
      if (index >= 0) {
        row.recent = recent;
        recent.slice(index + 1).forEach((effect) => add(row, effect));
        row.tip = recent.at(-1).id;
      }
      if (this.#isRead(row.id)) {
        row.unread = row.mentions = 0;
      }
    }
    this.#on.changed();
  }

  /** Somebody has read all of a room here. */
  clear(roomId) {
    const row = this.#rows.get(roomId);
    if (row) {
      this.#set(row, 0, 0);
    }
  }

  /** What passes is in no order with the log: messages that came meanwhile may be in its counts, or not. */
  #read(row, { id, unread, mentions }) {
    const index = row.recent.findIndex((effect) => effect.id === id);
    if (index >= 0) {
      const behind = { unread: 0, mentions: 0 };
      row.recent.slice(index + 1).forEach((effect) => add(behind, effect));
      this.#set(row, behind.unread, behind.mentions);
    } else {
      this.#set(row, unread, mentions);
      row.readTo = id;
    }
    if (unread !== row.unread || unread > 0) {
      this.#on.unsure();
    }
  }

  #count(row, kind, event) {
    const effect = this.#effect(kind, event);
    row.recent.push(effect);
    if (row.recent.length > REMEMBERED) {
      row.recent.shift();
    }
    const follows = event.prev === row.tip || !row.tip;
    const takesBack = (kind === "deleted" || kind === "edited") && row.unread > 0;
    if (!follows || takesBack) {
      this.#on.unsure();
    }
    if (!follows) {
      return;
    }
    row.tip = event.id;
    if (event.id === row.readTo) {
      this.#set(row, 0, 0);
    } else if (effect.unread && !this.#isRead(row.id)) {
      add(row, effect);
      this.#on.changed();
    }
  }

  #effect(kind, { id, user_id: userId, mentions = [] }) {
    const isNews = kind === "message" && userId !== this.#userId;
    return { id, unread: Number(isNews), mentions: Number(isNews && mentions.includes(this.#userId)) };
  }

  #set(row, unread, mentions) {
    if (row.unread !== unread || row.mentions !== mentions) {
      Object.assign(row, { unread, mentions });
      this.#on.changed();
    }
  }
}

function known({ id, name, unread = 0, mentions = 0, last_id: tip }) {
  return { id, name, unread, mentions, tip, readTo: null, recent: [] };
}

function add(row, { unread, mentions }) {
  row.unread += unread;
  row.mentions += mentions;
}
