/**
 * The open stream of up to 50 rooms: a connection that is opened again whenever it ends, and its state.
 *
 * It uses `fetch` instead of an EventSource, which hides three things that a page must know so that it never goes deaf:
 * - heartbeats. The server sends one at least every 22 s; when two are missing, the connection is dead, whatever the
 *   network believes, and is opened anew.
 * - the status. 401, 404, 409 and 204 are reasons to stop. Another refusal (4xx) would come again for the same request,
 *   so it is not repeated before there is a reason to (`open`, `refresh`). After any other answer we try again, which
 *   an EventSource would not.
 * - how it ended. A clean end says when to come back (`retry:`); after any other we back off with full jitter.
 *
 * Resuming is exact, so opening once too often costs only a request: callers that doubt the connection call `refresh`.
 * The last `id` stands for the position in all rooms and is sent back unchanged. A caller that could not use an event
 * opens the stream anew, with cursors of its own.
 *
 * `here()`: the rooms that are shown, and `listed()`: a digest of the list of rooms, both asked for with each
 * connection. `on.event(kind, event)`, `on.reset(roomId, cursor)`, `on.closed(roomId)`; `on.anew()`: another connection
 * replaced the last one, and ephemeral events may have been missed; `on.refused()`: not all of these rooms can be
 * followed; `on.state(state, since)`: connecting · live · lost (since a moment) · over · signed-out · somebody-else.
 */
import { Backoff } from "../support/backoff.js";
import { EventParser } from "./event_parser.js";

const LOST_AFTER = 4_000; // ms without a stream before it is called lost: a planned reconnect takes 1 to 3 s
const OPENING_TAKES = 10_000; // ms, at most: a packet that vanishes makes no error
const LONGEST_SILENCE = 45_000; // ms: two heartbeats
const END_WITHIN = 5_000; // ms in which a stream that is over says so
const DEFAULT_RETRY = 2_000; // ms after a clean end, unless the server asked for something else

export class RoomStream {
  #userId;
  #rooms = [];
  #after = "";
  #here;
  #listed;
  #on;
  #connection = null;
  #isNew = false;
  #backoff = new Backoff();
  #brokenSince = null;
  #state = "connecting";
  #isQuestion = false;
  #answeredAt = 0;
  #over = false;
  #lostTimer;
  #retryTimer;
  #retryAt = Infinity;
  #watchdog;
  #deadAt = Infinity;

  /** `userId`: whose stream it is; the server gives it to nobody else. */
  constructor({ userId, here, listed, on }) {
    this.#userId = userId;
    this.#here = here;
    this.#listed = listed;
    this.#on = on;
  }

  get rooms() {
    return this.#rooms;
  }

  /**
   * Opens the stream; anew, if it was open. `cursors`: a Map of room id to the id of the last event that is known of it
   * (empty: from now on). Without: the same rooms, from where they are.
   */
  open(cursors) {
    if (this.#over) {
      return;
    }
    this.#drop();
    this.#isQuestion = false;
    if (cursors) {
      this.#rooms = [...cursors.keys()];
      this.#after = joined(cursors);
    }
    if (this.#rooms.length > 0) {
      this.#noteBroken();
      this.#connection = new AbortController();
      this.#isNew = true;
      this.#follow(this.#connection);
    }
  }

  /** Closes the stream for good; nothing is reported any more. */
  close() {
    this.#over = true;
    this.#drop();
    clearTimeout(this.#lostTimer);
  }

  /** Something happened that may have cost us the connection. */
  refresh() {
    this.#backoff.reset();
    this.open();
  }

  /** Does what is due. In a background tab a timer may fire a minute late; a tab in front calls this. */
  check() {
    const now = Date.now();
    if (now > this.#deadAt) {
      this.#connection?.abort();
    } else if (now > this.#retryAt) {
      this.open();
    }
  }

  /** Ends the stream if this status is final. Returns whether the stream is over. */
  stopFor(status) {
    const reason = { 204: "over", 404: "over", 401: "signed-out", 409: "somebody-else" }[status];
    if (reason && !this.#over) {
      this.close();
      this.#setState(reason);
    }
    return this.#over;
  }

  /** One connection, from its opening to its end, and what comes after it. */
  async #follow(connection) {
    this.#expectWithin(OPENING_TAKES);
    const wait = await this.#read(connection).catch(() => this.#backoff.next());
    if (connection !== this.#connection) {
      return; // closed on purpose; the caller handles what follows
    }
    this.#drop();
    this.#noteBroken();
    if (this.#state === "live") {
      this.#setState("connecting");
    }
    if (wait < Infinity) {
      this.#retryAt = Date.now() + wait;
      this.#retryTimer = setTimeout(() => this.open(), wait);
    }
  }

