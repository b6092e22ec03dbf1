// The room's stream: always open, or on its way to be. Owns the cursor.

import { EventParser } from "../helpers/sse.js";
import { backoff, sleep } from "../helpers/timing.js";

// The server sends something at least every 22 s. Two of those missed: the connection is dead, whatever TCP believes.
const SILENCE_MS = 45000;

export class RoomStream {
  #retryMs = 2000;
  #attempt = 0;
  #lastByteAt = 0;
  #connection = new AbortController();
  #pause = new AbortController();
  #closed = false;

  /**
   * `onMessage(message)`: async, in order. `onReset()`: async; what was missed can't be served, load the newest page.
   * `onState(state)`: "connecting", "live", "lost", "over" (for good) or "signed-out" (until the page is reloaded).
   */
  constructor({ roomId, cursor, onMessage, onReset, onState }) {
    this.cursor = cursor;
    this.roomId = roomId;
    this.onMessage = onMessage;
    this.onReset = onReset;
    this.onState = onState;
  }

  async open() {
    this.onState("connecting");
    while (!this.#closed) {
      const wait = await this.#follow();
      if (this.#closed) return;
      this.#pause = new AbortController();
      await sleep(wait, this.#pause.signal);
    }
  }

  /** The network is back, or somebody is looking again: try now, and distrust a connection that was silent. */
  wake() {
    this.#attempt = 0;
    this.#pause.abort();
    if (performance.now() - this.#lastByteAt > SILENCE_MS) this.#connection.abort();
  }

  /** The page goes away, perhaps to come back as it is: `open` goes on from the cursor. */
  suspend() {
    this.#connection.abort();
  }

  close() {
    this.#closed = true;
    this.#connection.abort();
    this.#pause.abort();
  }

  /** One connection, from its opening to its end. Returns how long to wait before the next. */
  async #follow() {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    let watchdog;
    const heard = () => {
      this.#lastByteAt = performance.now();
      clearTimeout(watchdog);
      watchdog = setTimeout(() => this.#connection.abort(), SILENCE_MS);
    };
    heard();
    try {
      const query = new URLSearchParams({ room: this.roomId, after: this.cursor });
      const response = await fetch(`/chat/stream?${query}`, { signal, cache: "no-store" });
      if (this.#isFinal(response.status)) return 0;
      if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new Error();
      await this.#read(response.body, heard);
      // A clean end: the server asked us to come back after a while of its choice.
      if (!this.#closed) this.onState("lost");
      return this.#retryMs;
    } catch {
      this.onState("lost");
      return backoff(this.#attempt++);
    } finally {
      clearTimeout(watchdog);
    }
  }

  #isFinal(status) {
    const state = { 204: "over", 404: "over", 401: "signed-out" }[status];
    if (state) {
      this.close();
      this.onState(state);
    }
    return Boolean(state);
  }

  async #read(body, heard) {
    const events = [];
    const parser = new EventParser({
      lastEventId: this.cursor,
      onEvent: (event) => events.push(event),
      onRetry: (milliseconds) => (this.#retryMs = milliseconds),
    });
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let live = false;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      parser.push(value);
      for (const event of events.splice(0)) await this.#take(event);
      if (this.#closed) return;
      this.cursor = parser.lastEventId || this.cursor;
      if (!live) {
        live = true;
        this.#attempt = 0;
        this.onState("live");
      }
    }
  }

  async #take({ type, data, id }) {
    if (type === "message" && data === "[DONE]") {
      this.close();
      this.onState("over");
    } else if (type === "message") {
      await this.onMessage(JSON.parse(data));
      this.cursor = id;
    } else if (type === "reset") {
      await this.onReset();
      this.cursor = id;
    }
  }
}
