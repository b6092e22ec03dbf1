/**
 * A search as you type: a moment after the last key, only for the latest query, page by page.
 *
 * The server looks through a limited number of messages at a time: a page may have few results or none, and there may
 * still be more. While another search of ours runs there, it refuses; then we ask again.
 *
 * `on.state`: idle · searching · found (all results so far, whether there may be more) · failed (the error).
 */
const TYPING_PAUSE = 200; // ms after the last key
const PAGE_SIZE = 20;
const MOST_ATTEMPTS = 3; // requests for one page

export class MessageSearch {
  #find;
  #on;
  #wanted = { q: "" };
  #results = [];
  #next = null;
  #timer;
  #request = null;

  /** `find(parameters, signal)`: async, `{ results, has_more, next }`. */
  constructor({ find, on }) {
    this.#find = find;
    this.#on = on;
  }

  get query() {
    return this.#wanted.q;
  }

  /** `room`: its id, or null for all. */
  search(query, room) {
    const q = query.trim();
    if (q === this.#wanted.q && room === this.#wanted.room && this.#request) {
      return;
    }
    this.#stop();
    this.#wanted = { q, room };
    this.#results = [];
    this.#next = null;
    if (!q) {
      this.#on.state("idle");
      return;
    }
    this.#on.state("searching");
    this.#timer = setTimeout(() => this.#read(), TYPING_PAUSE);
  }

  /** Repeats a search that failed. */
  again() {
    this.#stop();
    if (this.#wanted.q) {
      this.#on.state("searching");
      this.#read();
    }
  }

  more() {
    if (this.#next && !this.#request) {
      this.#read(this.#next);
    }
  }

  async #read(before, turn = 1) {
    const request = new AbortController();
    this.#request = request;
    const { q, room } = this.#wanted;
    const parameters = { q, limit: PAGE_SIZE, ...(room && { room }), ...(before && { before }) };
    try {
      const page = await this.#find(parameters, request.signal);
      if (request === this.#request) {
        this.#results.push(...page.results);
        this.#next = page.has_more ? (page.next ?? page.results.at(-1)?.message.id) : null;
        this.#request = null;
        this.#on.state("found", this.#results, this.#next !== null);
      }
    } catch (error) {
      if (request === this.#request && error.retryAfter && turn < MOST_ATTEMPTS) {
        this.#timer = setTimeout(() => this.#read(before, turn + 1), error.retryAfter);
      } else if (request === this.#request) {
        this.#request = null;
        this.#on.state("failed", error);
      }
    }
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = null;
  }
}
