/**
 * What was written and is not yet known to have arrived. What is for one room goes out in the order of writing, one at a
 * time; what one room makes wait is no concern of the others (room_outbox.js).
 *
 * Each entry keeps the client id it was given when it was written, however often it is sent and over however many
 * reloads: the server answers a repeat with the first message, so sending once too often is always safe.
 *
 * All tabs of a browser have the same entries (outbox_store.js). A tab sends what another one left, since that may have
 * crashed; it looks at the store in between, so what was discarded in one tab is sent by none.
 *
 * An entry leaves when the server has acknowledged it, when the stream shows it (the answer may have been lost on its
 * way), or when its writer discards it. Nothing else removes one. What the server refuses waits for its writer and
 * lets the others pass; what could not be sent is tried again until it can. Where the server does not take us for the
 * user whose words these are, nothing is sent at all until somebody wants it.
 */
import { clientId } from "../support/random.js";
import { RoomOutbox } from "./room_outbox.js";

const LATE_AFTER = 20_000; // ms until an unsent entry is shown as such
const OTHERS_TAKE = 1_000; // ms in which the tab where it was written sends an entry, if all is well
const REMEMBERED = 200; // client ids of what has left
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
    channel?.addEventListener("message", ({ data }) => this.#hear(data));
    this.#loaded = this.look().then(() => this.#sendAll());
  }

  /** `room`: `{ id, name }`. `replyTo`: what it answers, as in a message: `{ id, user_name, content }`. */
  add(room, content, replyTo = null) {
    const createdAt = new Date().toISOString();
    const written = { roomId: room.id, roomName: room.name, content, replyTo, createdAt };
    const entry = { clientId: clientId(), userId: this.#userId, ...written };
    entry.kept = this.#store.add(entry).then((number) => Object.assign(entry, { number, isKept: true }));
    entry.kept.then(() => this.#tell({ type: "changed" }));
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
    await this.#store.delete(entry); // what is gone from the page shall not be there again when it is reloaded
    this.#tell({ type: "discarded", clientId: entry.clientId });
    this.#on.discarded(entry);
  }

  /** A message of ours has been seen; if it was waiting here, it has arrived. */
  settle(message) {
    const entry = message.user_id === this.#userId && this.#find(message.client_id);
    if (entry) {
      this.#arrived(entry, message);
      this.#room(entry.roomId).hurry();
    }
  }

  /** There may be a connection again: don't wait for the next attempt, but where the server asked for it. */
  async hurry() {
    await this.#loaded;
    await this.look();
    this.#sendAll((room) => room.hurry());
  }

  /** Reads what the store has, which other tabs have changed. Where it can't be read, what we know has to do. */
  async look() {
    const before = this.#entries.filter((entry) => entry.isKept);
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
      if (known.has(entry.clientId)) {
        this.#update(known.get(entry.clientId), entry);
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
        delayed: (until) => this.#tell({ type: "delayed", roomId, until }),
      });
      this.#rooms.set(roomId, room);
    }
    return this.#rooms.get(roomId);
  }

  /** The first entry of a room that may be sent, as the store has it now. */
  async #next(roomId) {
    await this.#loaded;
    const isNext = (entry) => entry.roomId === roomId && !entry.refusal;
    await this.#entries.find(isNext)?.kept; // so that a crash on the way does not lose it
    await this.look();
    return this.#entries.find(isNext);
  }

  /** Returns the error after which the same is to be tried again later; otherwise there is nothing more to do about it. */
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

  /** What is seen is kept: the page may go right then. */
  async #change(entry, changes) {
    Object.assign(entry, changes);
    await this.#store.put(entry);
    if (this.#entries.includes(entry)) {
      this.#on.changed(entry);
    }
    this.#tell({ type: "changed" });
  }

  /**
   * Nothing of this user can be sent from here. That is not kept: who is signed out signs in and comes back to a new page,
   * which shall send it without being asked.
   */
  #stopFor(error) {
    this.#stop = refusalOf(error);
    for (const entry of this.#entries.filter(({ refusal }) => !refusal)) {
      entry.refusal = this.#stop;
      this.#on.changed(entry);
    }
  }

  /** The server takes us for this user again, or somebody wants to know. */
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
    this.#tell({ type: "sent", clientId: entry.clientId, message }); // before they see that it is gone
    await this.#store.delete(entry);
  }

  #forget(entry) {
    this.#entries = this.#entries.filter((each) => each !== entry);
    this.#left.add(entry.clientId);
    if (this.#left.size > REMEMBERED) {
      this.#left.delete(this.#left.values().next().value);
    }
  }

  #find(id) {
    return this.#entries.find((entry) => entry.clientId === id);
  }

  // Other tabs

  #tell(message) {
    this.#channel?.postMessage(message);
  }

  #hear({ type, clientId: id, message, roomId, until }) {
    const entry = this.#find(id);
    if (type === "changed") {
      if (!this.#looking) {
        this.#looking = setTimeout(() => this.#lookAgain(), OTHERS_TAKE);
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
