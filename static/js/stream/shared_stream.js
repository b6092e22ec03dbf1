/**
 * A tab's part of the one stream that all tabs of a browser share.
 *
 * One tab leads (leadership.js) and runs the stream (leader.js); the others hear it on a BroadcastChannel. A leader that
 * is closed or crashes is followed by another at once, since the browser passes its lock on. One that is frozen or stuck
 * keeps its lock: who looks at a tab and gets no answer takes it away, and the old leader follows when it wakes.
 * Where a browser has no locks (plain http on a LAN) or something fails, each tab leads itself alone.
 *
 * Tabs say: hello (here I am: a new tab, or there is a new leader) · ask (I can't go on from here) · bye · ping ·
 * refresh · reread (the list of rooms, or a row of it) · stop (the server won't have us) · left (a room).
 * The leader says: lead · welcome · pong · event · events (to one tab) · reset · gap · moved · closed · rooms · rows ·
 * state · anew (there is another connection) · forgotten (to a tab whose room is followed no more).
 */
import { clientId } from "../support/random.js";
import { Gathering } from "./gathering.js";
import { Leadership } from "./leader_lock.js";
import { LivingTabs } from "./living_tabs.js";
import { Leader } from "./stream_leader.js";

const ANSWER_TAKES = 1_200; // ms, at most, for a leader that is well
const PING_EVERY = 1_000; // ms without a sign of it, while somebody looks
const MOST_STEALS = 3; // in a row, after which we don't believe that tabs can hear each other

export class SharedStream {
  #tab = clientId();
  #user;
  #place;
  #readRooms;
  #on;
  #channel = null;
  #leadership = null;
  #living = null;
  #leader = null;
  #lead = null;
  #gathering = null;
  #isOver = false;
  #isRoomOver = false;
  #state = null;
  #steals = 0;
  #heardAt = 0;
  #answer;
  #pings;
  #rereads = new Set();

  /**
   * `place()`: where this tab is, as `{ roomId, tip, seen, tips }`: the room that it shows (or null), the last event it
   * has of it, ids it saw before that, and `[room, last event]` for all rooms it knows of.
   * `readRooms(ids)`: async, the rows of the list of rooms, or of some.
   * `on.event(kind, event)`, `on.reset(asked, cursor)`, `on.gap(cursor)`, `on.moved(cursor)`, `on.rooms(rows)`,
   * `on.rows(rows)` (of some rooms), `on.anew()` (what passes may have been missed), `on.state(state, since)`.
   */
  constructor({ userId, place, readRooms, on }) {
    this.#user = userId;
    this.#place = place;
    this.#readRooms = readRooms;
    this.#on = on;
    window.addEventListener("pagehide", () => this.#leave());
    window.addEventListener("pageshow", (event) => event.persisted && this.open());
    document.addEventListener("visibilitychange", () => this.#ping());
  }

  /** Whether events come, as far as anybody knows. */
  get isLive() {
    return this.#state === "live";
  }

  /** Whether this tab is the one for what only one shall do. */
  get isLeading() {
    return this.#lead !== null;
  }

  open() {
    if (this.#isOver) {
      return;
    }
    if (!navigator.locks || !window.BroadcastChannel) {
      this.#leadAlone();
      return;
    }
    try {
      this.#channel = new BroadcastChannel(`harbour:${this.#user}`);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
      this.#leadership = new Leadership(`harbour:${this.#user}`, {
        gained: () => this.#gained(),
        lost: () => this.#follow(),
        broken: () => this.#leadAlone(),
      });
      this.#living = new LivingTabs(`harbour:${this.#user}`);
      this.#living.enter(this.#tab);
      this.#hello();
      this.#leadership.stand();
      this.#pings = setInterval(() => Date.now() - this.#heardAt >= PING_EVERY && this.#ping(), PING_EVERY);
    } catch {
      this.#leadAlone();
    }
  }

  /** We are somewhere else now than the events brought us. */
  hello() {
    this.#hello();
  }

  /** We can't go on from our tip. `turn`: how often we have said so. */
  ask(turn) {
    const { roomId, tip } = this.#where();
    this.#say({ type: "ask", roomId, tip, turn });
    this.#ping();
  }

  /** Something happened that may have cost us the connection. */
  refresh() {
    this.#say({ type: "refresh" });
    this.#ping();
  }

  /** What is known of this room may be wrong, or without one of any of them. */
  reread(roomId) {
    this.#rereads.add(roomId); // until it was read: whoever leads may be gone before that
    this.#say({ type: "reread", roomId });
  }

  /** Returns whether an answer with this status is a reason to stop: for all (401, 409: the session), or for our room (404). */
  stopFor(status) {
    if (status === 401 || status === 409) {
      this.#say({ type: "stop", status });
      this.#tell(status === 401 ? "signed-out" : "somebody-else");
    } else if (status === 404) {
      this.#say({ type: "left", roomId: this.#place().roomId });
      this.#roomIsOver();
    }
    return this.#isOver || this.#isRoomOver;
  }

  // Leading

  /** The lock is ours. */
  async #gained() {
    this.#leader = { id: this.#tab, since: Math.max(Date.now(), (this.#leader?.since ?? 0) + 1) };
    const gathering = new Gathering(this.#myself());
    this.#gathering = gathering;
    this.#post({ type: "lead" });
    await gathering.of(await this.#leadership.followers().catch(() => 0));
    if (this.#gathering === gathering) {
      this.#gathering = null;
      this.#begin(gathering.hellos);
      gathering.tell(this.#lead);
    }
  }

  #begin(hellos) {
    this.#answered();
    this.#lead = new Leader({
      userId: this.#user,
      say: (message) => {
        this.#post(message);
        this.#take(message);
      },
      readRooms: this.#readRooms,
      living: async () => (await this.#living?.all()) ?? new Set([this.#tab]),
    });
    this.#lead.begin(hellos);
    this.#rereads.forEach((roomId) => this.#lead.hear({ type: "reread", tab: this.#tab, roomId }));
  }

