/**
 * Calls somebody who is elsewhere: a notification of the desktop for a message that they want to be called for.
 *
 * Of all tabs only the one that has the stream calls `notify`, so each message is shown by one; its tag makes sure. Nothing is
 * shown of a room that somebody is looking at, in whichever tab. What comes at once, after a night offline, is one
 * notification for each room and not a hundred.
 */
import { number, texts } from "../support/texts.js";

const COLLECT = 400; // ms
const EACH = 3; // of one room at once; more than that are counted
const LONGEST = 200; // characters
const REMEMBERED = 50; // notifications, of which the browser may still show some

export class Notifier {
  #levels;
  #attention;
  #icon;
  #open;
  #waiting = new Map();
  #shown = [];
  #timer = null;

  /** `levels`: NoticeLevels. `attention`: Attention. `icon`: an address. `open(roomId, id)`: shows a message here. */
  constructor({ levels, attention, icon, open }) {
    this.#levels = levels;
    this.#attention = attention;
    this.#icon = icon;
    this.#open = open;
  }

  /** `event`: a message as the stream brings it. `room`: `{ id, name }`. */
  notify(event, room) {
    if (!isAllowed() || event.deleted || !this.#levels.wants(event)) {
      return;
    }
    const waiting = this.#waiting.get(room.id) ?? { room, count: 0, events: [] };
    waiting.count += 1;
    waiting.events = [...waiting.events, event].slice(-EACH);
    this.#waiting.set(room.id, waiting);
    this.#timer ??= setTimeout(() => this.#show(), COLLECT);
  }

  /** Takes back what is shown: the one who was called is not here any more. */
  end() {
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#shown.forEach((notice) => notice.close());
    this.#levels = { wants: () => false };
  }

  async #show() {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#timer = null;
    for (const { room, count, events } of waiting) {
      if (!(await this.#attention.isOn(room.id))) {
        if (count > EACH) {
          this.#call(texts.manyMessages(number(count), room.name), events.at(-1));
        } else {
          events.forEach((event) => this.#call(texts.messageIn(event.user_name, room.name), event));
        }
      }
    }
  }

  #call(title, event) {
    const { room_id: roomId, id, user_id: userId, client_id: clientId, content } = event;
    const body = content.length > LONGEST ? `${content.slice(0, LONGEST)}…` : content;
    try {
      const notice = new Notification(title, { body, icon: this.#icon, tag: `${userId}/${clientId}` });
      this.#shown = [...this.#shown, notice].slice(-REMEMBERED);
      notice.onclick = () => {
        notice.close();
        window.focus();
        this.#open(roomId, id);
      };
    } catch {
      // Chrome on Android shows notifications of service workers only
    }
  }
}

function isAllowed() {
  return "Notification" in window && Notification.permission === "granted";
}
