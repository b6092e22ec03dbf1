/** Names of keys, in code ("Mod+Shift+f") and on the page. Mod: Command on a Mac, else Control. */
import { texts } from "../support/texts.js";

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The keys of an event. Shift is named only if the key alone does not imply it. */
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

/** The keys as the page shows them: Ctrl K, or ⌘ K. */
export function named(keys) {
  const names = isMac ? texts.macKeys : texts.keys;
  return keys
    .split("+")
    .map((key) => names[key] ?? key.toUpperCase())
    .join(" ");
}
