/**
 * The unsent draft of a room and the message that it answers. Kept as long as the tab lives; longer, for its writer
 * alone, if the session ended meanwhile. Where storage is forbidden it is not kept.
 */
import { Stored } from "../support/stored.js";

const NAME = "draft:";

export class Draft {
  #key;
  #kept;

  /** The number of drafts in this tab, and of those that were kept. */
  static count(userId) {
    const texts = ownKeys(userId).filter((key) => !key.endsWith(":reply"));
    return texts.length + Stored.keys(`${NAME}${userId}:`).length;
  }

  static forgetAll(userId) {
    ownKeys(userId).forEach((key) => write(key, ""));
    Stored.keys(`${NAME}${userId}:`).forEach((key) => new Stored(key).forget());
  }

  constructor(userId, roomId) {
    this.#key = `${NAME}${userId}:${roomId}`;
    this.#kept = new Stored(this.#key);
  }

  /** Reads the draft; one that was kept moves into this tab. */
  read() {
    const kept = this.#kept.read("");
    if (kept && !read(this.#key)) {
      write(this.#key, kept);
      this.#kept.forget();
    }
    return read(this.#key) ?? "";
  }

  write(text) {
    write(this.#key, text);
  }

  /** Keeps the draft for another tab of its writer: this one is not theirs any more. */
  keep(text) {
    const kept = text || this.read();
    if (kept) {
      this.#kept.write(kept);
      write(this.#key, "");
    }
  }

  /** As in a message: `{ id, user_name, content }`, or null. */
  get replyTo() {
    try {
      return JSON.parse(read(`${this.#key}:reply`));
    } catch {
      return null;
    }
  }

  set replyTo(replyTo) {
    write(`${this.#key}:reply`, replyTo && JSON.stringify(replyTo));
  }
}

function ownKeys(userId) {
  try {
    return Object.keys(sessionStorage).filter((key) => key.startsWith(`${NAME}${userId}:`));
  } catch {
    return [];
  }
}

function read(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key, text) {
  try {
    if (text) {
      sessionStorage.setItem(key, text);
    } else {
      sessionStorage.removeItem(key);
    }
  } catch {
    // Not kept, then.
  }
}
