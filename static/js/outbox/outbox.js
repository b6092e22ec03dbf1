/**
 * Messages that were written and not yet acknowledged. Those of one room are sent in the order of writing, one at a
 * time; rooms do not wait for each other (room_outbox.js).
 *
 * Each entry keeps the client id from when it was written, however often it is sent and over however many reloads: the
 * server answers a repeat with the first message, so sending once too often is always safe.
 *
 * All tabs of a browser share the entries (outbox_store.js). A tab sends what another one left, since that may have
 * crashed; it reads the store right before, so no tab sends what was discarded in another.
 *
 * An entry leaves when the server has acknowledged it, when the stream brings it (the answer may have been lost), or
 * when its writer discards it. Nothing else removes one. A refused entry waits for its writer and lets the others pass;
 * one that could not be sent is tried again until it can. If the server does not accept us as the writer of these
 * messages, nothing is sent until `hurry` is called.
 */
import { clientId } from "../support/random.js";
import { RoomOutbox } from "./room_outbox.js";

const LATE_AFTER = 20_000; // ms until an unsent entry is shown as such
const OTHER_TABS_TAKE = 1_000; // ms in which the tab of its writer sends an entry, if all is well
const LEFT_IDS_KEPT = 200; // client ids of entries that left
const NOT_OURS = 401; // signed out, or signed in as somebody else (see ApiError)

export class Outbox {
  #userId;
  #store;
  #post;
  #on;
  #channel;
  #entries = [];
  #left = new Set();
  #rooms = new Map();
  #stop = null;
  #looking = null;
  #loaded;

