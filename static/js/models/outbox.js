// What was written and is not acknowledged yet. Sent in order, one at a time, each as often as it takes, always under
// its own client id: however many of the attempts arrived, it is one message.

import { newClientId } from "../helpers/ids.js";
import { backoff, sleep } from "../helpers/timing.js";

// A message that takes longer than this is shown as waiting; it is tried again all the same.
const SLOW_MS = 5000;

export class Outbox {
  #items = [];
  #pumping = false;
  #pause = new AbortController();

  /**
   * `send(item)`: resolves with the message as the server has it, or rejects with a Refusal.
   * `onChange(item)`: its `state` is "sending", "waiting" or "refused" (then with a `reason`).
   * `onSent(message)`: acknowledged.
   */
  constructor({ roomId, store, send, onChange, onSent }) {
    this.roomId = roomId;
    this.store = store;
    this.send = send;
    this.onChange = onChange;
    this.onSent = onSent;
  }

  /** Takes up what an earlier visit left unsent. */
  async restore() {
    for (const item of await this.store.all(this.roomId)) {
      if (!this.#items.some((each) => each.client_id === item.client_id)) this.#add({ ...item, state: "sending" });
    }
    this.#pump();
  }

  async add(content) {
    const item = { client_id: newClientId(), room_id: this.roomId, content, number: Date.now(), state: "sending" };
    this.#add(item);
    await this.store.put(stored(item)).catch(() => {});
    this.#pump();
  }

  retry(clientId) {
    const item = this.#find(clientId);
    if (!item) return;
    this.#change(item, "sending");
    this.wake();
  }

  async discard(clientId) {
    this.#items = this.#items.filter((item) => item.client_id !== clientId);
    await this.store.remove(clientId).catch(() => {});
  }

  /** It came back over the stream: acknowledged, even if the answer to the post got lost. */
  async settle(clientId) {
    if (this.#find(clientId)) await this.discard(clientId);
  }

  /** The network may be back: try now. */
  wake() {
    this.#pause.abort();
    this.#pump();
  }

  #add(item) {
    this.#items.push(item);
    this.onChange(item);
  }

  #find(clientId) {
    return this.#items.find((item) => item.client_id === clientId);
  }

  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    let attempt = 0;
    for (let item; (item = this.#items.find(({ state }) => state !== "refused")); ) {
      const slow = setTimeout(() => this.#find(item.client_id) && this.#change(item, "waiting"), SLOW_MS);
      try {
        const message = await this.send(stored(item));
        attempt = 0;
        await this.discard(item.client_id);
        this.onSent(message);
      } catch (refusal) {
        if (refusal.isPassing) {
          if (this.#find(item.client_id)) this.#change(item, "waiting");
          this.#pause = new AbortController();
          await sleep(Math.max(refusal.retryAfter ?? 0, backoff(attempt++, 500, 15000)), this.#pause.signal);
        } else if (this.#find(item.client_id)) {
          this.#change(item, "refused", refusal.message);
        }
      } finally {
        clearTimeout(slow);
      }
    }
    this.#pumping = false;
  }

  #change(item, state, reason) {
    item.state = state;
    item.reason = reason;
    this.onChange(item);
  }
}

function stored({ client_id, room_id, content, number }) {
  return { client_id, room_id, content, number };
}
