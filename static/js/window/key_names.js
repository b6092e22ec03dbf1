/** Keys as they are written in code ("Mod+Shift+f"), pressed, and shown. Mod: Command on a Mac, else Control. */
import { texts } from "../support/texts.js";

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** What was pressed. Shift is named only where the key alone does not say it. */
export function pressed({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  const isCharacter = key.length === 1;
  const isLetter = isCharacter && key.toLowerCase() !== key.toUpperCase();
  const parts = [];
  if (ctrlKey || metaKey) {
    parts.push((isMac ? metaKey : ctrlKey) ? "Mod" : "Other");
  }
  if (altKey) {
    parts.push("Alt");
  }
  if (shiftKey && (!isCharacter || isLetter)) {
    parts.push("Shift");
  }
  return [...parts, isCharacter ? key.toLowerCase() : key].join("+");
}

/** As a reader calls them: Ctrl K, or ⌘ K. */
export function named(keys) {
  const names = isMac ? texts.macKeys : texts.keys;
  return keys
    .split("+")
    .map((key) => names[key] ?? key.toUpperCase())
    .join(" ");
}
