/**
 * The one stream of a browser's tabs: what the leading tab runs for all of them.
 *
 * It follows the rooms that any tab shows and the others of the sidebar, says which of them are shown (shown_rooms.js),
 * hands on what comes, and answers tabs that are a little behind from what came lately. Each room's events are checked
 * to follow on each other: where one does not, the stream is opened anew behind the last one that did. If the gap stays,
 * it is the log's own, and tabs are told.
 *
 * Where a tab is can be behind us or ahead of us, and ids do not say which. So a tab that can't go on from what passes
 * asks, and asks again: first we make sure that our own connection is not what is behind, then we go to where the tab is.
 * All tabs hear of that and check their own place, which is safe: what they have already they know by its id.
 *
 * It speaks in messages (`say`) and hears them (`hear`), see shared_stream.js.
 */
import { RecentEvents } from "./recent_events.js";
import { RoomRows } from "./room_rows.js";
import { ROOMS_OF_ONE, RoomStreams } from "./room_streams.js";
import { ShownRooms } from "./shown_rooms.js";

const MOST_STREAMS = 3; // at once: over HTTP/1.1 a browser has six connections for everything
const RELIST = 60_000; // ms between two readings of a list that is longer than what one stream can follow
const FRESH = 1_500; // ms during which a stream that was opened is not suspected
const MOST_MOVES = 2; // of a room to and fro between tabs, with nothing said there

export class Leader {
  #say;
  #stream;
  #cursors = new Map();
  #shown;
  #recent = new RecentEvents();
  #suspected = new Set();
  #state = {};
  #openedAt = 0;
  #refreshed = { at: 0, by: null };
  #doubt = null;
  #moves = new Map();
  #rows;
  #coming = new Map();
  #following = null;
  #relisting;
  #isRefused = false;

