/**
 * A search that follows what is typed: a moment after the last key, always only the latest, page by page.
 *
 * `on.state` is told: idle · searching · found (all results so far, whether there are more) · failed (the error).
 */
const PAUSE = 200; // ms after the last key
const PAGE = 20;

export class MessageSearch {
  #find;
  #on;
  #wanted = { q: "" };
  #results = [];
  #hasMore = false;
  #timer;
  #request = null;

  /** `find(parameters, signal)`: async, `{ results, has_more }`. */
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
    this.#hasMore = false;
    if (!q) {
      this.#on.state("idle");
      return;
    }
    this.#on.state("searching");
    this.#timer = setTimeout(() => this.#read(), PAUSE);
  }

  /** Once more what failed. */
  again() {
    this.#stop();
    if (this.#wanted.q) {
      this.#on.state("searching");
      this.#read();
    }
  }

  more() {
    if (this.#hasMore && !this.#request) {
      this.#read(this.#results.at(-1).message.id);
    }
  }

  async #read(before) {
    const request = new AbortController();
    this.#request = request;
    const { q, room } = this.#wanted;
    const parameters = { q, limit: PAGE, ...(room && { room }), ...(before && { before }) };
    try {
      const page = await this.#find(parameters, request.signal);
      if (request === this.#request) {
        this.#results.push(...page.results);
        this.#hasMore = page.has_more;
        this.#request = null;
        this.#on.state("found", this.#results, this.#hasMore);
      }
    } catch (error) {
      if (request === this.#request) {
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
