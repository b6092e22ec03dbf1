/** The emoji that the reader used last, in this browser; common ones where storage is forbidden. */
import { Stored } from "../support/stored.js";

const MOST_EMOJI = 18;
const USUAL_EMOJI = ["👍", "❤️", "😂", "🎉", "👀", "🙏"];

export class RecentEmoji {
  #stored;

  constructor(userId) {
    this.#stored = new Stored(`emoji:${userId}`);
    forgetOfEverybody();
  }

  /** The last used first, filled up with the usual ones. */
  get all() {
    return [...new Set([...this.#read(), ...USUAL_EMOJI])].slice(0, MOST_EMOJI);
  }

  used(emoji) {
    this.#stored.write([emoji, ...this.#read().filter((each) => each !== emoji)].slice(0, MOST_EMOJI));
  }

  #read() {
    const found = this.#stored.read([]);
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  }
}

/** Removes what an earlier release stored for all users of the browser together. */
function forgetOfEverybody() {
  try {
    localStorage.removeItem("emoji");
  } catch {
    // forbidden
  }
}