  /**
   * `store`: see outbox_store.js. `post`: async, sends an entry and returns the message. `channel`: of all tabs, as a
   * BroadcastChannel; null where there is none.
   * `on.added(entry)`, `on.changed(entry)`, `on.sent(entry, message)`, `on.discarded(entry)`.
   */
  constructor({ userId, store, post, on, channel = channelOf(userId) }) {
    this.#userId = userId;
    this.#store = store;
    this.#post = post;
    this.#on = on;
    this.#channel = channel;
    channel?.addEventListener("message", ({ data }) => this.#receive(data));
    this.#loaded = this.look().then(() => this.#sendAll());
  }

  /** `room`: `{ id, name }`. `replyTo`: what it answers, as in a message: `{ id, user_name, content }`. */
  add(room, content, replyTo = null) {
    const createdAt = new Date().toISOString();
    const written = { roomId: room.id, roomName: room.name, content, replyTo, createdAt };
    const entry = { clientId: clientId(), userId: this.#userId, ...written };
    entry.kept = this.#store.add(entry).then((number) => Object.assign(entry, { number, isKept: true }));
    entry.kept.then(() => this.#broadcast({ type: "changed" }));
    this.#entries.push(entry);
    this.#shown(entry);
    this.#room(room.id).send();
  }

  async retry(entry) {
    this.#goOn();
    await this.#change(entry, { refusal: null });
    this.hurry();
  }

  async discard(entry) {
    this.#forget(entry);
    await entry.kept;
    await this.#store.delete(entry); // else it would be there again after a reload
    this.#broadcast({ type: "discarded", clientId: entry.clientId });
    this.#on.discarded(entry);
  }

  /** The stream brought this message: its entry, if there is one, has arrived. */
  settle(message) {
    const entry = message.user_id === this.#userId && this.#find(message.client_id);
    if (entry) {
      this.#arrived(entry, message);
      this.#room(entry.roomId).hurry();
    }
  }

  /** There may be a connection again: skips the wait for the next attempt, unless the server asked for it. */
  async hurry() {
    await this.#loaded;
    await this.look();
    this.#sendAll((room) => room.hurry());
  }

  /** Reads the store, which other tabs may have changed. If that fails, our own entries stay as they are. */
  async look() {
    const before = this.#entries.filter((entry) => entry.isKept);
    const changes = new Map(this.#entries.map((entry) => [entry, entry.changes]));
    const kept = await this.#store.all();
    if (!kept) {
      return;
    }
    const ours = kept.filter(({ userId, clientId: id }) => userId === this.#userId && !this.#left.has(id));
    const there = new Set(ours.map((entry) => entry.clientId));
    for (const entry of before.filter((each) => !there.has(each.clientId) && this.#entries.includes(each))) {
      this.#forget(entry);
      this.#on.discarded(entry); // or sent: then the stream brings it
    }
    const known = new Map(this.#entries.map((entry) => [entry.clientId, entry]));
    const inOrder = ours.map((entry) => known.get(entry.clientId) ?? entry);
    this.#entries = [...inOrder, ...this.#entries.filter((entry) => !there.has(entry.clientId))];
    for (const entry of ours) {
      const ourOwn = known.get(entry.clientId);
      if (ourOwn) {
        if (changes.get(ourOwn) === ourOwn.changes) {
          this.#update(ourOwn, entry); // else what was read is older than what we changed meanwhile
        }
      } else {
        Object.assign(entry, { kept: Promise.resolve(), isKept: true, refusal: entry.refusal ?? this.#stop });
        this.#shown(entry);
      }
    }
  }

  #update(entry, { number, refusal, notBefore }) {
    const wasRefused = Boolean(entry.refusal);
    Object.assign(entry, { number, notBefore, refusal: refusal ?? this.#stop });
    if (wasRefused !== Boolean(entry.refusal)) {
      this.#on.changed(entry);
    }
  }

  #sendAll(send = (room) => room.send()) {
    new Set(this.#entries.map((entry) => entry.roomId)).forEach((roomId) => send(this.#room(roomId)));
  }

  #room(roomId) {
    if (!this.#rooms.has(roomId)) {
      const room = new RoomOutbox({
        name: `harbour:outbox:${this.#userId}:${roomId}`,
        next: () => this.#next(roomId),
        attempt: (entry) => this.#attempt(entry),
        delayed: (until) => this.#broadcast({ type: "delayed", roomId, until }),
      });
      this.#rooms.set(roomId, room);
    }
    return this.#rooms.get(roomId);
  }

  /** The first entry of a room that may be sent, according to the store. */
  async #next(roomId) {
    await this.#loaded;
    const isNext = (entry) => entry.roomId === roomId && !entry.refusal;
    await this.#entries.find(isNext)?.kept; // so that a crash on the way does not lose it
    await this.look();
    return this.#entries.find(isNext);
  }

  /** Sends an entry. Returns the error after which to try again later; null if the entry is done with. */
  async #attempt(entry) {
    try {
      const message = await this.#post(entry);
      this.#arrived(entry, message);
      this.#goOn();
      return null;
    } catch (error) {
      if (!this.#entries.includes(entry)) {
        return null; // it was seen on the stream, or discarded
      }
      if (error.status === NOT_OURS) {
        this.#stopFor(error);
      } else if (error.isFinal) {
        await this.#change(entry, { refusal: refusalOf(error) });
      } else {
        const notBefore = error.retryAfter && Date.now() + error.retryAfter;
        await this.#change(entry, { notBefore, isHeldBack: error.status === 429 });
        return error;
      }
      return null;
    }
  }

  /** Changes an entry in the store before it shows: the page may be closed right then. */
  async #change(entry, changes) {
    const count = () => (entry.changes = (entry.changes ?? 0) + 1);
    count(); // whoever is reading the store now reads what was there before
    Object.assign(entry, changes);
    await this.#store.put(entry);
    count();
    if (this.#entries.includes(entry)) {
      this.#on.changed(entry);
    }
    this.#broadcast({ type: "changed" });
  }

  /**
   * Nothing of this user can be sent from here. That is not stored: after signing in the user gets a new page, which sends
   * the entries by itself.
   */
  #stopFor(error) {
    this.#stop = refusalOf(error);
    for (const entry of this.#entries.filter(({ refusal }) => !refusal)) {
      entry.refusal = this.#stop;
      this.#on.changed(entry);
    }
  }

  /** Sends again: the server accepts us as this user again, or somebody asked for an attempt. */
  #goOn() {
    const stop = this.#stop;
    this.#stop = null;
    for (const entry of stop ? this.#entries.filter(({ refusal }) => refusal === stop) : []) {
      entry.refusal = null;
      this.#on.changed(entry);
      this.#room(entry.roomId).send();
    }
  }

  #shown(entry) {
    this.#on.added(entry);
    setTimeout(() => {
      if (this.#entries.includes(entry)) {
        entry.isLate = true;
        this.#on.changed(entry);
      }
    }, LATE_AFTER);
  }

  async #arrived(entry, message) {
    this.#forget(entry);
    this.#on.sent(entry, message);
    await entry.kept;
    this.#broadcast({ type: "sent", clientId: entry.clientId, message }); // before other tabs notice that it left the store
    await this.#store.delete(entry);
  }

  #forget(entry) {
    this.#entries = this.#entries.filter((each) => each !== entry);
    this.#left.add(entry.clientId);
    if (this.#left.size > LEFT_IDS_KEPT) {
      this.#left.delete(this.#left.values().next().value);
    }
  }

  #find(id) {
    return this.#entries.find((entry) => entry.clientId === id);
  }

  // Other tabs

  #broadcast(message) {
    this.#channel?.postMessage(message);
  }

  #receive({ type, clientId: id, message, roomId, until }) {
    const entry = this.#find(id);
    if (type === "changed") {
      if (!this.#looking) {
        this.#looking = setTimeout(() => this.#lookAgain(), OTHER_TABS_TAKE);
      }
    } else if (type === "delayed") {
      this.#rooms.get(roomId)?.delay(until);
    } else if (type === "sent" && entry) {
      this.#forget(entry);
      this.#on.sent(entry, message);
    } else if (type === "discarded" && entry) {
      this.#forget(entry);
      this.#on.discarded(entry);
    }
  }

  async #lookAgain() {
    this.#looking = null;
    await this.look();
    this.#sendAll();
  }
}

function refusalOf({ status, message: reason }) {
  return { status, reason };
}

function channelOf(userId) {
  try {
    return new BroadcastChannel(`harbour:outbox:${userId}`);
  } catch {
    return null;
  }
}
