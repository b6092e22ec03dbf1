/** The emoji that somebody used last, in this browser. Where storage is forbidden: those that most people use. */
import { Stored } from "../support/stored.js";

const MOST = 18;
const USUAL = ["👍", "❤️", "😂", "🎉", "👀", "🙏"];

export class RecentEmoji {
  #stored;

  constructor(userId) {
    this.#stored = new Stored(`emoji:${userId}`);
    forgetOfEverybody();
  }

  /** The last used first; never fewer than the usual ones. */
  get all() {
    return [...new Set([...this.#read(), ...USUAL])].slice(0, MOST);
  }

  used(emoji) {
    this.#stored.write([emoji, ...this.#read().filter((each) => each !== emoji)].slice(0, MOST));
  }

  #read() {
    const found = this.#stored.read([]);
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  }
}

/** What an earlier release kept for all users of the browser together. */
function forgetOfEverybody() {
  try {
    localStorage.removeItem("emoji");
  } catch {
    // forbidden
  }
}
