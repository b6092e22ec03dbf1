/**
 * The people who are in the room: read when the page opens, and again whenever `presence` events may have been missed.
 * Those keep the list up to date in between. They are ephemeral and never replayed: the list holds only as long as the
 * stream does.
 */
import { Backoff } from "../support/backoff.js";

const SIGNALS_KEPT = 1_000; // events that came while the list was being read

export class Presence {
  #roomId;
  #read;
  #on;
  #people = new Map();
  #missed = null;
  #again = false;
  #backoff = new Backoff();
  #timer;

  /** `read()`: async, `[{ id, name }]`. `on.changed(people)`: in the order in which they came. */
  constructor({ roomId, read, on }) {
    this.#roomId = roomId;
    this.#read = read;
    this.#on = on;
  }

  get people() {
    return [...this.#people.values()];
  }

  /** Takes a `presence` event: `{ room_id, user_id, user_name, here }`. Those of other rooms are ignored. */
  receive(event) {
    if (event.room_id !== this.#roomId) {
      return;
    }
    if (this.#missed?.length < SIGNALS_KEPT) {
      this.#missed.push(event);
    }
    const knew = this.#people.has(event.user_id);
    this.#apply(event);
    if (knew !== event.here) {
      this.#on.changed(this.people);
    }
  }

  /** Reads who is here. Events that come meanwhile are newer, and win. */
  async refresh() {
    clearTimeout(this.#timer);
    if (this.#missed) {
      this.#again = true;
      return;
    }
    this.#missed = [];
    try {
      const people = await this.#read();
      this.#people = new Map(people.map((person) => [person.id, person]));
      this.#missed.forEach((event) => this.#apply(event));
      this.#backoff.reset();
      this.#on.changed(this.people);
    } catch (error) {
      if (!error.isFinal) {
        this.#timer = setTimeout(() => this.refresh(), this.#backoff.next());
      }
    } finally {
      this.#missed = null;
    }
    if (this.#again) {
      this.#again = false;
      await this.refresh();
    }
  }

  #apply({ user_id: id, user_name: name, here }) {
    if (!here) {
      this.#people.delete(id);
    } else if (!this.#people.has(id)) {
      this.#people.set(id, { id, name });
    }
  }
}
