/** Picks an emoji: by group, by name, by keyboard; recently used ones first. */
import { texts } from "../support/texts.js";
import { placeNextTo } from "../window/place_next_to.js";

export class EmojiPicker {
  #dialog;
  #recent;
  #search;
  #groups;
  #none;
  #all = null;
  #onPicked = null;

  constructor({ dialog, recent }) {
    this.#dialog = dialog;
    this.#recent = recent;
    this.#search = dialog.querySelector("input");
    this.#groups = dialog.querySelector(".picker__groups");
    this.#none = dialog.querySelector(".picker__none");
    this.#none.textContent = texts.noEmoji;
    this.#search.addEventListener("input", () => this.#filter());
    dialog.addEventListener("keydown", (event) => this.#pressed(event));
    dialog.addEventListener("click", (event) => this.#clicked(event));
    dialog.addEventListener("close", () => this.#end(null));
  }

  /** `anchor`: a DOMRect that it opens beside. Returns what was picked, or null. */
  async pick(anchor) {
    const { allEmoji } = await import("./emoji_table.js");
    this.#all ??= allEmoji();
    this.#search.value = "";
    this.#draw();
    this.#dialog.showModal();
    placeNextTo(this.#dialog, anchor);
    this.#groups.scrollTop = 0;
    // On a phone the keyboard would cover half of them.
    (matchMedia("(pointer: coarse)").matches ? this.#groups : this.#search).focus();
    return new Promise((resolve) => (this.#onPicked = resolve));
  }

  #picked(emoji) {
    this.#recent.used(emoji);
    const onPicked = this.#onPicked;
    this.#onPicked = null;
    this.#dialog.close(); // returns the focus before another element takes it
    onPicked?.(emoji);
  }

  #end(emoji) {
    this.#onPicked?.(emoji);
    this.#onPicked = null;
  }

  #draw() {
    const known = new Map(this.#all.map((each) => [each.emoji, each.words]));
    const recent = this.#recent.all.map((emoji) => ({ emoji, words: known.get(emoji) ?? emoji }));
    const names = [...new Set(this.#all.map((each) => each.group))];
    const groups = names.map((name) => group(name, this.#all.filter((each) => each.group === name)));
    this.#groups.replaceChildren(group("recent", recent), ...groups);
    this.#none.hidden = true;
  }

  #filter() {
    const wanted = this.#search.value.trim().toLocaleLowerCase();
    if (!wanted) {
      this.#draw();
      return;
    }
    const fits = ({ emoji, words }) => emoji === wanted || words.split(" ").some((word) => word.startsWith(wanted));
    const found = this.#all.filter(fits);
    this.#groups.replaceChildren(...(found.length > 0 ? [group(null, found)] : []));
    this.#none.hidden = found.length > 0;
  }

  #clicked(event) {
    const button = event.target.closest("button");
    if (button?.value) {
      this.#picked(button.value);
    } else if (event.target === this.#dialog) {
      this.#dialog.close();
    }
  }

  #pressed(event) {
    if (event.key === "Escape") {
      event.preventDefault(); // a search field would clear itself
      this.#dialog.close();
      return;
    }
    const buttons = [...this.#groups.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    if (at < 0 && event.key === "Enter") {
      event.preventDefault();
      if (this.#search.value && buttons[0]) {
        this.#picked(buttons[0].value);
      }
      return;
    }
    const next = at < 0 ? event.key === "ArrowDown" && buttons[0] : this.#step(buttons, at, event.key);
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }

  #step(buttons, at, key) {
    switch (key) {
      case "ArrowRight":
        return buttons[at + 1];
      case "ArrowLeft":
        return buttons[at - 1];
      case "ArrowDown":
        return nearest(buttons.slice(at + 1), buttons[at]);
      case "ArrowUp":
        return nearest(buttons.slice(0, at).reverse(), buttons[at]) ?? this.#search;
      default:
        return undefined;
    }
  }
}

function group(name, entries) {
  const section = document.createElement("section");
  if (name) {
    const title = document.createElement("h3");
    title.textContent = texts.emojiGroups[name];
    title.id = `emoji-${name}`;
    section.setAttribute("aria-labelledby", title.id);
    section.append(title);
  }
  const grid = document.createElement("div");
  grid.className = "picker__grid";
  grid.append(...entries.map(emojiButton));
  section.append(grid);
  return section;
}

function emojiButton({ emoji, words }) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "picker__emoji";
  element.value = element.textContent = emoji;
  element.title = words;
  element.setAttribute("aria-label", words);
  return element;
}

/** The first of those in the next row that stands at least as far to the right; the last of that row otherwise. */
function nearest(candidates, from) {
  const row = candidates.find((each) => each.offsetTop !== from.offsetTop)?.offsetTop;
  const inRow = candidates.filter((each) => each.offsetTop === row);
  return inRow.sort((a, b) => Math.abs(a.offsetLeft - from.offsetLeft) - Math.abs(b.offsetLeft - from.offsetLeft))[0];
}
