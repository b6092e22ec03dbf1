/**
 * The reader's own reactions. A reaction is shown at once and confirmed by the log; if the request fails, it is taken
 * back with a note. One request per message and emoji at a time: the last wish wins.
 */
import { reason } from "../support/api.js";
import { texts } from "../support/texts.js";

const SEEN_WITHIN = 10_000; // ms between the answer and the event; after that the log's state is shown

export class Reacting {
  #api;
  #room;
  #user;
  #messages;
  #wishes = new Map();

  constructor({ api, room, user, messages }) {
    this.#api = api;
    this.#room = room;
    this.#user = user;
    this.#messages = messages;
  }

  toggle(row, emoji) {
    const { id } = row.message;
    const on = !row.hasMine(emoji);
    const wish = this.#wishes.get(key(id, emoji));
    this.#show(id, emoji, on);
    if (wish) {
      wish.on = on;
    }
    if (!wish?.isSending) {
      this.#send(id, emoji, on);
    }
  }

  /** An event of the log. */
  received({ message_id, emoji, user_id, on }) {
    const wish = user_id === this.#user.id && this.#wishes.get(key(message_id, emoji));
    if (wish && wish.on === on && !wish.isSending) {
      this.#end(message_id, emoji, wish);
    }
  }

  async #send(id, emoji, on) {
    const wish = { on, isSending: true };
    this.#wishes.set(key(id, emoji), wish);
    try {
      let sent;
      do {
        sent = wish.on;
        await this.#api.react(this.#room.id, id, emoji, sent);
      } while (sent !== wish.on);
    } catch (error) {
      this.#end(id, emoji, wish);
      this.#failed(id, emoji, wish.on, error);
      return;
    }
    wish.isSending = false;
    if (this.#logSays(id, emoji) === wish.on) {
      this.#end(id, emoji, wish);
    } else {
      setTimeout(() => this.#end(id, emoji, wish), SEEN_WITHIN);
    }
  }

  #end(id, emoji, wish) {
    if (this.#wishes.get(key(id, emoji)) === wish) {
      this.#wishes.delete(key(id, emoji));
      this.#show(id, emoji, null);
    }
  }

  #logSays(id, emoji) {
    const reactions = this.#messages.find(id)?.message.reactions ?? [];
    return reactions.some((each) => each.emoji === emoji && each.user_ids.includes(this.#user.id));
  }

  #show(id, emoji, on) {
    const row = this.#messages.find(id);
    if (row) {
      this.#messages.scroll.keep(() => row.wish(emoji, on));
    }
  }

  #failed(id, emoji, on, error) {
    const row = this.#messages.find(id);
    if (row && !row.message.deleted) {
      this.#messages.scroll.keep(() => row.say(texts.notReacted(emoji, on, reason(error)), true));
    }
  }
}

function key(id, emoji) {
  return `${id} ${emoji}`;
}
