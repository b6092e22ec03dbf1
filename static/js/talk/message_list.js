/**
 * The messages on the page, in order, each once.
 *
 * A message is placed when the log brings it, at the end, in the order of the log. Older pages go in front; newer ones
 * at the end, while the list does not reach the end of the log. So the order is the log's own and ids are never
 * compared. A message of ours that was only written, or only acknowledged, has no place yet: it stands in the tail,
 * below all placed ones, until the log brings it.
 *
 * `user_id` and `client_id` identify a message. One that comes again under another id takes its new place.
 */
export class MessageList {
  #container;
  #placed;
  #tail = [];
  #byId = new Map();
  #byName = new Map();

  /** `container`: the parent of the rows. `rows`: those that it already contains. */
  constructor(container, rows) {
    this.#container = container;
    this.#placed = rows;
    rows.forEach((row) => this.#know(row));
    this.#group();
  }

  get first() {
    return this.#placed[0];
  }

  get last() {
    return this.#placed.at(-1);
  }

  get placed() {
    return [...this.#placed];
  }

  get size() {
    return this.#placed.length + this.#tail.length;
  }

  get rows() {
    return [...this.#placed, ...this.#tail];
  }

  /** The row of this message, if it is on the page. */
  find(message) {
    return this.#byId.get(message.id) ?? this.#byName.get(name(message));
  }

  /** The row of the message with this id, if it is on the page. */
  byId(id) {
    return this.#byId.get(id);
  }

  /** Returns true if the row is in the tail: the log has not brought its message yet. */
  isHeld(row) {
    return this.#tail.includes(row);
  }

  /** Places rows at the end, wherever they were before. */
  append(rows) {
    this.#forget(rows);
    this.#placed.push(...rows);
    rows.forEach((row) => this.#know(row));
    this.#insert(rows, this.#tail[0]);
    this.#group();
  }

  prepend(rows) {
    const next = this.rows[0];
    this.#placed.unshift(...rows);
    rows.forEach((row) => this.#know(row));
    this.#insert(rows, next);
    this.#group();
  }

  /** Adds a row to the tail. */
  hold(row) {
    this.#tail.push(row);
    this.#know(row);
    this.#insert([row]);
    this.#group();
  }

  /** Shows another state of the row's message, which may have another id. */
  update(row, message) {
    const isOfAnotherTime = row.message.created_at !== message.created_at;
    this.#byId.delete(row.message.id);
    row.fill(message);
    this.#know(row);
    if (isOfAnotherTime) {
      this.#group(); // the time of a message written here came from this machine's clock until now
    }
  }

  remove(rows) {
    this.#forget(rows);
    rows.forEach((row) => row.element.remove());
    this.#group();
  }

  /** Replaces all placed rows. The tail stays: the log has not brought its messages yet. */
  replace(rows) {
    this.remove(this.#placed.filter((row) => !rows.includes(row)));
    this.append(rows);
  }

  /** Removes the oldest rows until `left` are left, if there are more than `most`. Returns whether any were removed. */
  trimOldest(most, left = most) {
    return this.#trim(this.size > most ? this.#placed.slice(0, this.size - left) : []);
  }

  /** Removes the newest placed rows until `size` are left. Returns whether any were removed. */
  trimNewest(size) {
    const surplus = Math.max(0, this.size - size);
    return this.#trim(this.#placed.slice(Math.max(0, this.#placed.length - surplus)));
  }

  #trim(surplus) {
    if (surplus.length > 0) {
      this.remove(surplus);
    }
    return surplus.length > 0;
  }

  #know(row) {
    if (row.message.id) {
      this.#byId.set(row.message.id, row);
    }
    this.#byName.set(name(row.message), row);
  }

  #forget(rows) {
    const gone = new Set(rows);
    this.#placed = this.#placed.filter((row) => !gone.has(row));
    this.#tail = this.#tail.filter((row) => !gone.has(row));
    for (const row of rows) {
      this.#byId.delete(row.message.id);
      this.#byName.delete(name(row.message));
    }
  }

  /** Puts rows in front of `next`, or at the end: those that are new together, so that the browser has one change. */
  #insert(rows, next) {
    let following = next?.element ?? null;
    let fresh = [];
    const insertFresh = () => {
      if (fresh.length > 0) {
        const fragment = new DocumentFragment();
        fragment.append(...fresh.reverse());
        this.#container.insertBefore(fragment, following);
        following = fresh[0];
        fresh = [];
      }
    };
    for (const { element } of [...rows].reverse()) {
      if (element.parentElement !== this.#container) {
        fresh.push(element);
        continue;
      }
      insertFresh();
      // Moving an element that is in place would take the focus from it, and screen readers would read it again.
      if (element.nextElementSibling !== following) {
        this.#container.insertBefore(element, following);
      }
      following = element;
    }
    insertFresh();
  }

  #group() {
    let previous = null;
    for (const row of this.rows) {
      row.follow(previous);
      previous = row;
    }
  }
}

function name({ user_id, client_id }) {
  return `${user_id}/${client_id}`;
}
