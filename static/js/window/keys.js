/** The keyboard shortcuts of the whole page. Single characters count only outside of fields. */
import { named, pressed } from "./key_names.js";

const FIELDS = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";

export class Keys {
  #actions;

  /** `actions`: what to do, by keys: `{ "Mod+k": () => … }`. */
  constructor(actions) {
    this.#actions = new Map(Object.entries(actions));
    document.addEventListener("keydown", (event) => this.#pressed(event));
    document.querySelectorAll("kbd[data-keys]").forEach((kbd) => (kbd.textContent = named(kbd.dataset.keys)));
  }

  #pressed(event) {
    if (event.isComposing || event.defaultPrevented || !event.key) {
      return;
    }
    const keys = pressed(event);
    const isText = keys.length === 1;
    const act = this.#actions.get(keys);
    if (act && !(isText && event.target.closest?.(FIELDS))) {
      event.preventDefault();
      act();
    }
  }
}
