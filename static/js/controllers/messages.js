/** The log on the page: what the room says goes in here, and the list stays grouped, bounded and where its reader is. */
import { untilMidnight } from "../helpers/times.js";
import { MessageList } from "../models/message_list.js";
import { ScrollKeeper } from "../models/scroll_keeper.js";
import { MessageRow } from "./message_row.js";

const MOST_ROWS = 300;
const ROUND = 50; // ms that what comes in quick succession is collected, so that catching up is drawn in a few steps

export class Messages {
  #element;
  #list;
  #on;
  #incoming = [];
  #nextRound = null;

  /** `on.arrived(rows)`: placed by the log just now. `on.trimmed()`: older messages went from the page. */
  constructor({ element, scroller, on }) {
    this.#element = element;
    this.#on = on;
    this.#list = new MessageList(element, Array.from(element.children, (child) => MessageRow.adopt(child)));
    this.scroll = new ScrollKeeper(scroller, () => this.#list.rows.map((row) => row.element));
    this.#renameDays();
  }

  get oldestId() {
    return this.#list.first?.message.id;
  }

  /** The next messages of the log. The first is drawn at once, those right behind it in rounds. */
  receive(messages) {
    this.#incoming.push(...messages);
    if (!this.#nextRound) {
      this.#draw();
    }
  }

  /** The log starts over from this page of messages. */
  replace(messages) {
    this.#incoming = [];
    this.#busy(() => this.scroll.keep(() => this.#list.replace(messages.map((each) => this.#rowFor(each)))));
    this.scroll.toEnd();
  }

  showOlder(messages) {
    const unknown = messages.filter((message) => !this.#list.find(message));
    this.#busy(() => this.scroll.keep(() => this.#list.placeInFront(unknown.map(MessageRow.make))));
  }

  /** Shows a message of ours that the log has not brought yet. Returns its row; null where the log was faster. */
  hold(message) {
    if (this.#list.find(message)) {
      return null;
    }
    const row = MessageRow.make(message);
    this.#list.hold(row);
    this.scroll.toEnd();
    return row;
  }

  /** A held message was acknowledged. Its place is still for the log to give. */
  acknowledge(row, message) {
    if (this.#list.isHeld(row)) {
      this.scroll.keep(() => this.#list.update(row, message));
    }
  }

  /** Whether the log has yet to bring it. */
  isHeld(row) {
    return this.#list.isHeld(row);
  }

  remove(row) {
    this.scroll.keep(() => this.#list.remove([row]));
  }

  #draw() {
    this.#nextRound = null;
    if (this.#incoming.length === 0) {
      return;
    }
    const messages = this.#incoming.splice(0);
    const known = new Set(this.#list.rows);
    const wasAtEnd = this.scroll.isAtEnd;
    let rows;
    this.scroll.keep(() => {
      rows = messages.map((message) => this.#rowFor(message));
      this.#list.place(rows);
      if (wasAtEnd && this.#list.trimTo(MOST_ROWS)) {
        this.#on.trimmed();
      }
    });
    this.#on.arrived(rows.filter((row) => !known.has(row)), messages);
    this.#nextRound = setTimeout(() => this.#draw(), ROUND);
  }

  /** The row that shows this message from now on: the one that shows it already, or a new one. */
  #rowFor(message) {
    const row = this.#list.find(message);
    if (!row) {
      return MessageRow.make(message);
    }
    this.#list.update(row, message);
    row.mark(null);
    return row;
  }

  /** Changes the list without having it read out: these are not news. */
  #busy(change) {
    this.#element.ariaBusy = "true";
    change();
    this.#element.ariaBusy = "false";
  }

  #renameDays() {
    setTimeout(() => {
      this.#list.rows.forEach((row) => row.nameDay());
      this.#renameDays();
    }, untilMidnight() + 1_000);
  }
}