  /** Reads one connection. Returns the wait before the next one, in ms. Throws if it did not end cleanly. */
  async #read(connection) {
    const response = await fetch(this.#address(), { signal: connection.signal, cache: "no-store" });
    if (connection !== this.#connection) {
      return 0;
    }
    this.#answeredAt = Date.now();
    if (isRefusal(response.status) && (response.status !== 404 || this.#rooms.length > 1)) {
      this.#on.refused(); // of many rooms one may be unknown, and the others are there
      return Infinity;
    }
    if (this.stopFor(response.status)) {
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
        return parser.retry ?? DEFAULT_RETRY;
      }
      this.#dataArrived();
      for (const event of parser.push(value)) {
        this.#receive(event);
        if (connection !== this.#connection) {
          return 0;
        }
        this.#after = event.id || this.#after;
      }
      this.#after = parser.lastId || this.#after;
    }
  }

  #address() {
    const here = this.#here().filter((room) => this.#rooms.includes(room));
    const words = [
      ...this.#rooms.map((room) => `room=${room}`),
      ...(here.length > 0 ? here : [""]).map((room) => `here=${room}`),
      ...(this.#after ? [`after=${encodeURIComponent(this.#after)}`] : []),
      `user=${this.#userId}`,
      `listed=${this.#listed()}`,
    ];
    return `/chat/stream?${words.join("&")}`;
  }

  #receive({ type, data }) {
    if (data === "[DONE]") {
      this.#askWhy();
      return;
    }
    const event = JSON.parse(data);
    this.#isQuestion &&= event.prev === undefined; // the room has a new event since
    if (type === "reset") {
      this.#on.reset(event.room_id, event.cursor);
    } else if (type === "closed") {
      this.#rooms = this.#rooms.filter((room) => room !== event.room_id);
      this.#on.closed(event.room_id);
    } else {
      this.#on.event(type, event);
    }
  }

  /**
   * The stream is over: the rooms are gone (204), or the right to read them (401). We ask which, each time the stream ends
   * so. If the answer is the same end at once, we need not ask again.
   */
  #askWhy() {
    if (this.#isQuestion && Date.now() - this.#answeredAt < END_WITHIN) {
      this.stopFor(204);
    } else {
      this.open();
      this.#isQuestion = true;
    }
  }

  #dataArrived() {
    this.#expectWithin(LONGEST_SILENCE);
    clearTimeout(this.#lostTimer);
    this.#backoff.reset();
    this.#brokenSince = null;
    const isNew = this.#isNew && this.#state === "live";
    this.#isNew = false;
    this.#setState("live");
    if (isNew) {
      this.#on.anew();
    }
  }

  #expectWithin(patience) {
    clearTimeout(this.#watchdog);
    this.#deadAt = Date.now() + patience;
    this.#watchdog = setTimeout(() => this.#connection.abort(), patience);
  }

  #noteBroken() {
    if (!this.#brokenSince) {
      const since = new Date();
      this.#brokenSince = since;
      this.#lostTimer = setTimeout(() => this.#setState("lost", since), LOST_AFTER);
    }
  }

  #setState(state, since) {
    if (this.#state !== state) {
      this.#state = state;
      this.#on.state(state, since);
    }
  }

  #drop() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#watchdog);
    this.#retryAt = this.#deadAt = Infinity;
    const connection = this.#connection;
    this.#connection = null;
    connection?.abort();
  }
}

/** Returns true if the same request would be refused again, for a reason that does not end all. */
function isRefusal(status) {
  return status >= 400 && status < 500 && ![401, 408, 409, 429].includes(status);
}

/** Formats one cursor for several rooms, as the server does. A stream of one room has that room's own ids. */
function joined(cursors) {
  const known = [...cursors].filter(([, cursor]) => cursor);
  return cursors.size === 1 ? known.map(([, cursor]) => cursor).join() : known.map((pair) => pair.join(".")).join("_");
}
