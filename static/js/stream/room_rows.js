/**
 * Reads the list of rooms, or rows of it, for all tabs: soon, once for all requests that come meanwhile, and at a
 * random moment, so that browsers do not all ask at once. `digest` describes to a new connection the list that we know,
 * in case a change was missed.
 *
 * `read(ids)`: async, the rows of these rooms; without ids, the list. `on.list(rows)`, `on.rows(rows)`;
 * `on.failed(error)` returns whether to give up.
 */
import { Backoff } from "../support/backoff.js";
import { Pause } from "../support/pause.js";
import { between } from "../support/random.js";

const LIST_WITHIN = [300, 1_500]; // ms
const ROWS_WITHIN = [500, 5_000]; // ms; a deleted message makes everybody who has it unread ask for the same row
const MOST_ROWS = 50; // of one request, as the server has it

export class RoomRows {
  #read;
  #on;
  #known = new Set();
  #wanted = new Set();
  #list = null;
  #rows = null;
  #backoff = new Backoff();
  #pause = new Pause();
  #isOver = false;

  constructor({ read, on }) {
    this.#read = read;
    this.#on = on;
  }

  /** Returns the number of listed rooms, and the sum of their ids. */
  get digest() {
    return `${this.#known.size}.${[...this.#known].reduce((sum, id) => sum + id, 0)}`;
  }

  /** `ids`: of all rooms in the list. */
  know(ids) {
    this.#known = new Set(ids);
  }

  /** A room was made (its id), or closed (its id). */
  change({ made, closed }) {
    if (made) {
      this.#known.add(made);
    }
    this.#known.delete(closed);
  }

  /** Reads the list soon. `within`: ms over which to spread, if everybody asks for the same reason. */
  wantList(within = 0) {
    if (!this.#isOver && !this.#list) {
      const [least, most] = LIST_WITHIN;
      this.#list = setTimeout(() => this.#readList(), between(least, Math.max(most, within)));
    }
  }

  wantRow(roomId) {
    if (this.#isOver || this.#list) {
      return;
    }
    this.#wanted.add(roomId);
    if (this.#wanted.size > MOST_ROWS) {
      this.#wanted.clear();
      this.wantList();
    } else {
      this.#rows ??= setTimeout(() => this.#readRows(), between(...ROWS_WITHIN));
    }
  }

  /** There is a connection again: don't wait for the next attempt. */
  hurry() {
    this.#pause.end();
  }

  end() {
    this.#isOver = true;
    clearTimeout(this.#list);
    clearTimeout(this.#rows);
    this.#pause.end();
  }

  async #readList() {
    const backoff = new Backoff();
    while (!this.#isOver) {
      this.#list = null; // a request from now on may be about a change that this reading does not show
      try {
        const rows = await this.#read();
        this.know(rows.map(({ id }) => id));
        this.#on.list(rows);
        return;
      } catch (error) {
        if (this.#list || this.#on.failed(error)) {
          return;
        }
        await this.#pause.for(Math.max(error.retryAfter ?? 0, backoff.next()));
      }
    }
  }

  async #readRows() {
    this.#rows = null;
    const ids = [...this.#wanted];
    this.#wanted.clear();
    if (ids.length === 0) {
      return; // the list was read meanwhile
    }
    try {
      this.#on.rows(await this.#read(ids));
      this.#backoff.reset();
    } catch (error) {
      if (!this.#on.failed(error) && !this.#isOver) {
        ids.forEach((id) => this.#wanted.add(id));
        this.#rows ??= setTimeout(() => this.#readRows(), Math.max(error.retryAfter ?? 0, this.#backoff.next()));
      }
    }
  }
}