  /** No other tab is asked or told. */
  #leadAlone() {
    this.#leave();
    if (!this.#isOver) {
      this.#begin([this.#myself()]);
    }
  }

  /** Somebody took the lock from us, as they do from who does not answer. */
  #follow() {
    this.#stopLeading();
    this.#leadership.stand();
    this.#hello();
  }

  #stopLeading() {
    this.#gathering = null;
    this.#lead?.end();
    this.#lead = null;
  }

  #leave() {
    this.#say({ type: "bye" });
    this.#answered();
    clearInterval(this.#pings);
    this.#stopLeading();
    this.#leadership?.resign();
    this.#leadership = null;
    this.#living?.leave();
    this.#living = null;
    this.#channel?.close();
    this.#channel = null;
    this.#leader = null;
  }

  // Following

  #hello() {
    this.#say(this.#myself());
    this.#expectAnswer();
  }

  #myself() {
    return { type: "hello", tab: this.#tab, ...this.#where() };
  }

  /** Our place. A tab whose room was closed still follows the others. */
  #where() {
    const place = this.#place();
    return this.#isRoomOver ? { ...place, roomId: null, tips: place.tips.filter(([id]) => id !== place.roomId) } : place;
  }

  #ping() {
    if (!document.hidden && this.#channel) {
      this.#say({ type: "ping", roomId: this.#where().roomId });
      this.#expectAnswer();
    }
  }

  #expectAnswer() {
    if (!this.#lead && !this.#gathering && this.#channel) {
      this.#answer ??= setTimeout(() => this.#unanswered(), ANSWER_TAKES * (1 + Math.random() / 4));
    }
  }

  #answered() {
    clearTimeout(this.#answer);
    this.#answer = null;
  }

  /** Who is in the background lets others take over, which are in front and have no timers that come late. */
  #unanswered() {
    this.#answer = null;
    if (!document.hidden && !this.#lead && !this.#gathering) {
      this.#steals += 1;
      if (this.#steals > MOST_STEALS) {
        this.#leadAlone();
      } else {
        this.#leadership?.steal();
      }
    }
  }

  // Messages

  /** From us to the leader. */
  #say(message) {
    const signed = { ...message, tab: this.#tab };
    if (this.#lead) {
      this.#lead.hear(signed);
    } else if (this.#gathering) {
      this.#gathering.hear(signed);
    } else {
      this.#channel?.postMessage(signed);
    }
  }

  /** From the leader that we are to all others. */
  #post(message) {
    this.#channel?.postMessage({ ...message, from: this.#leader });
  }

  #hear(message) {
    if (!message.from) {
      (this.#gathering ?? this.#lead)?.hear(message);
    } else if (this.#leads(message.from)) {
      this.#answered();
      this.#heardAt = Date.now();
      this.#steals = 0;
      this.#take(message);
    }
  }

  /** Whether this one is to be believed. The latest leader is: an earlier one may not know yet that it was deposed. */
  #leads({ id, since }) {
    const isKnown = id === this.#leader?.id && since === this.#leader?.since;
    if (!isKnown && since < (this.#leader?.since ?? 0)) {
      return false;
    }
    if (!isKnown) {
      this.#leader = { id, since };
      if (this.#lead || this.#gathering) {
        this.#follow();
      } else {
        this.#hello();
      }
      this.#rereads.forEach((roomId) => this.#say({ type: "reread", roomId }));
    }
    return true;
  }

  #take(message) {
    const { type, to, roomId, cursor } = message;
    if (to && to !== this.#tab) {
      return;
    }
    const isOurs = roomId === this.#where().roomId;
    try {
      if (type === "event") {
        this.#on.event(message.kind, message.event);
      } else if (type === "events") {
        message.events.forEach(([kind, event]) => this.#on.event(kind, event));
        if (isOurs) {
          this.#on.moved(cursor);
        }
      } else if (type === "rooms") {
        this.#rereads.clear();
        this.#on.rooms(message.rows);
      } else if (type === "anew") {
        this.#on.anew();
      } else if (type === "rows") {
        message.rows.forEach(({ id }) => this.#rereads.delete(id));
        this.#on.rows(message.rows);
      } else if (type === "forgotten") {
        this.#hello();
      } else if (type === "state") {
        this.#tell(message.state, message.since);
      } else if (type === "welcome") {
        this.#tell(message.state, message.since);
        this.#on.moved(cursor);
      } else if (type === "closed" && isOurs) {
        this.#roomIsOver();
      } else if (isOurs) {
        this.#on[type]?.(...(type === "reset" ? [message.asked, cursor] : [cursor]));
      }
    } catch (error) {
      reportError(error); // what goes wrong on this page is no reason to stop the others
    }
  }

  #tell(state, since) {
    if (this.#isOver || !state) {
      return;
    }
    this.#state = state;
    const isEnded = state === "signed-out" || state === "somebody-else";
    if (!this.#isRoomOver || isEnded) {
      this.#on.state(state, since);
    }
    if (state === "over" || isEnded) {
      this.#isOver = true;
      queueMicrotask(() => this.#leave());
    }
  }

  #roomIsOver() {
    if (!this.#isRoomOver && !this.#isOver) {
      this.#isRoomOver = true;
      this.#on.state("over");
    }
  }
}
