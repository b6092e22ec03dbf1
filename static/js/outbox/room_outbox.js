/**
 * Sends what is written for one room, in order, one at a time, from one tab at a time: who sends holds a Web Lock. While it
 * waits for the next attempt it holds none. Where the browser has no locks, each tab sends for itself.
 */
import { Backoff } from "../support/backoff.js";
import { Pause } from "../support/pause.js";

const LONGEST_WAIT = 3_600_000; // ms that a server may ask for, or that a clock which was put back makes of it
const LOST = 1_000; // ms after which a tab goes on that lost its lock
const ATTEMPT_TAKES = 45_000; // ms, at most: a tab that holds the lock for longer is stuck

export class RoomOutbox {
  #name;
  #next;
  #attempt;
  #delayed;
  #backoff = new Backoff();
  #pause = new Pause();
  #notBefore = 0;
  #isSending = false;
  #isWanted = false;

  /**
   * `name`: of the lock. `next()`: async, the entry that is to be sent now; undefined for none. `attempt(entry)`: async,
   * the error after which it is to be tried again. `delayed(until)`: the next attempt is made then, in ms of the clock.
   */
  constructor({ name, next, attempt, delayed }) {
    this.#name = name;
    this.#next = next;
    this.#attempt = attempt;
    this.#delayed = delayed;
  }

  /** There is something to be sent. */
  async send() {
    this.#isWanted = true;
    if (this.#isSending) {
      return;
    }
    this.#isSending = true;
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.#sendAll();
      }
    } finally {
      this.#isSending = false;
    }
  }

  /** As `send`, without the pause after an attempt that failed; with the one that the server asked for. */
  hurry() {
    this.#backoff.reset();
    this.#notBefore = 0;
    this.#pause.end();
    this.send();
  }

  /** Another tab has tried, and waits until then. */
  delay(until) {
    this.#notBefore = Math.max(this.#notBefore, until);
  }

  async #sendAll() {
    for (;;) {
      const wait = this.#waits(this.#notBefore) || (await this.#holding(() => this.#sendSome()));
      if (!wait) {
        return;
      }
      await this.#pause.for(wait);
    }
  }

  /** Returns how long to wait before the rest may be tried, in ms; 0 where there is no rest. */
  async #sendSome() {
    for (let entry; (entry = await this.#next()); ) {
      const wait = Math.max(this.#waits(this.#notBefore), this.#waits(entry.notBefore));
      if (wait) {
        return wait;
      }
      const error = await this.#attempt(entry);
      if (error) {
        const pause = Math.max(error.retryAfter ?? 0, this.#backoff.next());
        this.#notBefore = Date.now() + Math.min(pause, LONGEST_WAIT);
        this.#delayed(this.#notBefore);
        return this.#waits(this.#notBefore);
      }
      this.#backoff.reset();
    }
    return 0;
  }

  #waits(until = 0) {
    const wait = until - Date.now();
    return wait > 0 && wait <= LONGEST_WAIT ? wait : 0;
  }

  async #holding(work) {
    let hasBegun = false;
    const begin = () => {
      clearTimeout(timer);
      hasBegun = true;
      return work();
    };
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), ATTEMPT_TAKES);
    try {
      return await navigator.locks.request(this.#name, { signal: patience.signal }, begin);
    } catch (error) {
      if (hasBegun) {
        if (error.name !== "AbortError") {
          reportError(error); // not another tab that believed that we are stuck, but a fault of ours
        }
        return LOST;
      }
      return patience.signal.aborted ? this.#steal(begin) : begin();
    }
  }

  async #steal(work) {
    try {
      return await navigator.locks.request(this.#name, { steal: true }, work);
    } catch {
      return LOST;
    }
  }
}
