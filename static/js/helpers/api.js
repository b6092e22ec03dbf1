// Requests to the server.

const PATIENCE_MS = 20000;

/** An answer that is not a success. `status` 0: none came. `retryAfter` in milliseconds, if the server named it. */
export class Refusal extends Error {
  constructor(status, reason, retryAfter) {
    super(reason);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later, without anybody changing it. */
  get isPassing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export class Api {
  #token;

  constructor(token) {
    this.#token = token;
  }

  async page(roomId, query = {}) {
    return this.#fetch(`/rooms/${roomId}/messages?${new URLSearchParams(query)}`);
  }

  async post(message) {
    return this.#fetch("/messages", { method: "POST", body: JSON.stringify(message) });
  }

  async #fetch(path, options = {}) {
    const headers = { Accept: "application/json", "X-CSRF-Token": this.#token };
    if (options.body) headers["Content-Type"] = "application/json";
    let response, body;
    try {
      response = await fetch(path, { ...options, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      body = await response.json();
    } catch {
      throw new Refusal(response?.ok ? 0 : (response?.status ?? 0), "no answer");
    }
    if (response.ok) return body;
    throw new Refusal(response.status, body.error, Number(response.headers.get("Retry-After")) * 1000 || undefined);
  }
}
