/** The people who are typing: each for five seconds after their last event, or until their message is there. */
const TYPING_LASTS = 5_000; // ms

export class Typists {
  #timers = new Map();
  #names = new Map();
  #onChange;

  /** `onChange(names)`: in the order in which they began. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  heard(id, name) {
    clearTimeout(this.#timers.get(id));
    this.#timers.set(id, setTimeout(() => this.stopped(id), TYPING_LASTS));
    if (this.#names.get(id) !== name) {
      this.#names.set(id, name);
      this.#changed();
    }
  }

  stopped(id) {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    if (this.#names.delete(id)) {
      this.#changed();
    }
  }

  #changed() {
    this.#onChange([...this.#names.values()]);
  }
}
