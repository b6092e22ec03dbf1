/** The reactions below a message: one button each, pressed if the reader has reacted so. */
import { fromTemplate } from "../support/dom.js";

export class MessageReactions {
  #row;
  #element;

  /** `row`: the row's element. */
  constructor(row) {
    this.#row = row;
    this.#element = row.querySelector(".message__reactions");
  }

  /** As in a message: `[{ emoji, user_ids }]`. */
  read() {
    return this.#buttons.map((button) => ({
      emoji: button.value,
      user_ids: button.dataset.userIds.split(" ").map(Number),
    }));
  }

  /** Updates the buttons in place, so that the focus stays. */
  show(reactions, userId) {
    if (reactions.length === 0) {
      this.#element?.remove();
      this.#element = null;
      return;
    }
    if (!this.#element) {
      this.#element = fromTemplate("reactions-template");
      this.#place();
    }
    const known = new Map(this.#buttons.map((button) => [button.value, button]));
    const add = this.#element.querySelector(".reaction--add");
    for (const { emoji, user_ids } of reactions) {
      const button = known.get(emoji) ?? this.#element.insertBefore(fromTemplate("reaction-template"), add);
      known.delete(emoji);
      fill(button, emoji, user_ids, userId);
    }
    known.forEach((button) => button.remove());
    this.#sort(reactions, add);
  }

  get #buttons() {
    return Array.from(this.#element?.querySelectorAll(".reaction[value]") ?? []);
  }

  #place() {
    const note = this.#row.querySelector(".message__note");
    this.#row.insertBefore(this.#element, note);
  }

  /** Puts the buttons in the order of the reactions: an emoji that was taken back by all and given again is last. */
  #sort(reactions, add) {
    const buttons = this.#buttons;
    if (reactions.some(({ emoji }, index) => buttons[index].value !== emoji)) {
      const byEmoji = new Map(buttons.map((button) => [button.value, button]));
      reactions.forEach(({ emoji }) => this.#element.insertBefore(byEmoji.get(emoji), add));
    }
  }
}

function fill(button, emoji, userIds, userId) {
  button.value = emoji;
  button.dataset.userIds = userIds.join(" ");
  button.setAttribute("aria-pressed", String(userIds.includes(userId)));
  button.querySelector("i").textContent = emoji;
  button.querySelector("b").textContent = userIds.length;
}