  /** `userId`: whose tabs these are. `say(message)`: to all tabs, ours among them. `readRooms(ids)`: async, the rows of
   * the list of rooms, or of some. `living`: async, a Set of the tabs that live. */
  constructor({ userId, say, readRooms, living }) {
    this.#say = say;
    this.#shown = new ShownRooms({ living, onUnsaid: () => this.#open() });
    this.#rows = new RoomRows({
      read: readRooms,
      on: {
        list: (rows) => this.#list(rows),
        rows: (rows) => this.#say({ type: "rows", rows }),
        failed: ({ status }) => this.#stream.stopFor(status === 401 ? 401 : 0),
      },
    });
    this.#stream = new RoomStreams({
      userId,
      here: () => this.#shown.say(),
      listed: () => this.#rows.digest,
      on: {
        event: (kind, event) => this.#receive(kind, event),
        reset: (roomId, cursor) => this.#reset(roomId, cursor),
        closed: (roomId) => this.#closed(roomId),
        refused: () => this.#refused(),
        anew: () => this.#say({ type: "anew" }),
        state: (state, since) => this.#tell(state, since),
      },
    });
  }

  get rooms() {
    return [...this.#cursors.keys()];
  }

  /** Begins where the tabs are. `hellos`: what they said, ours first. */
  begin(hellos) {
    for (const { tab, roomId } of hellos) {
      this.#shown.show(tab, roomId);
    }
    for (const roomId of [...this.#shown.rooms].slice(-this.#capacity)) {
      this.#cursors.set(roomId, furthestBehind(hellos.filter((hello) => hello.roomId === roomId)));
    }
    for (const [roomId, tip] of hellos.flatMap(({ tips }) => tips)) {
      this.#follow(roomId, tip);
    }
    hellos.forEach(({ tab, roomId }) => this.#welcome(tab, roomId));
    this.#rows.know(hellos[0].tips.map(([id]) => id));
    this.#open();
    this.#relist(hellos[0].tips.length);
  }

  /** Closes the stream, and says nothing any more. */
  end() {
    this.#stream.close();
    this.#shown.end();
    this.#rows.end();
    clearTimeout(this.#following);
    clearTimeout(this.#relisting);
    clearTimeout(this.#doubt);
    this.#say = () => {};
  }

  /** Takes a message of a tab. */
  hear(message) {
    const { type, tab, roomId } = message;
    if (type === "hello") {
      this.#hello(message);
    } else if (type === "ask") {
      this.#ask(message);
    } else if (type === "bye") {
      this.#shown.hide(tab);
    } else if (type === "ping") {
      this.#stream.check();
      this.#shown.check();
      this.#say({ type: "pong", to: tab });
      if (roomId && !this.#cursors.has(roomId)) {
        this.#say({ type: "forgotten", to: tab });
      }
    } else if (type === "refresh") {
      this.#refresh(tab);
    } else if (type === "reread") {
      if (roomId) {
        this.#rows.wantRow(roomId);
      } else {
        this.#rows.wantList();
      }
    } else if (type === "stop") {
      this.#stream.stopFor(message.status);
    } else if (type === "left") {
      this.#cursors.delete(roomId);
      this.#shown.show(tab, null);
    }
  }

  // Tabs

  #hello({ tab, roomId, tips }) {
    this.#shown.show(tab, roomId);
    let isMore = false;
    for (const [id, tip] of tips) {
      if (this.#follow(id, tip)) {
        isMore = true;
      } else if (!this.#bring(tab, id, tip) && id !== roomId) {
        this.#rows.wantRow(id); // its sidebar is at another place than ours
      }
    }
    this.#welcome(tab, roomId);
    if (isMore) {
      this.#open();
    }
  }

  /** What makes one tab doubt the connection makes all of them, at once. What the same tab says next is another doubt. */
  #refresh(tab) {
    const ago = Date.now() - this.#refreshed.at;
    if (ago < 0 || ago > FRESH) {
      this.#refreshed = { at: Date.now(), by: tab };
      this.#stream.refresh();
    } else if (tab === this.#refreshed.by) {
      this.#doubt ??= setTimeout(() => {
        this.#doubt = null;
        this.#refresh(tab);
      }, FRESH - ago + 1);
    }
    this.#rows.hurry();
  }

  #welcome(tab, roomId) {
    this.#say({ type: "welcome", to: tab, cursor: this.#cursors.get(roomId), ...this.#state });
  }

  /** `turn`: how often it has asked from this tip. */
  #ask({ tab, roomId, tip, turn }) {
    if (this.#follow(roomId, tip)) {
      this.#open();
    } else if (this.#bring(tab, roomId, tip)) {
      return;
    } else if (turn === 1 && Date.now() - this.#openedAt > FRESH) {
      this.#open();
    } else if (turn > 1) {
      this.#move(tab, roomId, tip);
    }
  }

  /** Goes to where a tab is. Tabs that call us to and fro are told that nobody knows what is between them. */
  #move(tab, roomId, tip) {
    const moves = (this.#moves.get(roomId) ?? 0) + 1;
    this.#moves.set(roomId, moves);
    if (moves > MOST_MOVES) {
      this.#say({ type: "gap", to: tab, roomId, cursor: tip });
      return;
    }
    this.#recent.forget(roomId);
    this.#cursors.set(roomId, tip);
    this.#open();
    this.#say({ type: "moved", roomId, cursor: tip });
  }

  /** Tells a tab what follows its tip. Returns whether that is known here. */
  #bring(tab, roomId, tip) {
    if (!this.#cursors.has(roomId)) {
      return true;
    }
    const isHere = tip === this.#cursors.get(roomId);
    const events = isHere ? [] : this.#recent.after(roomId, tip);
    if (events) {
      this.#say({ type: "events", to: tab, roomId, events, cursor: this.#cursors.get(roomId) });
    }
    return Boolean(events);
  }

  // Rooms

  /** Adds a room to the stream from its next opening on. Returns whether it is new there. */
  #follow(roomId, cursor) {
    const shown = this.#shown.rooms;
    const isFull = this.#cursors.size >= this.#capacity;
    if (this.#cursors.has(roomId) || (isFull && !shown.has(roomId))) {
      return false;
    }
    if (isFull) {
      // Where all are shown it is the one that was come to first. Who looks at it makes it the last (`ping`).
      this.#cursors.delete(this.#lastUnshown() ?? [...shown].find((id) => this.#cursors.has(id)));
    }
    this.#cursors.set(roomId, cursor);
    this.#recent.forget(roomId);
    return true;
  }

  /** How many rooms are followed: all that are shown, and others as far as the connections reach that they need. */
  get #capacity() {
    const needed = Math.ceil(this.#shown.rooms.size / ROOMS_OF_ONE);
    return ROOMS_OF_ONE * Math.min(MOST_STREAMS, Math.max(1, needed));
  }

  #lastUnshown() {
    const shown = this.#shown.rooms;
    return this.rooms.findLast((id) => !shown.has(id));
  }

  #open() {
    this.#followComing();
    for (let last; this.#cursors.size > this.#capacity && (last = this.#lastUnshown()); ) {
      this.#cursors.delete(last);
    }
    this.#openedAt = Date.now();
    this.#stream.open(this.#cursors);
  }

  /** Follows the rooms that were made since the stream was opened, from their beginning. The newest are followed. */
  #followComing() {
    clearTimeout(this.#following);
    this.#following = null;
    for (const [roomId, cursor] of this.#coming) {
      const shown = this.#shown.rooms;
      const oldest = this.rooms.filter((id) => !shown.has(id)).sort((a, b) => a - b)[0];
      if (this.#cursors.size >= this.#capacity && oldest < roomId) {
        this.#cursors.delete(oldest);
      }
      this.#follow(roomId, cursor);
    }
    this.#coming.clear();
  }

  /** The list changed. Every tab knows it by the same word; what is left is to follow what came. */
  #listChanged({ made, within, closed }) {
    this.#rows.change({ made: made?.id, closed });
    this.#coming.delete(closed);
    if (made && !this.#cursors.has(made.id)) {
      this.#coming.set(made.id, "0-0");
      // Everybody heard this at the same moment, so the server says over what time they should come.
      this.#following ??= setTimeout(() => this.#open(), Math.random() * within);
    } else if (!made && !closed) {
      this.#rows.wantList(within);
    }
  }

  /** One of the rooms may be there no more, for us at least. The same is not asked again: the list says which. */
  #refused() {
    this.#isRefused = true;
    this.#rows.wantList();
  }

  #list(rows) {
    this.#say({ type: "rooms", rows });
    const listed = new Set(rows.map(({ id }) => id));
    const gone = this.#isRefused ? this.rooms.filter((id) => !listed.has(id)) : [];
    this.#isRefused = false;
    gone.forEach((roomId) => this.#closed(roomId));
    const newestFirst = rows.map(({ id }) => id).sort((a, b) => b - a);
    const shown = [...this.#shown.rooms].filter((id) => this.#cursors.has(id));
    const wished = new Set([...new Set([...shown, ...newestFirst])].slice(0, this.#capacity));
    this.rooms.filter((id) => !wished.has(id)).forEach((id) => this.#cursors.delete(id));
    const more = rows.filter(({ id, last_id: cursor }) => wished.has(id) && this.#follow(id, cursor));
    if (more.length > 0 || gone.length > 0) {
      this.#open();
    }
    this.#relist(rows.length);
  }

  /** What one stream can't follow is looked at now and then. */
  #relist(rooms) {
    clearTimeout(this.#relisting);
    if (rooms > this.#capacity) {
      this.#relisting = setTimeout(() => this.#rows.wantList(), RELIST);
    }
  }

  // The stream

  #receive(kind, event) {
    const { id, prev, room_id: roomId } = event;
    if (id === undefined || prev === undefined) {
      this.#say({ type: "event", kind, event });
      if (kind === "rooms") {
        this.#listChanged(event);
      }
      return;
    }
    const cursor = this.#cursors.get(roomId);
    if (id === cursor || !this.#cursors.has(roomId) || this.#recent.has(roomId, id)) {
      return;
    }
    const follows = prev === cursor || !cursor;
    if (!follows && !this.#suspected.has(roomId)) {
      this.#suspected.add(roomId);
      this.#open();
      return;
    }
    this.#suspected.delete(roomId);
    this.#moves.delete(roomId);
    if (!follows) {
      this.#recent.forget(roomId);
      this.#say({ type: "gap", roomId, cursor });
    }
    this.#cursors.set(roomId, id);
    this.#recent.add(kind, event);
    this.#say({ type: "event", kind, event });
  }

  #reset(roomId, cursor) {
    const asked = this.#cursors.get(roomId);
    this.#cursors.set(roomId, cursor);
    this.#recent.forget(roomId);
    this.#say({ type: "reset", roomId, asked, cursor });
    this.#rows.wantRow(roomId);
  }

  #closed(roomId) {
    this.#cursors.delete(roomId);
    this.#recent.forget(roomId);
    this.#say({ type: "closed", roomId });
    this.#rows.change({ closed: roomId });
    this.#say({ type: "event", kind: "rooms", event: { closed: roomId } });
  }

  #tell(state, since) {
    this.#state = { state, since };
    this.#say({ type: "state", ...this.#state });
  }
}

/** Where the tab is that has seen the least of a room: all others have seen where it is. */
function furthestBehind(hellos) {
  const isBehindAll = ({ tip }) => hellos.every((other) => other.tip === tip || other.seen.includes(tip));
  return (hellos.find(isBehindAll) ?? hellos[0]).tip;
}
