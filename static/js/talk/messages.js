/**
 * The log on the page: what the room says goes in here, and the list stays grouped, bounded and where its reader is.
 *
 * The list is a window on the log. While it reaches the end, what is said is appended. When its reader has gone up so
 * far that the newest went from the page, or the page began in the middle, what is said is told (`on.ahead`) and waits,
 * until the pages between have been loaded: there is never a hole.
 */
import { untilMidnight } from "../support/times.js";
import { changed } from "./message_changes.js";
import { MessageList } from "./message_list.js";
import { MessageRow } from "./message_row.js";
import { ScrollKeeper } from "./scroll_keeper.js";
import { SeenChanges } from "./seen_changes.js";
import { Ahead } from "./unplaced_messages.js";

const MOST_ROWS = 300;
const ROUND = 50; // ms that what comes in quick succession is collected, so that catching up is drawn in a few steps

export class Messages {
  #element;
  #list;
  #on;
  #incoming = [];
  #nextRound = null;
  #hasNewer;
  #ahead = new Ahead();
  #changes = new SeenChanges();

  /**
   * `hasNewer`: whether the list ends before the log does. `on.arrived(rows, messages)`: placed by the log just now.
   * `on.ahead(messages)`: came, and can't be placed. `on.cut({ older, newer })`: messages went from the page at an end.
   * `on.wantsEnd()`: its reader said something, and the end is not here.
   */
  constructor({ element, scroller, hasNewer, on }) {
    this.#element = element;
    this.#on = on;
    this.#list = new MessageList(element, Array.from(element.children, (child) => MessageRow.adopt(child)));
    this.scroll = new ScrollKeeper(scroller, () => this.#list.rows.map((row) => row.element));
    this.#setHasNewer(hasNewer);
    this.#renameDays();
  }

  get oldestId() {
    return this.#list.first?.message.id;
  }

  get newestId() {
    return this.#list.last?.message.id;
  }

  /** Whether the list ends before the log does. */
  get hasNewer() {
    return this.#hasNewer;
  }

  /** All rows, from the top. */
  get rows() {
    return this.#list.rows;
  }

  /** Those that the log has placed, the oldest first. */
  get placed() {
    return this.#list.placed;
  }

  /** The row of this message; undefined where it is not on the page. */
  find(id) {
    return this.#list.byId(id);
  }

  /** The row that contains this element; undefined where none does, or where the server does not know the message yet. */
  rowOf(element) {
    const id = element?.closest?.("li.message")?.dataset.id;
    return id && this.find(id);
  }

  /** The next lasting event of the log. The first is drawn at once, those right behind it in rounds. */
  take(kind, event) {
    if (kind !== "message") {
      this.#changes.add(kind, event);
    }
    this.#incoming.push([kind, event]);
    if (!this.#nextRound) {
      this.#draw();
    }
  }

  /** The log starts over from this page of messages, its newest. */
  replace(messages) {
    this.#incoming = [];
    this.#changes.clear();
    this.#setHasNewer(false);
    this.#busy(() => this.scroll.keep(() => this.#list.replace(messages.map((each) => this.#rowFor(each)))));
    this.scroll.toEnd();
  }

  showOlder(messages) {
    const unknown = messages.filter((message) => !this.#list.find(message)).map((each) => this.#changes.applied(each));
    this.#busy(() =>
      this.scroll.keep(() => {
        this.#list.placeInFront(unknown.map(MessageRow.make));
        if (this.#list.trimNewest(MOST_ROWS)) {
          this.#cutNewer();
        }
      }),
    );
  }

  /** `isLast`: nothing followed when the page was read. Returns whether the list reaches the end of the log now. */
  showNewer(messages, isLast) {
    this.#ahead.have(messages);
    const rest = isLast ? this.#ahead.take() : null;
    this.#busy(() =>
      this.scroll.keep(() => {
        this.#list.place([...messages, ...(rest ?? [])].map((each) => this.#rowFor(each)));
        this.#cutOlder();
        if (rest) {
          this.#setHasNewer(false);
        }
      }),
    );
    return rest !== null;
  }

  /** Shows a message of ours that the log has not brought yet. Returns its row; null where the log was faster. */
  hold(message) {
    if (this.#list.find(message)) {
      return null;
    }
    const row = MessageRow.make(message);
    this.#list.hold(row);
    this.scroll.toEnd();
    if (this.#hasNewer) {
      this.#on.wantsEnd();
    }
    return row;
  }

  /** A held message was acknowledged. Its place is still for the log to give. */
  acknowledge(row, message) {
    if (this.#list.isHeld(row)) {
      this.scroll.keep(() => this.#list.update(row, this.#changes.applied(message)));
    }
  }

  /** Whether the log has yet to bring it. */
  isHeld(row) {
    return this.#list.isHeld(row);
  }

  remove(row) {
    this.scroll.keep(() => this.#list.remove([row]));
  }

  /** Draws what was taken and not drawn yet. */
  flush() {
    clearTimeout(this.#nextRound);
    this.#draw();
  }

  #draw() {
    this.#nextRound = null;
    if (this.#incoming.length === 0) {
      return;
    }
    const incoming = this.#incoming.splice(0);
    const messages = incoming.filter(([kind]) => kind === "message").map(([, message]) => message);
    const arrived = this.#hasNewer ? [] : this.#place(messages);
    this.scroll.keep(() => incoming.forEach(([kind, event]) => this.#change(kind, event)));
    if (this.#hasNewer && messages.length > 0) {
      this.#ahead.add(messages.filter((message) => !this.#list.find(message)));
      this.#on.ahead(messages);
    } else if (!this.#hasNewer) {
      this.#on.arrived(arrived, messages);
      this.#bound();
    }
    this.#nextRound = setTimeout(() => this.#draw(), ROUND);
  }

  /** Returns the rows that are new on the page. */
  #place(messages) {
    const known = new Set(this.#list.rows);
    const rows = [];
    this.scroll.keep(() => {
      rows.push(...messages.map((message) => this.#rowFor(message)));
      this.#list.place(rows);
    });
    return rows.filter((row) => !known.has(row));
  }

  /** Who is at the end loses what is far above; who reads further up loses the end, and is told what comes there. */
  #bound() {
    this.scroll.keep(() => {
      if (this.scroll.isAtEnd) {
        this.#cutOlder();
      } else if (this.#list.trimNewest(MOST_ROWS)) {
        this.#cutNewer();
      }
    });
  }

  #change(kind, event) {
    const row = this.#list.byId(event.message_id);
    if (row) {
      this.#list.update(row, changed(row.message, kind, event));
    }
  }

  /** The row that shows this message from now on: the one that shows it already, or a new one. */
  #rowFor(message) {
    const row = this.#list.find(message);
    const now = this.#changes.applied(message);
    if (!row) {
      return MessageRow.make(now);
    }
    this.#list.update(row, now);
    row.mark(null);
    return row;
  }

  #cutOlder() {
    if (this.#list.trimOldest(MOST_ROWS)) {
      this.#on.cut({ older: true });
    }
  }

  #cutNewer() {
    this.#setHasNewer(true);
    this.#on.cut({ newer: true });
  }

  #setHasNewer(hasNewer) {
    if (hasNewer !== this.#hasNewer) {
      this.#hasNewer = hasNewer;
      this.#element.dataset.hasNewer = hasNewer;
      this.#ahead.begin();
      this.scroll.isCutOff = hasNewer;
    }
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
