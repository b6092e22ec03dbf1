/**
 * Sends the messages of one room, in order, one at a time, from one tab at a time: the sender holds a Web Lock, but not
 * while it waits for the next attempt. Where the browser has no locks, each tab sends for itself.
 */
import { Backoff } from "../support/backoff.js";
import { Pause } from "../support/pause.js";

const LONGEST_WAIT = 3_600_000; // ms; bounds what the server asks for, and the effect of a clock that was set back
const LOCK_LOST_WAIT = 1_000; // ms before a tab that lost its lock goes on
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
   * `name`: of the lock. `next()`: async, the entry to send now; undefined if there is none. `attempt(entry)`: async,
   * the error after which it is to be tried again. `delayed(until)`: the next attempt is made then, in ms of the clock.
   */
  constructor({ name, next, attempt, delayed }) {
    this.#name = name;
    this.#next = next;
    this.#attempt = attempt;
    this.#delayed = delayed;
  }

  /** Sends the entries, if no other call is doing so. */
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

  /** As `send`, without the pause after a failed attempt, unless the server asked for it. */
  hurry() {
    this.#backoff.reset();
    this.#notBefore = 0;
    this.#pause.end();
    this.send();
  }

  /** Waits until then: another tab has tried, and was asked to wait. */
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

  /** Sends until an attempt fails. Returns the wait before the rest, in ms; 0 if there is no rest. */
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
          reportError(error); // a fault of ours; an AbortError means that another tab took the lock, believing that we are stuck
        }
        return LOCK_LOST_WAIT;
      }
      return patience.signal.aborted ? this.#steal(begin) : begin();
    }
  }

  async #steal(work) {
    try {
      return await navigator.locks.request(this.#name, { steal: true }, work);
    } catch {
      return LOCK_LOST_WAIT;
    }
  }
}
