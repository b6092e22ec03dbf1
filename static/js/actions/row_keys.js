/** Moves through the log by keyboard, from message to message, with keys for the actions of the focused one. */
const KEYS = {
  r: "reply",
  e: "edit",
  d: "remove",
  Delete: "remove",
  "+": "react",
  c: "copyText",
  l: "copyLink",
};

export class RowKeys {
  #scroller;
  #messages;
  #on;
  #byPointer = false;

  /** `on.chosen(name, row)`, `on.actions(row)`: its toolbar is wanted, `on.menu(row)`, `on.leave()`: back to writing. */
  constructor({ scroller, list, messages, on }) {
    this.#scroller = scroller;
    this.#messages = messages;
    this.#on = on;
    scroller.addEventListener("keydown", (event) => this.#pressed(event));
    // A reader who clicked a message may go on typing, without meaning any of the keys above.
    list.addEventListener("pointerdown", () => (this.#byPointer = true));
  }

  #pressed(event) {
    const { target, key } = event;
    const row = this.#messages.rows.find((each) => each.element === target);
    const isHere = row || target === this.#scroller;
    if (!isHere || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (step) {
      event.preventDefault();
      this.#go(row ? this.#neighbour(row, step) : this.#lastVisible());
    } else if (row) {
      this.#pressedOn(row, event);
    } else if (key === "Escape") {
      this.#on.leave();
    }
  }

  #pressedOn(row, event) {
    const { key } = event;
    const does = {
      Home: () => this.#go(this.#messages.rows[0]),
      End: () => this.#go(this.#messages.rows.at(-1)),
      Enter: () => this.#on.actions(row),
      ContextMenu: () => this.#on.menu(row),
      F10: () => event.shiftKey && this.#on.menu(row),
      Escape: () => this.#on.leave(),
    }[key];
    const name = !this.#byPointer && KEYS[key];
    if (does || name) {
      event.preventDefault();
      event.stopPropagation();
      does?.();
      if (name) {
        this.#on.chosen(name, row);
      }
    }
  }

  #neighbour(row, step) {
    const { rows } = this.#messages;
    return rows[rows.indexOf(row) + step];
  }

  #lastVisible() {
    const { bottom } = this.#scroller.getBoundingClientRect();
    return this.#messages.rows.findLast((row) => row.element.getBoundingClientRect().top < bottom);
  }

  #go(row) {
    if (row) {
      this.#byPointer = false;
      row.element.focus({ preventScroll: true });
      row.element.scrollIntoView({ block: "nearest" });
    }
  }
}
