/** Who is known here: who spoke, who reacted, who is present. Names for reactions, and for completing. */
const MOST = 2_000;

export class People {
  #names = new Map(); // the last that was heard of stands last

  learn(id, name) {
    if (!id || !name) {
      return;
    }
    this.#names.delete(id);
    this.#names.set(id, name);
    if (this.#names.size > MOST) {
      this.#names.delete(this.#names.keys().next().value);
    }
  }

  name(id) {
    return this.#names.get(id);
  }

  /** `[{ id, name }]`, the one that was heard of last first. */
  get all() {
    return Array.from(this.#names, ([id, name]) => ({ id, name })).reverse();
  }
}
