/**
 * Which rooms the tabs of a browser show, in front or behind other windows, and whether the stream has said so.
 *
 * To say it takes another connection. So a tab that comes is waited for a little, since others may come with it; one that
 * goes is waited for longer, since most come back with their next page; and between two connections that are opened for
 * this alone there is some time.
 */
const MOST_TABS = 200; // that are remembered: one that crashed said no good-bye
const COMES = 250; // ms
const GOES = 2_000; // ms
const BETWEEN = 1_000; // ms

export class ShownRooms {
  #tabs = new Map();
  #said = new Set();
  #saidAt = -Infinity;
  #onUnsaid;
  #timer = null;
  #dueAt = Infinity;

  /** `onUnsaid()`: the rooms are others than those that were said, and it is time to say them. */
  constructor(onUnsaid) {
    this.#onUnsaid = onUnsaid;
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
    this.end();
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
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  #fire() {
    this.end();
    this.#onUnsaid();
  }

  #compare() {
    const { rooms } = this;
    const came = [...rooms].some((id) => !this.#said.has(id));
    const went = [...this.#said].some((id) => !rooms.has(id));
    if (!came && !went) {
      this.end();
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
