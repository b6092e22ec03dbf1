/**
 * A tab's part of the one stream that all tabs of a browser share.
 *
 * One tab leads (leader_lock.js) and runs the stream (stream_leader.js); the others hear it on a BroadcastChannel
 * (tab_inbox.js). A leader that is closed or crashes is followed by another at once, since the browser passes its lock
 * on. One that is frozen or stuck keeps its lock: a tab that somebody looks at and that gets no answer takes the lock away
 * (leader_watch.js), and the old leader follows when it wakes. Where a browser has no locks (plain http on a LAN) or
 * something fails, each tab leads itself alone.
 *
 * Tabs say: hello (here I am: a new tab, or there is a new leader) · ask (I can't go on from here) · bye · ping ·
 * refresh · reread (the list of rooms, or a row of it) · stop (the server won't have us) · left (a room).
 * The leader says: lead · welcome · pong · event · events (to one tab) · reset · gap · moved · closed · rooms · rows ·
 * state · anew (there is another connection) · forgotten (to a tab whose room is followed no more).
 */
import { clientId } from "../support/random.js";
import { Gathering } from "./gathering.js";
import { LeaderLock } from "./leader_lock.js";
import { LeaderWatch } from "./leader_watch.js";
import { LivingTabs } from "./living_tabs.js";
import { StreamLeader } from "./stream_leader.js";
import { TabInbox } from "./tab_inbox.js";

export class SharedStream {
  #tab = clientId();
  #user;
  #readRooms;
  #inbox;
  #watch;
  #channel = null;
  #lock = null;
  #living = null;
  #leader = null;
  #lead = null;
  #gathering = null;
  #rereads = new Set();

