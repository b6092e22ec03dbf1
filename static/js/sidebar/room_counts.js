/**
 * The unread counts of all rooms, kept up to date by the stream.
 *
 * The list of rooms has the counts up to its `last_id`. We add the events after that, and subtract deletions of
 * messages that we counted. Where that is impossible (an event does not follow; something older was deleted, or no
 * longer mentions us) the room's row is read again. So ids are never compared, and a wrong count does not stay wrong.
 */
const EVENTS_KEPT = 100; // events of a room, for a list that is older than they are

export class RoomCounts {
  #userId;
  #isRead;
  #on;
  #rows = new Map();

  /**
   * `rows`: as of GET /rooms. `isRead(roomId)`: whether the user looks at the end of that room here.
   * `on.changed()`; `on.unsure(roomId)`: the row of that room should be read again.
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

  /** The last event that was counted in each room: `[[roomId, id]]`, the newest room first. */
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
    if (kind === "rooms") {
      this.#listChanged(event);
      return;
    }
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

  /** Takes the list as just read. */
  replace(rows) {
    const before = this.#rows;
    this.#rows = new Map(rows.map((row) => [row.id, this.#caughtUp(known(row), before.get(row.id))]));
    this.#on.changed();
  }

  /** Takes rows of some rooms as just read. Rooms that are not in the list are ignored. */
  update(rows) {
    for (const row of rows.filter(({ id }) => this.#rows.has(id))) {
      this.#rows.set(row.id, this.#caughtUp(known(row), this.#rows.get(row.id)));
    }
    this.#on.changed();
  }

  /** Returns a row that was just read, with the events that came meanwhile. */
  #caughtUp(row, before) {
    const recent = before?.recent ?? [];
    const index = recent.findIndex(({ id }) => id === row.tip);
    if (index >= 0) {
      row.recent = recent;
      recent.slice(0, index + 1).forEach((effect) => (effect.isUnread &&= null)); // it may have been read elsewhere
      recent.slice(index + 1).forEach((effect) => add(row, effect));
      row.tip = recent.at(-1).id;
    }
    if (this.#isRead(row.id)) {
      row.unread = row.mentions = 0;
      row.recent.forEach((effect) => (effect.isUnread = false));
    }
    return row;
  }

  /** A room was made, behind another one in the list, or closed. After other changes the whole list is read. */
  #listChanged({ made, after, closed }) {
    if (made && !this.#rows.has(made.id)) {
      const rows = [...this.#rows];
      const index = after === 0 ? 0 : rows.findIndex(([id]) => id === after) + 1 || rows.length;
      rows.splice(index, 0, [made.id, known({ ...made, last_id: "0-0" })]);
      this.#rows = new Map(rows);
      this.#on.changed();
    } else if (closed && this.#rows.delete(closed)) {
      this.#on.changed();
    }
  }

  /** The user has read all of a room here. */
  clear(roomId) {
    const row = this.#rows.get(roomId);
    if (row) {
      row.recent.forEach((effect) => (effect.isUnread = false));
      this.#set(row, 0, 0);
    }
  }

  /** Takes counts from another tab or device. They may or may not include messages that came meanwhile. */
  #read(row, { id, unread, mentions }) {
    const index = row.recent.findIndex((effect) => effect.id === id);
    if (index >= 0) {
      const behind = { unread: 0, mentions: 0 };
      row.recent.slice(0, index + 1).forEach((effect) => (effect.isUnread = false));
      row.recent.slice(index + 1).forEach((effect) => effect.isUnread !== false && add(behind, effect));
      this.#set(row, behind.unread, behind.mentions);
    } else {
      row.recent.forEach((effect) => (effect.isUnread &&= null));
      this.#set(row, unread, mentions);
      row.readTo = id;
    }
    if (unread !== row.unread || unread > 0) {
      this.#on.unsure(row.id);
    }
  }

  #count(row, kind, event) {
    const effect = kind === "deleted" ? takenBack(row, event) : this.#effect(kind, event);
    const isUnsure = effect === null || this.#changesMentions(row, kind, event);
    row.recent.push(effect ?? nothing(event));
    if (row.recent.length > EVENTS_KEPT) {
      row.recent.shift();
    }
    const follows = event.prev === row.tip || !row.tip;
    if (!follows || isUnsure) {
      this.#on.unsure(row.id);
    }
    if (!follows) {
      return;
    }
    row.tip = event.id;
    if (event.id === row.readTo) {
      this.clear(row.id);
    } else if (effect?.unread && !this.#isRead(row.id)) {
      add(row, effect);
      this.#on.changed();
    } else if (effect) {
      effect.isUnread = false;
    }
  }

  /** Returns true if an edit may change how many unread messages mention us. */
  #changesMentions(row, kind, { user_id: userId, mentions = [] }) {
    const isByOthers = kind === "edited" && userId !== this.#userId;
    return isByOthers && row.unread > 0 && (row.mentions > 0 || mentions.includes(this.#userId));
  }

  /** Returns what an event adds to the counts; `isUnread`: whether the counts still contain it, null if unknown. */
  #effect(kind, { id, user_id: userId, mentions = [] }) {
    const isNews = kind === "message" && userId !== this.#userId;
    return { id, unread: Number(isNews), mentions: Number(isNews && mentions.includes(this.#userId)), isUnread: isNews };
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

function nothing({ id }) {
  return { id, unread: 0, mentions: 0, isUnread: false };
}

/** Returns what a deletion subtracts from the counts; null if unknown. The log has one deletion per message. */
function takenBack(row, event) {
  const deleted = row.recent.find(({ id }) => id === event.message_id);
  if (row.unread === 0 || deleted?.isUnread === false) {
    return nothing(event);
  }
  if (!deleted || deleted.isUnread === null) {
    return null;
  }
  deleted.isUnread = false;
  return { ...nothing(event), unread: -deleted.unread, mentions: -deleted.mentions };
}

function add(row, { unread, mentions }) {
  row.unread += unread;
  row.mentions += mentions;
}
