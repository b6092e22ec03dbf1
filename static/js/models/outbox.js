/**
 * What was written and is not yet known to have arrived. Entries go out in the order of writing, one at a time.
 *
 * Each keeps the client id it was given when it was written, however often it is sent and over however many reloads:
 * the server answers a repeat with the first message, so sending once too often is always safe, and two tabs that send
 * the same entry do no harm.
 *
 * An entry leaves when the server has acknowledged it, when the stream shows it (the answer may have been lost on its
 * way), or when its writer discards it. Nothing else removes one. What the server refuses waits for its writer and
 * lets the others pass; what could not be sent is tried again until it can.
 */
import { clientId } from "../helpers/client_id.js";
import { Backoff } from "./backoff.js";
import { Pause } from "./pause.js";

const LATE_AFTER = 20_000; // ms until an unsent entry is shown as such

export class Outbox {
  #userId;
  #store;
  #post;
  #on;
  #entries = [];
  #backoff = new Backoff();
  #pause = new Pause();
  #isSending = false;
  #loaded;

  /**
   * `store`: see outbox_store.js. `post`: async, sends an entry and returns the message.
   * `on.added(entry)`, `on.changed(entry)`, `on.sent(entry, message)`, `on.discarded(entry)`.
   */
  constructor({ userId, store, post, on }) {
    this.#userId = userId;
    this.#store = store;
    this.#post = post;
    this.#on = on;
    this.#loaded = this.#load();
  }

  /** `replyTo`: what it answers, as in a message: `{ id, user_name, content }`. */
  add(roomId, content, replyTo = null) {
    const createdAt = new Date().toISOString();
    const entry = { clientId: clientId(), userId: this.#userId, roomId, content, replyTo, createdAt };
    entry.kept = this.#store.add(entry).then((number) => Object.assign(entry, { number }));
    this.#entries.push(entry);
    this.#shown(entry);
    this.#send();
  }

  retry(entry) {
    entry.refusal = null;
    this.#on.changed(entry);
    this.hurry();
  }

  async discard(entry) {
    await this.#remove(entry); // what is gone from the page shall not be there again when it is reloaded
    this.#on.discarded(entry);
  }

  /** A message of ours has been seen; if it was waiting here, it has arrived. */
  settle(message) {
    const entry = message.user_id === this.#userId && this.#entries.find((each) => each.clientId === message.client_id);
    if (entry) {
      this.#arrived(entry, message);
      this.#pause.end();
    }
  }

  /** There may be a connection again: don't wait for the next attempt. */
  hurry() {
    this.#backoff.reset();
    this.#pause.end();
    this.#send();
  }

  /** What an earlier page left behind goes first. */
  async #load() {
    const left = (await this.#store.all()).filter((entry) => entry.userId === this.#userId);
    this.#entries.unshift(...left);
    for (const entry of left) {
      entry.kept = Promise.resolve();
      this.#shown(entry);
    }
    this.#send();
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

  async #send() {
    if (this.#isSending) {
      return;
    }
    this.#isSending = true;
    await this.#loaded;
    for (let entry; (entry = this.#entries.find((each) => !each.refusal)); ) {
      await this.#attempt(entry);
    }
    this.#isSending = false;
  }

  async #attempt(entry) {
    await entry.kept; // so that a crash while it is on its way does not lose it
    try {
      const message = await this.#post(entry);
      this.#backoff.reset();
      this.#arrived(entry, message);
    } catch (error) {
      if (error.isFinal) {
        this.#refused(entry, error);
      } else if (this.#entries.includes(entry)) {
        await this.#pause.for(Math.max(error.retryAfter ?? 0, this.#backoff.next()));
      }
    }
  }

  #arrived(entry, message) {
    this.#remove(entry);
    this.#on.sent(entry, message);
  }

  #refused(entry, { status, message: reason }) {
    entry.refusal = { status, reason };
    this.#on.changed(entry);
    // Whoever is signed out signs in and comes back to a new page, which shall send it without being asked.
    if (status !== 401) {
      this.#store.put(entry);
    }
  }

  #remove(entry) {
    this.#entries = this.#entries.filter((each) => each !== entry);
    return entry.kept.then(() => this.#store.delete(entry));
  }
}
