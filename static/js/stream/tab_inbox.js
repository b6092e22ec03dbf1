/**
 * The leading tab's messages to one tab: passes them on, and keeps the state of the stream: how it is doing, and if it
 * is over, for all rooms or for the room of this tab.
 */
export class TabInbox {
  #tab;
  #position;
  #on;
  #state = null;
  #isOver = false;
  #isRoomOver = false;

  /**
   * `tab`: its id. `position()` and `on`: as for SharedStream; and `on.forgotten()`: the room of this tab is not followed
   * any more. `on.ended()`: nothing more will come.
   */
  constructor({ tab, position, on }) {
    this.#tab = tab;
    this.#position = position;
    this.#on = on;
  }

  /** connecting, live, lost …; null as long as nobody has said anything. */
  get state() {
    return this.#state;
  }

  /** Returns true if the stream is over for all rooms. */
  get isOver() {
    return this.#isOver;
  }

  /** Returns true if the stream is over for the room of this tab. */
  get isRoomOver() {
    return this.#isOver || this.#isRoomOver;
  }

  /** Our position. A tab whose room was closed still follows the others. */
  get position() {
    const position = this.#position();
    if (!this.#isRoomOver) {
      return position;
    }
    return { ...position, roomId: null, tips: position.tips.filter(([id]) => id !== position.roomId) };
  }

  /** Takes a message of the leader. */
  receive(message) {
    if (message.to && message.to !== this.#tab) {
      return;
    }
    try {
      this.#handOn(message);
    } catch (error) {
      reportError(error); // what goes wrong on this page is no reason to stop the others
    }
  }

  /** Sets the state of the stream; `since`: the time since which it is lost. */
  setState(state, since) {
    if (this.#isOver || !state) {
      return;
    }
    this.#state = state;
    const isEnded = state === "signed-out" || state === "somebody-else";
    if (!this.#isRoomOver || isEnded) {
      this.#on.state(state, since);
    }
    if (state === "over" || isEnded) {
      this.#isOver = true;
      queueMicrotask(() => this.#on.ended());
    }
  }

  /** The room of this tab is gone, or we may not read it any more. */
  endRoom() {
    if (!this.isRoomOver) {
      this.#isRoomOver = true;
      this.#on.state("over");
    }
  }

  #handOn({ type, roomId, cursor, ...message }) {
    switch (type) {
      case "event":
        this.#on.event(message.kind, message.event);
        break;
      case "events":
        message.events.forEach(([kind, event]) => this.#on.event(kind, event));
        if (this.#isOurs(roomId)) {
          this.#on.moved(cursor);
        }
        break;
      case "rooms":
        this.#on.rooms(message.rows);
        break;
      case "rows":
        this.#on.rows(message.rows);
        break;
      case "anew":
        this.#on.anew();
        break;
      case "forgotten":
        this.#on.forgotten();
        break;
      case "state":
        this.setState(message.state, message.since);
        break;
      case "welcome":
        this.setState(message.state, message.since);
        this.#on.moved(cursor);
        break;
      default:
        if (this.#isOurs(roomId)) {
          this.#handOnOurs(type, cursor, message.asked);
        }
    }
  }

  #isOurs(roomId) {
    return roomId === this.position.roomId;
  }

  /** Takes a message about the room of this tab. */
  #handOnOurs(type, cursor, asked) {
    if (type === "closed") {
      this.endRoom();
    } else if (type === "reset") {
      this.#on.reset(asked, cursor);
    } else if (type === "gap") {
      this.#on.gap(cursor);
    } else if (type === "moved") {
      this.#on.moved(cursor);
    }
  }
}
