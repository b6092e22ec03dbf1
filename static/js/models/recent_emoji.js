/** The emoji that somebody used last, in this browser. Where storage is forbidden: those that most people use. */
const KEY = "emoji";
const MOST = 18;
const USUAL = ["👍", "❤️", "😂", "🎉", "👀", "🙏"];

export class RecentEmoji {
  /** The last used first; never fewer than the usual ones. */
  get all() {
    return [...new Set([...this.#read(), ...USUAL])].slice(0, MOST);
  }

  used(emoji) {
    try {
      localStorage.setItem(KEY, JSON.stringify([emoji, ...this.#read().filter((each) => each !== emoji)].slice(0, MOST)));
    } catch {
      // Not remembered, then.
    }
  }

  #read() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
    } catch {
      return [];
    }
  }
}
