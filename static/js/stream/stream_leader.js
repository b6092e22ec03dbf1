/**
 * The one stream of a browser's tabs: what the leading tab runs for all of them.
 *
 * Follows the rooms that any tab shows and the others of the sidebar (followed_rooms.js, list_follower.js), says which of
 * them are shown (shown_rooms.js), hands on what comes, checks that nothing is missing in between (event_chain.js), and
 * answers tabs that are a little behind from what came lately.
 *
 * It speaks in messages (`send`) and receives them (`receive`), see shared_stream.js.
 */
import { EventChain } from "./event_chain.js";
import { FollowedRooms } from "./followed_rooms.js";
import { ListFollower } from "./list_follower.js";
import { RoomStreams } from "./room_streams.js";
import { ShownRooms } from "./shown_rooms.js";

const FRESH_TIME = 1_500; // ms during which a stream that was opened is not suspected

export class StreamLeader {
  #send;
  #shown;
  #rooms;
  #list;
  #chain;
  #stream;
  #state = {};
  #openedAt = 0;
  #refreshed = { at: 0, by: null };
  #doubt = null;

  /** `userId`: whose tabs these are. `send(message)`: to all tabs, ours among them. `readRooms(ids)`: async, the rows of
   * the list of rooms, or of some. `living`: async, a Set of the tabs that live. */
  constructor({ userId, send, readRooms, living }) {
    const sendOn = (message) => this.#send(message);
    const open = () => this.#open();
    this.#send = send;
    this.#shown = new ShownRooms({ living, onUnreported: open });
    const shown = () => this.#shown.rooms;
    this.#rooms = new FollowedRooms(shown);
    this.#chain = new EventChain({ rooms: this.#rooms, send: sendOn, reopen: open });
    this.#list = new ListFollower({
      rooms: this.#rooms,
      shown,
      read: readRooms,
      send: sendOn,
      open,
      failed: ({ status }) => this.#stream.stopFor(status === 401 ? 401 : 0),
    });
    this.#stream = new RoomStreams({
      userId,
      here: () => this.#shown.report(),
      listed: () => this.#list.digest,
      on: {
        event: (kind, event) => this.#receive(kind, event),
        reset: (roomId, cursor) => {
          this.#chain.reset(roomId, cursor);
          this.#list.reread(roomId);
        },
        closed: (roomId) => this.#list.closed(roomId),
        refused: () => this.#list.refused(),
        anew: () => sendOn({ type: "anew" }),
        state: (state, since) => {
          this.#state = { state, since };
          sendOn({ type: "state", ...this.#state });
        },
      },
    });
  }

  /** Begins where the tabs are. `hellos`: what they said, ours first. */
  begin(hellos) {
    for (const { tab, roomId } of hellos) {
      this.#shown.show(tab, roomId);
    }
    for (const roomId of [...this.#shown.rooms].slice(-this.#rooms.capacity)) {
      this.#rooms.restart(roomId, furthestBehind(hellos.filter((hello) => hello.roomId === roomId)));
    }
    for (const [roomId, tip] of hellos.flatMap(({ tips }) => tips)) {
      this.#rooms.add(roomId, tip);
    }
    hellos.forEach(({ tab, roomId }) => this.#welcome(tab, roomId));
    this.#list.begin(hellos[0].tips.map(([id]) => id));
    this.#open();
  }

  /** Closes the stream, and says nothing any more. */
  end() {
    this.#stream.close();
    this.#shown.end();
    this.#list.end();
    clearTimeout(this.#doubt);
    this.#send = () => {};
  }

  /** Takes a message of a tab. */
  receive(message) {
    const { type, tab, roomId } = message;
    if (type === "hello") {
      this.#hello(message);
    } else if (type === "ask") {
      this.#ask(message);
    } else if (type === "bye") {
      this.#shown.hide(tab);
    } else if (type === "ping") {
      this.#ping(tab, roomId);
    } else if (type === "refresh") {
      this.#refresh(tab);
    } else if (type === "reread") {
      this.#list.reread(roomId);
    } else if (type === "stop") {
      this.#stream.stopFor(message.status);
    } else if (type === "left") {
      this.#rooms.drop(roomId);
      this.#shown.show(tab, null);
    }
  }

  #hello({ tab, roomId, tips }) {
    this.#shown.show(tab, roomId);
    let isMore = false;
    for (const [id, tip] of tips) {
      if (this.#rooms.add(id, tip)) {
        isMore = true;
      } else if (!this.#chain.bring(tab, id, tip) && id !== roomId) {
        this.#list.reread(id); // its sidebar is at another place than ours
      }
    }
    this.#welcome(tab, roomId);
    if (isMore) {
      this.#open();
    }
  }

  #welcome(tab, roomId) {
    this.#send({ type: "welcome", to: tab, cursor: this.#rooms.cursor(roomId), ...this.#state });
  }

  #ping(tab, roomId) {
    this.#stream.check();
    this.#shown.check();
    this.#send({ type: "pong", to: tab });
    if (roomId && !this.#rooms.has(roomId)) {
      this.#send({ type: "forgotten", to: tab });
    }
  }

  /** `turn`: how often it has asked from this tip. */
  #ask({ tab, roomId, tip, turn }) {
    if (this.#rooms.add(roomId, tip)) {
      this.#open();
    } else if (this.#chain.bring(tab, roomId, tip)) {
      return;
    } else if (turn === 1 && Date.now() - this.#openedAt > FRESH_TIME) {
      this.#open();
    } else if (turn > 1) {
      this.#chain.move(tab, roomId, tip);
    }
  }

  /** A reason to doubt the connection reaches all tabs at once, so one counts. The same tab's next one is another. */
  #refresh(tab) {
    const ago = Date.now() - this.#refreshed.at;
    if (ago < 0 || ago > FRESH_TIME) {
      this.#refreshed = { at: Date.now(), by: tab };
      this.#stream.refresh();
    } else if (tab === this.#refreshed.by) {
      this.#doubt ??= setTimeout(() => {
        this.#doubt = null;
        this.#refresh(tab);
      }, FRESH_TIME - ago + 1);
    }
    this.#list.hurry();
  }

  #open() {
    this.#list.followMade();
    this.#rooms.shrink();
    this.#openedAt = Date.now();
    this.#stream.open(this.#rooms.cursors);
  }

  #receive(kind, event) {
    const isStored = event.id !== undefined && event.prev !== undefined;
    if (isStored) {
      this.#chain.receive(kind, event);
      return;
    }
    this.#send({ type: "event", kind, event });
    if (kind === "rooms") {
      this.#list.changed(event);
    }
  }
}

/** The position of the tab that has seen the least of a room: all others have seen that event. */
function furthestBehind(hellos) {
  const isBehindAll = ({ tip }) => hellos.every((other) => other.tip === tip || other.seen.includes(tip));
  return (hellos.find(isBehindAll) ?? hellos[0]).tip;
}
