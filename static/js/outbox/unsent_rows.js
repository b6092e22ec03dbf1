/** The outbox's entries of this room as rows of the log: on their way, late, or refused. */
import { whyUnsent } from "./why_unsent.js";

const SEEN_WITHIN = 10_000; // ms between the acknowledgement of a message and its event

export class UnsentRows {
  #messages;
  #room;
  #user;
  #outbox;
  #onUnseen;
  #rows = new Map();

  /**
   * `outbox()`: a function, since the outbox calls us from its constructor on.
   * `onUnseen()`: the stream did not bring an acknowledged message: it may be dead.
   */
  constructor({ messages, room, user, outbox, onUnseen }) {
    this.#messages = messages;
    this.#room = room;
    this.#user = user;
    this.#outbox = outbox;
    this.#onUnseen = onUnseen;
  }

  added(entry) {
    if (entry.roomId !== this.#room.id) {
      return;
    }
    const row = this.#messages.hold({
      user_id: this.#user.id,
      user_name: this.#user.name,
      client_id: entry.clientId,
      content: entry.content,
      reply_to: entry.replyTo ?? undefined,
      created_at: entry.createdAt,
    });
    if (row) {
      this.#rows.set(entry.clientId, row);
      this.changed(entry);
    }
  }

  changed(entry) {
    const row = this.#rows.get(entry.clientId);
    if (!row) {
      return;
    }
    this.#messages.scroll.keep(() => {
      const isFailed = Boolean(entry.refusal || entry.isLate);
      const note = row.mark(isFailed ? "failed" : "pending");
      const link = note.querySelector("a");
      const [retry, discard] = note.querySelectorAll("button");
      note.querySelector("em").textContent = whyUnsent(entry);
      link.hidden = entry.refusal?.status !== 401;
      link.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
      retry.hidden = discard.hidden = !isFailed;
      retry.onclick = () => this.#outbox().retry(entry);
      discard.onclick = () => this.#outbox().discard(entry);
    });
  }

  sent(entry, message) {
    const row = this.#rows.get(entry.clientId);
    this.#rows.delete(entry.clientId);
    if (row) {
      this.#messages.scroll.keep(() => row.mark(null));
      this.#messages.acknowledge(row, message);
      setTimeout(() => this.#messages.isHeld(row) && this.#onUnseen(), SEEN_WITHIN);
    }
  }

  discarded(entry) {
    const row = this.#rows.get(entry.clientId);
    this.#rows.delete(entry.clientId);
    if (row) {
      this.#messages.remove(row);
    }
  }
}
