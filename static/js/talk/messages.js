/**
 * The log on the page: takes the room's events, and keeps the list grouped, bounded and at the reader's scroll
 * position.
 *
 * The list is a window on the log. While it reaches the end, new messages are appended. When the reader has scrolled up
 * so far that the newest were removed, or the page began in the middle, new messages are announced (`on.unplaced`) and
 * wait until the pages in between have been loaded: there is never a hole.
 */
import { NextFrame } from "../support/next_frame.js";
import { untilMidnight } from "../support/times.js";
import { changed } from "./message_changes.js";
import { MessageList } from "./message_list.js";
import { MessageRow } from "./message_row.js";
import { ScrollKeeper } from "./scroll_keeper.js";
import { SeenChanges } from "./seen_changes.js";
import { UnplacedMessages } from "./unplaced_messages.js";

const MOST_ROWS = 300;
const ROWS_LEFT = 250; // after a cut while messages come: a cut moves all rows, which are painted again, so it is made seldom
const MOST_INCOMING = 200; // events that wait to be rendered; a page that gets no frames renders them then

export class Messages {
  #element;
  #list;
  #on;
  #incoming = [];
  #frame = new NextFrame(() => this.#draw());
  #hasNewer;
  #unplaced = new UnplacedMessages();
  #changes = new SeenChanges();

  /**
   * `hasNewer`: whether the list ends before the log does. `on.arrived(rows, unseen)`: the log has just placed these;
   * `unseen`: those among them that came while nobody could see the page. `on.unplaced(messages)`: these came and can't be
   * placed. `on.cut({ older, newer })`: messages were removed from an end.
   * `on.wantsEnd()`: the reader wrote a message, and the list does not reach the end.
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

  /** Returns true if the list ends before the log does. */
  get hasNewer() {
    return this.#hasNewer;
  }

  /** All rows, from the top. */
  get rows() {
    return this.#list.rows;
  }

  /** The rows that the log has placed, the oldest first. */
  get placed() {
    return this.#list.placed;
  }

  /** The row of this message; undefined if it is not on the page. */
  find(id) {
    return this.#list.byId(id);
  }

  /** The row that contains this element; undefined if none does, or if the server does not know the message yet. */
  rowOf(element) {
    const id = element?.closest?.("li.message")?.dataset.id;
    return id && this.find(id);
  }

  /** Takes the next stored event of the log. What comes within a frame is rendered together, in one change of the list. */
  take(kind, event) {
    if (kind !== "message") {
      this.#changes.add(kind, event);
    }
    this.#incoming.push({ kind, event, isUnseen: document.hidden });
    this.#frame.ask();
    if (this.#incoming.length >= MOST_INCOMING) {
      this.#frame.hurry();
    }
  }

  /** Replaces all messages by the newest page of the log. */
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
        this.#list.prepend(unknown.map(MessageRow.make));
        if (this.#list.trimNewest(MOST_ROWS)) {
          this.#cutNewer();
        }
      }),
    );
  }

  /** Appends a page. `isLast`: nothing followed it when it was read. Returns whether the list now reaches the log's end. */
  showNewer(messages, isLast) {
    this.#unplaced.have(messages);
    const rest = isLast ? this.#unplaced.take() : null;
    this.#busy(() =>
      this.scroll.keep(() => {
        this.#list.append([...messages, ...(rest ?? [])].map((each) => this.#rowFor(each)));
        this.#cutOlder();
        if (rest) {
          this.#setHasNewer(false);
        }
      }),
    );
    return rest !== null;
  }

  /** Shows a message of ours that the log has not brought yet. Returns its row; null if the log was faster. */
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

  /** Updates a held row whose message was acknowledged. The log still has to place it. */
  acknowledge(row, message) {
    if (this.#list.isHeld(row)) {
      this.scroll.keep(() => this.#list.update(row, this.#changes.applied(message)));
    }
  }

  /** Returns true if the log has not brought the row's message yet. */
  isHeld(row) {
    return this.#list.isHeld(row);
  }

  remove(row) {
    this.scroll.keep(() => this.#list.remove([row]));
  }

  /** Renders the events that were taken and not rendered yet. */
  flush() {
    this.#frame.hurry();
  }

  /** Renders what has come: as one change of the list, so with one layout, however much it is. */
  #draw() {
    const incoming = this.#incoming.splice(0);
    if (incoming.length === 0) {
      return;
    }
    const messages = incoming.filter(({ kind }) => kind === "message").map(({ event }) => event);
    const isUnplaced = this.#hasNewer;
    this.scroll.keep(() => {
      const arrived = isUnplaced ? [] : this.#append(messages);
      incoming.forEach(({ kind, event }) => this.#change(kind, event));
      if (!isUnplaced) {
        this.#on.arrived(arrived, this.#unseen(arrived, incoming));
        this.#bound();
      }
    });
    if (isUnplaced && messages.length > 0) {
      this.#unplaced.add(messages.filter((message) => !this.#list.find(message)));
      this.#on.unplaced(messages);
    }
  }

  /** Returns the rows that are new on the page. */
  #append(messages) {
    const known = new Set(this.#list.rows);
    const rows = messages.map((message) => this.#rowFor(message));
    this.#list.append(rows);
    return rows.filter((row) => !known.has(row));
  }

  /** Returns the rows whose messages came while the page was hidden, or are rendered now that it is. */
  #unseen(rows, incoming) {
    const ids = new Set(incoming.filter(({ isUnseen }) => isUnseen || document.hidden).map(({ event }) => event.id));
    return rows.filter(({ message }) => ids.has(message.id));
  }

  /** Bounds the list: for a reader at the end at its beginning, for one further up at its end. */
  #bound() {
    if (this.scroll.isAtEnd) {
      this.#cutOlder(ROWS_LEFT);
    } else if (this.#list.trimNewest(MOST_ROWS)) {
      this.#cutNewer();
    }
  }

  #change(kind, event) {
    const row = this.#list.byId(event.message_id);
    if (row) {
      this.#list.update(row, changed(row.message, kind, event));
    }
  }

  /** Returns the row of this message: the existing one, brought up to date, or a new one. */
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

  #cutOlder(left = MOST_ROWS) {
    if (this.#list.trimOldest(MOST_ROWS, left)) {
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
      this.#unplaced.begin();
      this.scroll.isCutOff = hasNewer;
    }
  }

  /** Changes the list without screen readers reading it: these messages are not new. */
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
