/**
 * Which rooms the tabs of a browser show, in front or behind other windows, and whether the server knows.
 *
 * Telling the server takes another connection. So after a tab came we wait a little, since others may come with it;
 * after one went we wait longer, since most come back with their next page; and two connections opened for this alone
 * are some time apart.
 */
const MOST_TABS = 200; // that are kept
const SWEEP_INTERVAL = 30_000; // ms between two searches for tabs that crashed: they sent no `bye`
const ARRIVAL_DELAY = 250; // ms
const LEAVE_DELAY = 2_000; // ms
const REPORT_INTERVAL = 1_000; // ms

export class ShownRooms {
  #tabs = new Map();
  #reported = new Set();
  #reportedAt = -Infinity;
  #living;
  #onUnreported;
  #sweepTimer;
  #timer = null;
  #dueAt = Infinity;

  /**
   * `living()`: async, a Set of the tabs that live. `onUnreported()`: the rooms differ from those reported, and it is
   * time to report them.
   */
  constructor({ living, onUnreported }) {
    this.#living = living;
    this.#onUnreported = onUnreported;
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_INTERVAL);
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

  /** Returns the rooms, for the connection that reports them to the server now. */
  report() {
    this.#clearTimer();
    this.#reported = this.rooms;
    this.#reportedAt = performance.now();
    return [...this.#reported];
  }

  /** Does what is due. In a background tab a timer may fire a minute late. */
  check() {
    if (performance.now() >= this.#dueAt) {
      this.#fire();
    }
  }

  end() {
    this.#clearTimer();
    clearInterval(this.#sweepTimer);
  }

  #clearTimer() {
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  #fire() {
    this.#clearTimer();
    this.#onUnreported();
  }

  async #sweep() {
    const living = await this.#living().catch(() => null);
    const dead = living ? [...this.#tabs.keys()].filter((tab) => !living.has(tab)) : [];
    dead.forEach((tab) => this.hide(tab));
  }

  #compare() {
    const { rooms } = this;
    const came = [...rooms].some((id) => !this.#reported.has(id));
    const went = [...this.#reported].some((id) => !rooms.has(id));
    if (!came && !went) {
      this.#clearTimer();
      return;
    }
    const now = performance.now();
    const dueAt = Math.max(now + (came ? ARRIVAL_DELAY : LEAVE_DELAY), this.#reportedAt + REPORT_INTERVAL);
    if (dueAt < this.#dueAt) {
      clearTimeout(this.#timer);
      this.#dueAt = dueAt;
      this.#timer = setTimeout(() => this.#fire(), dueAt - now);
    }
  }
}
