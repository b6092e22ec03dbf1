/**
 * The names of people that this page knows: who wrote, who reacted, who is present. For reactions, and for completing
 * names.
 */
const MOST_NAMES = 2_000;

export class KnownNames {
  #names = new Map(); // the latest is last

  learn(id, name) {
    if (!id || !name) {
      return;
    }
    this.#names.delete(id);
    this.#names.set(id, name);
    if (this.#names.size > MOST_NAMES) {
      this.#names.delete(this.#names.keys().next().value);
    }
  }

  name(id) {
    return this.#names.get(id);
  }

  /** `[{ id, name }]`, the latest first. */
  get all() {
    return Array.from(this.#names, ([id, name]) => ({ id, name })).reverse();
  }
}