  /**
   * `position()`: where this tab is, as `{ roomId, tip, seen, tips }`: the room that it shows (or null), the last event it
   * has of it, ids it saw before that, and `[room, last event]` for all rooms it knows of.
   * `readRooms(ids)`: async, the rows of the list of rooms, or of some.
   * `on.event(kind, event)`, `on.reset(asked, cursor)`, `on.gap(cursor)`, `on.moved(cursor)`, `on.rooms(rows)`,
   * `on.rows(rows)` (of some rooms), `on.anew()` (ephemeral events may have been missed), `on.state(state, since)`.
   */
  constructor({ userId, position, readRooms, on }) {
    this.#user = userId;
    this.#readRooms = readRooms;
    this.#inbox = new TabInbox({
      tab: this.#tab,
      position,
      on: {
        ...on,
        rooms: (rows) => {
          this.#rereads.clear();
          on.rooms(rows);
        },
        rows: (rows) => {
          rows.forEach(({ id }) => this.#rereads.delete(id));
          on.rows(rows);
        },
        forgotten: () => this.hello(),
        ended: () => this.#leave(),
      },
    });
    this.#watch = new LeaderWatch({
      isFollowing: () => !this.#isLeader,
      on: {
        ping: () => this.#ping(),
        stuck: () => this.#lock?.steal(),
        hopeless: () => this.#leadAlone(),
      },
    });
    window.addEventListener("pagehide", () => this.#leave());
    window.addEventListener("pageshow", (event) => event.persisted && this.open());
    document.addEventListener("visibilitychange", () => this.#ping());
  }

  /** Returns true if events come, as far as anybody knows. */
  get isLive() {
    return this.#inbox.state === "live";
  }

  /** Returns true if this tab does what only one tab shall do. */
  get isLeading() {
    return this.#lead !== null;
  }

  open() {
    if (this.#inbox.isOver) {
      return;
    }
    if (!navigator.locks || !window.BroadcastChannel) {
      this.#leadAlone();
      return;
    }
    try {
      const name = `harbour:${this.#user}`;
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = ({ data }) => this.#receive(data);
      this.#lock = new LeaderLock(name, {
        gained: () => this.#gained(),
        lost: () => this.#follow(),
        broken: () => this.#leadAlone(),
      });
      this.#living = new LivingTabs(name);
      this.#living.enter(this.#tab);
      this.hello();
      this.#lock.stand();
      this.#watch.start();
    } catch {
      this.#leadAlone();
    }
  }

  /** Tells the leader where we are: we are new, or somewhere else than its events brought us. */
  hello() {
    this.#send(this.#myHello());
    this.#expectAnswer();
  }

  /** We can't go on from our tip. `turn`: how often we have said so. */
  ask(turn) {
    const { roomId, tip } = this.#inbox.position;
    this.#send({ type: "ask", roomId, tip, turn });
    this.#ping();
  }

  /** Something happened that may have cost us the connection. */
  refresh() {
    this.#send({ type: "refresh" });
    this.#ping();
  }

  /** Notes that what is known of this room, or of all if none is given, may be wrong. */
  reread(roomId) {
    this.#rereads.add(roomId); // until it was read: whoever leads may be gone before that
    this.#send({ type: "reread", roomId });
  }

  /** Returns whether an answer with this status is a reason to stop: for all (401, 409: the session), or for our room (404). */
  stopFor(status) {
    if (status === 401 || status === 409) {
      this.#send({ type: "stop", status });
      this.#inbox.setState(status === 401 ? "signed-out" : "somebody-else");
    } else if (status === 404) {
      this.#send({ type: "left", roomId: this.#inbox.position.roomId });
      this.#inbox.endRoom();
    }
    return this.#inbox.isRoomOver;
  }

  // Leading

  /** Returns true if this tab leads, or is about to. */
  get #isLeader() {
    return Boolean(this.#lead ?? this.#gathering);
  }

  /** The lock is ours. */
  async #gained() {
    this.#leader = { id: this.#tab, since: Math.max(Date.now(), (this.#leader?.since ?? 0) + 1) };
    const gathering = new Gathering(this.#myHello());
    this.#gathering = gathering;
    this.#broadcast({ type: "lead" });
    await gathering.waitFor(await this.#lock.followers().catch(() => 0));
    if (this.#gathering === gathering) {
      this.#gathering = null;
      this.#begin(gathering.hellos);
      gathering.handOver(this.#lead);
    }
  }

  #begin(hellos) {
    this.#watch.answered();
    this.#lead = new StreamLeader({
      userId: this.#user,
      send: (message) => {
        this.#broadcast(message);
        this.#inbox.receive(message);
      },
      readRooms: this.#readRooms,
      living: async () => (await this.#living?.all()) ?? new Set([this.#tab]),
    });
    this.#lead.begin(hellos);
    this.#rereads.forEach((roomId) => this.#lead.receive({ type: "reread", tab: this.#tab, roomId }));
  }

  /** No other tab is asked or told. */
  #leadAlone() {
    this.#leave();
    if (!this.#inbox.isOver) {
      this.#begin([this.#myHello()]);
    }
  }

  /** Another tab took the lock from us, as it does if we don't answer. */
  #follow() {
    this.#stopLeading();
    this.#lock.stand();
    this.hello();
  }

  #stopLeading() {
    this.#gathering = null;
    this.#lead?.end();
    this.#lead = null;
  }

  #leave() {
    this.#send({ type: "bye" });
    this.#watch.stop();
    this.#stopLeading();
    this.#lock?.resign();
    this.#lock = null;
    this.#living?.leave();
    this.#living = null;
    this.#channel?.close();
    this.#channel = null;
    this.#leader = null;
  }

  // Following

  #myHello() {
    return { type: "hello", tab: this.#tab, ...this.#inbox.position };
  }

  #ping() {
    if (!document.hidden && this.#channel) {
      this.#send({ type: "ping", roomId: this.#inbox.position.roomId });
      this.#expectAnswer();
    }
  }

  #expectAnswer() {
    if (!this.#isLeader && this.#channel) {
      this.#watch.expectAnswer();
    }
  }

  // Messages

  /** From us to the leader. */
  #send(message) {
    const signed = { ...message, tab: this.#tab };
    const leader = this.#lead ?? this.#gathering;
    if (leader) {
      leader.receive(signed);
    } else {
      this.#channel?.postMessage(signed);
    }
  }

  /** From the leader that we are to all others. */
  #broadcast(message) {
    this.#channel?.postMessage({ ...message, from: this.#leader });
  }

  #receive(message) {
    if (!message.from) {
      (this.#gathering ?? this.#lead)?.receive(message);
    } else if (this.#isLedBy(message.from)) {
      this.#watch.heard();
      this.#inbox.receive(message);
    }
  }

  /** Returns true if this leader is to be believed: the latest one. An earlier one may not know yet that it was deposed. */
  #isLedBy({ id, since }) {
    const isKnown = id === this.#leader?.id && since === this.#leader?.since;
    if (!isKnown && since < (this.#leader?.since ?? 0)) {
      return false;
    }
    if (!isKnown) {
      this.#leader = { id, since };
      if (this.#isLeader) {
        this.#follow();
      } else {
        this.hello();
      }
      this.#rereads.forEach((roomId) => this.#send({ type: "reread", roomId }));
    }
    return true;
  }
}
