/**
 * What was begun and not sent, and what it answers, for as long as the tab lives; and longer, for its writer alone, where
 * the session ended over it. A browser that forbids storage simply forgets it.
 */
import { Stored } from "../support/stored.js";

const NAME = "draft:";

export class Draft {
  #key;
  #kept;

  /** How many there are in this tab, or were kept. */
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

  /** What was kept is this tab's from now on. */
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

  /** The tab is not its writer's any more: another one of theirs will have it. */
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
