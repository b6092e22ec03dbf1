/**
 * What was begun and not sent, and what it answers, for as long as the tab lives. A browser that forbids storage simply
 * forgets it.
 */
export class Draft {
  #key;

  constructor(userId, roomId) {
    this.#key = `draft:${userId}:${roomId}`;
  }

  read() {
    return read(this.#key) ?? "";
  }

  write(text) {
    write(this.#key, text);
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
