/**
 * A small JSON value in this browser's localStorage. Where storage is forbidden, nothing is kept and nothing breaks.
 */
const PREFIX = "harbour:";

export class Stored {
  #key;

  /** The keys that begin with this. */
  static keys(beginning) {
    try {
      return Object.keys(localStorage)
        .filter((key) => key.startsWith(PREFIX + beginning))
        .map((key) => key.slice(PREFIX.length));
    } catch {
      return [];
    }
  }

  constructor(key) {
    this.#key = PREFIX + key;
  }

  read(otherwise) {
    try {
      return JSON.parse(localStorage.getItem(this.#key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  /** Stores the value. Returns whether that worked. */
  write(value) {
    try {
      localStorage.setItem(this.#key, JSON.stringify(value));
      return true;
    } catch {
      return false; // full, or forbidden
    }
  }

  forget() {
    try {
      localStorage.removeItem(this.#key);
    } catch {
      // as above
    }
  }

  /** Calls back when another tab has written it. */
  onChange(changed) {
    window.addEventListener("storage", (event) => event.key === this.#key && changed());
  }
}
