/**
 * Which rooms the tabs of a browser show, in front or behind other windows, and whether the stream has said so.
 *
 * To say it takes another connection. So a tab that comes is waited for a little, since others may come with it; one that
 * goes is waited for longer, since most come back with their next page; and between two connections that are opened for
 * this alone there is some time.
 */
const MOST_TABS = 200; // that are remembered
const LOOK = 30_000; // ms between two looks for tabs that crashed: they said no good-bye
const COMES = 250; // ms
const GOES = 2_000; // ms
const BETWEEN = 1_000; // ms

export class ShownRooms {
  #tabs = new Map();
  #said = new Set();
  #saidAt = -Infinity;
  #living;
  #onUnsaid;
  #looks;
  #timer = null;
  #dueAt = Infinity;

  /**
   * `living()`: async, a Set of the tabs that live. `onUnsaid()`: the rooms are others than those that were said, and it
   * is time to say them.
   */
  constructor({ living, onUnsaid }) {
    this.#living = living;
    this.#onUnsaid = onUnsaid;
    this.#looks = setInterval(() => this.#look(), LOOK);
  }

  /** A Set of ids. */
  get rooms() {
    const rooms = new Set(this.#tabs.values());
    rooms.delete(null);
    return rooms;
  }

  /** `roomId`: null for a tab that shows none. */
  show(tab, roomId) {
    this.#tabs.delete(tab);
    this.#tabs.set(tab, roomId);
    if (this.#tabs.size > MOST_TABS) {
      this.#tabs.delete(this.#tabs.keys().next().value);
    }
    this.#compare();
  }

  hide(tab) {
    this.#tabs.delete(tab);
    this.#compare();
  }

  /** The rooms, for the stream that says them now. */
  say() {
    this.#wait();
    this.#said = this.rooms;
    this.#saidAt = performance.now();
    return [...this.#said];
  }

  /** Does what is due. In the background a timer may come a minute late. */
  check() {
    if (performance.now() >= this.#dueAt) {
      this.#fire();
    }
  }

  end() {
    this.#wait();
    clearInterval(this.#looks);
  }

  /** Nothing is due. */
  #wait() {
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  #fire() {
    this.#wait();
    this.#onUnsaid();
  }

  async #look() {
    const living = await this.#living().catch(() => null);
    const dead = living ? [...this.#tabs.keys()].filter((tab) => !living.has(tab)) : [];
    dead.forEach((tab) => this.hide(tab));
  }

  #compare() {
    const { rooms } = this;
    const came = [...rooms].some((id) => !this.#said.has(id));
    const went = [...this.#said].some((id) => !rooms.has(id));
    if (!came && !went) {
      this.#wait();
      return;
    }
    const now = performance.now();
    const dueAt = Math.max(now + (came ? COMES : GOES), this.#saidAt + BETWEEN);
    if (dueAt < this.#dueAt) {
      clearTimeout(this.#timer);
      this.#dueAt = dueAt;
      this.#timer = setTimeout(() => this.#fire(), dueAt - now);
    }
  }
}
