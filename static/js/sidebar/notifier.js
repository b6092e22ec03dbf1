/**
 * Shows desktop notifications for messages that the user wants them for, while they look at no tab with the room.
 *
 * Of all tabs only the one that leads the stream calls `notify`, so each message is shown once; its tag makes sure.
 * Messages that come together, as after a night offline, become one notification per room.
 */
import { number, texts } from "../support/texts.js";

const COLLECT_TIME = 400; // ms
const MOST_EACH = 3; // notifications of one room at once; further messages are only counted
const LONGEST_TEXT = 200; // characters
const NOTIFICATIONS_KEPT = 50; // notifications that are kept, to close them later

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
    if (event.deleted || !this.#levels.wants(event)) {
      return;
    }
    const waiting = this.#waiting.get(room.id) ?? { room, count: 0, events: [] };
    waiting.count += 1;
    waiting.events = [...waiting.events, event].slice(-MOST_EACH);
    this.#waiting.set(room.id, waiting);
    this.#timer ??= setTimeout(() => this.#show(), COLLECT_TIME);
  }

  /** Closes all notifications: their user is not here any more. */
  end() {
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#shown.forEach((notice) => notice.close());
    this.#shown = []; // a page may end twice: its stream hears of a sign-out, and then the other tabs say so
    this.#levels = { wants: () => false };
  }

  async #show() {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#timer = null;
    if (!isAllowed()) {
      return;
    }
    for (const { room, count, events } of waiting) {
      if (!(await this.#attention.isOn(room.id))) {
        if (count > MOST_EACH) {
          this.#call(texts.manyMessages(number(count), room.name), events.at(-1));
        } else {
          events.forEach((event) => this.#call(texts.messageIn(event.user_name, room.name), event));
        }
      }
    }
  }

  #call(title, event) {
    const { room_id: roomId, id, user_id: userId, client_id: clientId, content } = event;
    const body = content.length > LONGEST_TEXT ? `${content.slice(0, LONGEST_TEXT)}…` : content;
    try {
      const notice = new Notification(title, { body, icon: this.#icon, tag: `${userId}/${clientId}` });
      this.#shown = [...this.#shown, notice].slice(-NOTIFICATIONS_KEPT);
      notice.onclick = () => {
        notice.close();
        window.focus();
        this.#open(roomId, id);
      };
    } catch {
      // Chrome on Android only shows notifications of service workers
    }
  }
}

/** Asked once for all that came together: browsers ask another process, and stand still until it has answered. */
function isAllowed() {
  return "Notification" in window && Notification.permission === "granted";
}
