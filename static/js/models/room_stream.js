/**
 * The open stream of a room: a connection that comes back, and a word for how it is doing.
 *
 * It is read by `fetch` and not by an EventSource, which hides three things that a page needs to never go deaf:
 * - heartbeats. The server sends at least one every 22 s; when two are missing, the connection is dead, whatever the
 *   network believes, and is opened anew.
 * - the status. 401, 404 and 204 are reasons to stop; after any other answer we come back, which EventSource would not.
 * - how it ended. A clean end says when to come back (`retry:`); after any other we back off with full jitter.
 *
 * Resuming is exact, so opening it once too often costs nothing but a request: whoever has reason to doubt the
 * connection calls `refresh`. The cursor moves only past what was taken: `on.event` answers false for what it can't use.
 *
 * `on.state` is told: connecting · live · lost (with the moment) · over · signed-out.
 */
import { EventParser } from "../helpers/event_parser.js";
import { Backoff } from "./backoff.js";

const LOST_AFTER = 4_000; // ms without a stream before it is called lost: a planned reconnect takes 1 to 3 s
const OPENING_TAKES = 10_000; // ms, at most: a packet that vanishes makes no error
const SILENCE = 45_000; // ms: two heartbeats
const RETRY = 2_000; // ms after a clean end, unless the server asked for something else

export class RoomStream {
  #roomId;
  #cursor;
  #on;
  #connection = null;
  #backoff = new Backoff();
  #brokenSince = null;
  #state = "connecting";
  #paused = false;
  #wasDone = false;
  #over = false;
  #lostTimer;
  #retryTimer;
  #watchdog;

  constructor({ roomId, cursor, on }) {
    this.#roomId = roomId;
    this.#cursor = cursor;
    this.#on = on;
  }

  /** Opens the stream after the cursor; anew, if it was open. */
  open(cursor = this.#cursor) {
    if (this.#over) {
      return;
    }
    this.#drop();
    this.#cursor = cursor;
    this.#paused = false;
    this.#missing();
    this.#connection = new AbortController();
    this.#follow(this.#connection);
  }

  /** Closes the stream until `open`, which says from where to go on. */
  pause() {
    this.#drop();
    this.#paused = true;
    this.#missing();
  }

  /** Something happened that may have cost us the connection. */
  refresh() {
    if (!this.#paused) {
      this.#backoff.reset();
      this.open();
    }
  }

  /** The end, for a reason that trying again won't change. Returns whether this status is such a reason. */
  stopFor(status) {
    const reason = { 204: "over", 404: "over", 401: "signed-out" }[status];
    if (reason) {
      this.#over = true;
      this.#drop();
      clearTimeout(this.#lostTimer);
      this.#tell(reason);
    }
    return this.#over;
  }

  /** One connection, from its opening to its end, and what comes after it. */
  async #follow(connection) {
    this.#expectWithin(OPENING_TAKES);
    const wait = await this.#read(connection).catch(() => this.#backoff.next());
    if (connection !== this.#connection) {
      return; // dropped on purpose, and somebody else takes care of what follows
    }
    this.#drop();
    this.#missing();
    if (this.#state === "live") {
      this.#tell("connecting");
    }
    this.#retryTimer = setTimeout(() => this.open(), wait);
  }

  /** Returns after how long to come back, in ms. Throws where the connection did not end as the server wished. */
  async #read(connection) {
    const address = `/chat/stream?room=${this.#roomId}&after=${encodeURIComponent(this.#cursor)}`;
    const response = await fetch(address, { signal: connection.signal, cache: "no-store" });
    if (connection !== this.#connection || this.stopFor(response.status)) {
      return 0;
    }
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      const seconds = Number(response.headers.get("Retry-After"));
      return Math.max(seconds * 1_000 || 0, this.#backoff.next());
    }
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done || connection !== this.#connection) {
        return parser.retry ?? RETRY;
      }
      this.#heard();
      for (const event of parser.push(value)) {
        this.#receive(event);
        if (connection !== this.#connection) {
          return 0;
        }
      }
    }
  }

  #receive({ type, data, id }) {
    if (type === "reset") {
      this.#on.reset();
    } else if (data === "[DONE]") {
      this.#askWhy();
    } else if (this.#on.event(type, JSON.parse(data))) {
      this.#cursor = id || this.#cursor;
    }
  }

  /** It is over: the room is gone (204), or the right to read it (401). Who hears it twice need not ask a third time. */
  #askWhy() {
    if (this.#wasDone) {
      this.stopFor(204);
    } else {
      this.#wasDone = true;
      this.open();
    }
  }

  #heard() {
    this.#expectWithin(SILENCE);
    clearTimeout(this.#lostTimer);
    this.#backoff.reset();
    this.#brokenSince = null;
    this.#tell("live");
  }

  #expectWithin(patience) {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#connection.abort(), patience);
  }

  #missing() {
    if (!this.#brokenSince) {
      const since = new Date();
      this.#brokenSince = since;
      this.#lostTimer = setTimeout(() => this.#tell("lost", since), LOST_AFTER);
    }
  }

  #tell(state, since) {
    if (this.#state !== state) {
      this.#state = state;
      this.#on.state(state, since);
    }
  }

  #drop() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#watchdog);
    const connection = this.#connection;
    this.#connection = null;
    connection?.abort();
  }
}
