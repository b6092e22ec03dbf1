/** A small JSON value that this browser keeps. Where storage is forbidden, nothing is kept and nothing breaks. */
export class Stored {
  #key;

  constructor(key) {
    this.#key = `harbour:${key}`;
  }

  read(otherwise) {
    try {
      return JSON.parse(localStorage.getItem(this.#key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  write(value) {
    try {
      localStorage.setItem(this.#key, JSON.stringify(value));
    } catch {
      // full, or forbidden
    }
  }

  /** Calls back when another tab has written it. */
  onChange(changed) {
    window.addEventListener("storage", (event) => event.key === this.#key && changed());
  }
}
