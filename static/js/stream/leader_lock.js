/**
 * The lock that makes one of a browser's tabs the leader: a Web Lock. The browser passes it on when its holder is
 * closed or crashes. A holder that does not answer any more can be robbed of it (`steal`).
 *
 * `on.gained()`, `on.lost()`; `on.broken()`: the browser has no locks to give.
 */
export class LeaderLock {
  #name;
  #on;
  #turn = 0;
  #queued = null;
  #release = () => {};

  constructor(name, on) {
    this.#name = name;
    this.#on = on;
  }

  /** Waits for the lock, however long. */
  stand() {
    this.resign();
    this.#queued = new AbortController();
    this.#request({ signal: this.#queued.signal });
  }

  /** Takes the lock now. */
  steal() {
    this.resign();
    this.#request({ steal: true });
  }

  /** Gives the lock back, or waits for it no longer. */
  resign() {
    this.#turn += 1;
    this.#queued?.abort();
    this.#queued = null;
    this.#release();
    this.#release = () => {};
  }

  /** Returns the number of others that wait for the lock. */
  async followers() {
    const { pending = [] } = await navigator.locks.query();
    return pending.filter(({ name }) => name === this.#name).length;
  }

  async #request(options) {
    const turn = this.#turn;
    let wasGained = false;
    try {
      await navigator.locks.request(this.#name, options, () => {
        if (turn !== this.#turn) {
          return undefined;
        }
        wasGained = true;
        const held = new Promise((resolve) => (this.#release = resolve));
        this.#on.gained();
        return held;
      });
    } catch {
      if (turn === this.#turn) {
        this.#turn += 1;
        if (wasGained) {
          this.#on.lost();
        } else {
          this.#on.broken();
        }
      }
    }
  }
}
