/**
 * The toolbar beside the message under the pointer or in focus, and the menu with all actions (a sheet on a phone).
 * There is one of each, which moves to its message.
 *
 * The toolbar lies over the list, not in it: the list is a live region, and screen readers would read the toolbar.
 */
import { onLongPress } from "../window/long_press.js";
import { placeNextTo } from "../window/place_next_to.js";

const FROM_THE_EDGE = 28; // px below the upper edge of what can be seen of the log

export class Actions {
  #area;
  #toolbar;
  #menu;
  #messages;
  #user;
  #recent;
  #on;
  #row = null;

  /**
   * `area`: the element that contains the toolbar. It scrolls with the list, inside its parent.
   * `on.chosen(name, row, anchor)`: `name` is the button's, `anchor` a DOMRect. `on.quick(emoji, row)`.
   */
  constructor({ list, area, toolbar, menu, messages, user, recent, on }) {
    this.#area = area;
    this.#toolbar = toolbar;
    this.#menu = menu;
    this.#messages = messages;
    this.#user = user;
    this.#recent = recent;
    this.#on = on;
    area.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.#over(event.target));
    area.addEventListener("pointerleave", () => this.#left());
    list.addEventListener("focusin", (event) => this.#over(event.target));
    area.addEventListener("focusout", (event) => area.contains(event.relatedTarget) || this.#left());
    toolbar.addEventListener("click", (event) => this.#clicked(event));
    toolbar.addEventListener("keydown", (event) => this.#pressed(event));
    menu.addEventListener("click", (event) => this.#clickedInMenu(event));
    menu.addEventListener("keydown", (event) => this.#pressedInMenu(event));
    menu.addEventListener("close", () => this.#left());
    onLongPress(list, (target) => {
      const row = messages.rowOf(target);
      if (row && this.#canDoAnything(row)) {
        this.openMenu(row, row.element.getBoundingClientRect());
      }
    });
    new ResizeObserver(() => this.#place()).observe(list);
    area.parentElement.addEventListener("scroll", () => this.#place(), { passive: true });
  }

  /** Moves the focus to the toolbar of this row, for keyboard users. */
  enter(row) {
    this.#show(row);
    this.#toolbar.querySelector("button:not([hidden])")?.focus();
  }

  openMenu(row, anchor) {
    if (!this.#canDoAnything(row)) {
      return;
    }
    this.#show(row);
    this.#offer(this.#menu, row);
    const quick = this.#menu.querySelectorAll("[name=quick]");
    this.#recent.all.slice(0, quick.length).forEach((emoji, index) => {
      quick[index].value = quick[index].textContent = emoji;
    });
    this.#menu.showModal();
    placeNextTo(this.#menu, anchor);
  }

  /** Returns true if the reader may do this with the row's message. */
  allows(name, { message }) {
    const isOwn = message.user_id === this.#user.id;
    const isThere = Boolean(message.id) && !message.deleted;
    return isThere && (isOwn || !["edit", "remove"].includes(name));
  }

  #canDoAnything(row) {
    return this.allows("reply", row);
  }

  #over(target) {
    const row = this.#messages.rowOf(target);
    if (row) {
      this.#show(row);
    } else if (!this.#toolbar.contains(target)) {
      this.#left();
    }
  }

  #left() {
    if (!this.#toolbar.contains(document.activeElement) && !this.#menu.open) {
      const focused = this.#messages.rowOf(document.activeElement);
      this.#show(focused ?? null);
    }
  }

  #show(row) {
    const shown = row && this.#canDoAnything(row) ? row : null;
    this.#row?.element.classList.remove("message--active");
    this.#row = shown;
    this.#toolbar.hidden = !shown;
    if (shown) {
      shown.element.classList.add("message--active");
      this.#offer(this.#toolbar, shown);
      this.#place();
    }
  }

  #offer(element, row) {
    for (const button of element.querySelectorAll("button[name]")) {
      button.hidden = !this.allows(button.name, row);
    }
  }

  /** Puts the toolbar at the upper edge of the message itself, below day and unread line, and always within view. */
  #place() {
    if (!this.#row) {
      return;
    }
    const { element } = this.#row;
    if (!element.isConnected || !this.#canDoAnything(this.#row)) {
      this.#show(null);
      return;
    }
    const lines = [".message__face", ".message__quote", ".message__text", ".message__html"];
    const line = lines.map((each) => element.querySelector(each)).find((each) => each?.checkVisibility());
    const { top } = (line ?? element).getBoundingClientRect();
    const seen = this.#area.parentElement.getBoundingClientRect().top + FROM_THE_EDGE;
    this.#toolbar.style.setProperty("--y", `${Math.round(Math.max(top, seen) - this.#area.getBoundingClientRect().top)}px`);
  }

  #clicked(event) {
    const button = event.target.closest("button");
    if (button && this.#row) {
      this.#choose(button.name, this.#row, button.getBoundingClientRect());
    }
  }

  #choose(name, row, anchor) {
    if (name === "more") {
      this.openMenu(row, anchor);
    } else {
      this.#on.chosen(name, row, anchor);
    }
  }

  #pressed(event) {
    const buttons = [...this.#toolbar.querySelectorAll("button:not([hidden])")];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#row?.element.focus({ preventScroll: true });
    } else if (step) {
      event.preventDefault();
      const at = buttons.indexOf(document.activeElement);
      buttons.at((at + step) % buttons.length).focus();
    }
  }

  #clickedInMenu(event) {
    const button = event.target.closest("button");
    if (!button && event.target !== this.#menu) {
      return;
    }
    const row = this.#row;
    const anchor = row?.element.getBoundingClientRect();
    this.#menu.close();
    if (!button || !row) {
      return;
    }
    if (button.name === "quick") {
      this.#on.quick(button.value, row);
    } else if (button.name) {
      this.#choose(button.name, row, anchor);
    }
  }

  #pressedInMenu(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const buttons = [...this.#menu.querySelectorAll("button")].filter((each) => each.checkVisibility());
      const at = buttons.indexOf(document.activeElement);
      buttons.at((at + step) % buttons.length).focus();
    }
  }
}
