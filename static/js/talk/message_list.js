/**
 * The messages on the page: which there are, in what order, each once.
 *
 * A message is placed when the log says so, at the end, in the order in which the log says it; older pages go in front,
 * and newer ones at the end where the list does not reach the end of the log. So the order is the log's own and no id is ever compared. A message of ours that was only written, or only
 * acknowledged, has no place yet: it stands in the tail, below all that is placed, until the log brings it.
 *
 * `user_id` and `client_id` name a message. One that comes again under another id takes its new place.
 */
export class MessageList {
  #container;
  #placed;
  #tail = [];
  #byId = new Map();
  #byName = new Map();

  /** `container`: the element in which the rows stand. `rows`: those that stand there already. */
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

  /** Whether the log has yet to give the row its place. */
  isHeld(row) {
    return this.#tail.includes(row);
  }

  /** Puts rows at the end of what is placed, wherever they stood before. */
  place(rows) {
    this.#forget(rows);
    for (const row of rows) {
      this.#placed.push(row);
      this.#know(row);
      this.#insert(row.element, this.#tail[0]?.element);
    }
    this.#group();
  }

  placeInFront(rows) {
    const next = this.rows[0];
    this.#placed.unshift(...rows);
    for (const row of rows) {
      this.#know(row);
      this.#insert(row.element, next?.element);
    }
    this.#group();
  }

  /** Puts a row into the tail. */
  hold(row) {
    this.#tail.push(row);
    this.#know(row);
    this.#insert(row.element);
    this.#group();
  }

  /** A row shows another state of its message, which may have another id. */
  update(row, message) {
    const isOfAnotherTime = row.message.created_at !== message.created_at;
    this.#byId.delete(row.message.id);
    row.fill(message);
    this.#know(row);
    if (isOfAnotherTime) {
      this.#group(); // what was written here had the time of this machine's clock until now
    }
  }

  remove(rows) {
    this.#forget(rows);
    rows.forEach((row) => row.element.remove());
    this.#group();
  }

  /** Takes everything placed away, and puts these rows there. The tail stays: it is what the log has yet to bring. */
  replace(rows) {
    this.remove(this.#placed.filter((row) => !rows.includes(row)));
    this.place(rows);
  }

  /** Keeps so many rows; the oldest go. Returns whether any did. */
  trimOldest(size) {
    return this.#trim(this.#placed.slice(0, Math.max(0, this.size - size)));
  }

  /** Keeps so many rows; the newest that are placed go. Returns whether any did. */
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

  #insert(element, next = null) {
    // Moving an element that is in place already would take the focus from it, and have it read out again.
    if (element.parentElement !== this.#container || element.nextElementSibling !== next) {
      this.#container.insertBefore(element, next);
    }
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
