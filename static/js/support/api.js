/** The server's HTTP interface, as far as the page needs it. */
import { between } from "./random.js";
import { texts } from "./texts.js";

const ANSWER_TAKES = 10_000; // ms, at most
const LONGEST_RETRY_WAIT = 30_000; // ms, at most, before a request that was refused as too much (429) is repeated
const JITTER = 500; // ms, so that all tabs of a user don't ask at the same moment
const MOST_REPEATS = 10; // of one request, at most
const SOMEBODY_ELSE = "signed in as somebody else"; // as the server says it

/**
 * An answer other than success; status 0 if there was none. 401: the session is not the page's user's any more, be it
 * over or somebody else's.
 */
export class ApiError extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter; // ms, if the server asked for it
  }

  /** Returns true if the same request would get the same answer again. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

/** The reason in words, for the reader. */
export function reason({ status, message }) {
  return { 0: texts.noConnection, 401: texts.signedOutReason }[status] ?? message;
}

export class Api {
  #token;
  #userId;
  #onEnd;
  #isStopped = false;

  /**
   * `token`: the page's own. `userId`: whose page it is; the server does nothing for it as anybody else.
   * `onEnd(state)`: an answer said that the session is over: signed-out or somebody-else.
   */
  constructor({ token, userId, onEnd }) {
    this.#token = token;
    this.#userId = userId;
    this.#onEnd = onEnd;
  }

  /** Sends no more requests: all fail as if the server had answered 401. */
  stop() {
    this.#isStopped = true;
  }

  /** Returns true if the browser is now signed in as somebody else; false if that can't be found out. */
  async isElses() {
    try {
      await this.#request("/csrf");
      return false;
    } catch (error) {
      return error.message === SOMEBODY_ELSE;
    }
  }

  async signOut() {
    await this.#send("POST", "/sign-out");
  }

  /** A page of a room's messages: `{ messages, cursor, has_more }`. */
  async messages(roomId, parameters) {
    return (await this.#fetch(`/rooms/${roomId}/messages?${new URLSearchParams(parameters)}`)).json();
  }

  /** Reads the people who are in a room now: `[{ id, name }]`. */
  async presence(roomId) {
    return (await (await this.#fetch(`/rooms/${roomId}/presence`)).json()).users;
  }

  /** Searches messages, the newest first: `{ results, has_more }`. */
  async search(parameters, signal) {
    return (await this.#fetch(`/search?${new URLSearchParams(parameters)}`, { signal })).json();
  }

  /** All rooms, or those with these ids, with what is unread in them. */
  async rooms(ids = []) {
    const query = ids.map((id) => `id=${id}`).join("&");
    return (await (await this.#fetch(query ? `/rooms?${query}` : "/rooms")).json()).rooms;
  }

  /** Marks everything up to this message as read. Goes out even if the page is closed meanwhile. */
  async read(roomId, id) {
    await this.#send("PUT", `/rooms/${roomId}/read`, { id }, { keepalive: true, isPatient: false });
  }

  /** Sends an entry of the outbox, and returns the message that it became. */
  async post({ roomId, content, clientId, replyTo }) {
    const body = { room_id: roomId, content, client_id: clientId, reply_to: replyTo?.id };
    return (await (await this.#send("POST", "/messages", body, { isPatient: false })).json()).message;
  }

  /** Returns the edited message. */
  async edit(roomId, id, content) {
    return (await this.#send("PATCH", messagePath(roomId, id), { content })).json();
  }

  async remove(roomId, id) {
    await this.#send("DELETE", messagePath(roomId, id));
  }

  async react(roomId, id, emoji, on) {
    const path = `${messagePath(roomId, id)}/reactions/${encodeURIComponent(emoji)}`;
    await this.#send(on ? "PUT" : "DELETE", path);
  }

  async typing(roomId) {
    await this.#send("POST", `/rooms/${roomId}/typing`, null, { isPatient: false });
  }

  async #send(method, path, body, options = {}) {
    const send = () =>
      this.#fetch(path, {
        ...options,
        method,
        body: body && JSON.stringify(body),
        headers: { ...(body && { "Content-Type": "application/json" }), "X-CSRF-Token": this.#token },
      });
    try {
      return await send();
    } catch (error) {
      if (error.status !== 403) {
        throw error;
      }
      // The page may be older than its token.
      this.#token = (await (await this.#fetch("/csrf")).json()).csrf_token;
      return send();
    }
  }

  /**
   * `isPatient`: a request that the server refuses as too much (429) is repeated when it says. Not so messages and read
   * marks, whose senders keep them in order, and typing notices, which are stale by then.
   */
  async #fetch(path, { isPatient = true, ...options } = {}) {
    for (let repeats = 0; ; repeats += 1) {
      if (this.#isStopped) {
        throw new ApiError(401, texts.signedOutReason);
      }
      try {
        return await this.#request(path, options);
      } catch (error) {
        if (error.status === 401) {
          this.#onEnd(error.message === SOMEBODY_ELSE ? "somebody-else" : "signed-out");
        }
        if (error.status !== 429 || !isPatient || repeats === MOST_REPEATS || !(error.retryAfter <= LONGEST_RETRY_WAIT)) {
          throw error;
        }
        await passed(error.retryAfter + between(0, JITTER), options.signal);
      }
    }
  }

  async #request(path, options = {}) {
    const headers = { Accept: "application/json", "X-User": this.#userId, ...options.headers };
    let response;
    try {
      const signals = [AbortSignal.timeout(ANSWER_TAKES), options.signal].filter(Boolean);
      response = await fetch(path, { ...options, headers, signal: AbortSignal.any(signals) });
    } catch (error) {
      throw new ApiError(0, error.message);
    }
    if (!response.ok) {
      const { error } = await response.json().catch(() => ({}));
      const seconds = Number(response.headers.get("Retry-After"));
      const status = error === SOMEBODY_ELSE ? 401 : response.status;
      throw new ApiError(status, error ?? String(response.status), seconds * 1_000 || undefined);
    }
    return response;
  }
}

/** Waits, unless the signal aborts. */
function passed(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new ApiError(0, "called off"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

function messagePath(roomId, id) {
  return `/rooms/${roomId}/messages/${encodeURIComponent(id)}`;
}
