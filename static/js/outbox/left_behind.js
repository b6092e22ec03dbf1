/**
 * The unsent messages of all rooms as a list: some of their rooms can't be opened any more. Messages that are only on
 * their way appear when they are late.
 */
import { fromTemplate } from "../support/dom.js";
import { texts } from "../support/texts.js";
import { copy } from "../window/clipboard.js";
import { whyUnsent } from "./why_unsent.js";

export class LeftBehind {
  #section;
  #list;
  #outbox;
  #rows = new Map();

  /** `section`: with a `<ul>` in it. `outbox()`: a function, since the outbox calls us from its constructor on. */
  constructor({ section, outbox }) {
    this.#section = section;
    this.#list = section.querySelector("ul");
    this.#outbox = outbox;
  }

  added(entry) {
    this.changed(entry);
  }

  changed(entry) {
    const row = this.#rows.get(entry.clientId);
    if (entry.refusal || entry.isLate) {
      this.#fill(row ?? this.#make(entry), entry);
    } else if (row) {
      this.#remove(entry);
    }
  }

  sent(entry) {
    this.#remove(entry);
  }

  discarded(entry) {
    this.#remove(entry);
  }

  #make(entry) {
    const row = fromTemplate("left-behind-template");
    const { retry, copying, discard } = buttons(row);
    retry.onclick = () => this.#outbox().retry(entry);
    copying.onclick = async () => {
      copying.textContent = (await copy(entry.content)) ? texts.textCopied : texts.notCopied;
    };
    discard.onclick = () => this.#outbox().discard(entry);
    row.querySelector("p").textContent = entry.content;
    row.querySelector("b").textContent = entry.roomName ?? texts.unknownRoom;
    this.#rows.set(entry.clientId, row);
    this.#list.append(row);
    this.#section.hidden = false;
    return row;
  }

  #fill(row, entry) {
    row.querySelector("em").textContent = whyUnsent(entry);
    buttons(row).retry.hidden = entry.refusal?.status === 404; // the room is gone: the answer would never change
  }

  #remove({ clientId }) {
    this.#rows.get(clientId)?.remove();
    this.#rows.delete(clientId);
    this.#section.hidden = this.#rows.size === 0;
  }
}

function buttons(row) {
  const [retry, copying, discard] = row.querySelectorAll("button");
  return { retry, copying, discard };
}
