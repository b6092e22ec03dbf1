/** What was begun and not sent, for as long as the tab lives. A browser that forbids storage simply forgets it. */
export class Draft {
  #key;

  constructor(userId, roomId) {
    this.#key = `draft:${userId}:${roomId}`;
  }

  read() {
    try {
      return sessionStorage.getItem(this.#key) ?? "";
    } catch {
      return "";
    }
  }

  write(text) {
    try {
      if (text) {
        sessionStorage.setItem(this.#key, text);
      } else {
        sessionStorage.removeItem(this.#key);
      }
    } catch {
      // Not kept, then.
    }
  }
}
