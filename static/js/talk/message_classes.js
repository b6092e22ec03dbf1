/**
 * The CSS classes of a message that depend on its text. The server decides them when a message is written; the browser
 * decides only for messages that the server has not seen yet, or stored before it did.
 * chatserver/model/message_classes.py has the same rules: change both, a test compares them.
 */
const MOST_EMOJI = 6; // that are shown large
const MOST_CHARACTERS = 120; // of a text of nothing but emoji
const LINE_CHARACTERS = 80; // characters in a line, about
const MOST_LINES = 22; // that are shown without being asked for

const EMOJI = emojiPattern();
// Atomic groups, since a text can match in very many equivalent ways. (?=(…))\1 is (?>…).
const ONLY_EMOJI = new RegExp(`^(?:(?=(${EMOJI}))\\1(?=(\\s*))\\2){1,${MOST_EMOJI}}$`, "u");

/** The classes of the row, in the order in which the server writes them. */
export function classesOf(message, userId) {
  const look = message.look ?? judge(message.content);
  return {
    "message--deleted": Boolean(message.deleted),
    "message--mention": !message.deleted && Boolean(message.mentions?.includes(userId)),
    "message--emoji": look === "emoji",
    "message--long": look === "long",
  };
}

/** Reads from a row that the server rendered how its text looks. */
export function lookOfRow({ classList }) {
  return classList.contains("message--long") ? "long" : classList.contains("message--emoji") ? "emoji" : "plain";
}

export function judge(text) {
  if (isLong(text)) {
    return "long";
  }
  return isOnlyEmoji(text) ? "emoji" : "plain";
}

function isOnlyEmoji(text) {
  return text.length <= 2 * MOST_CHARACTERS && [...text].length <= MOST_CHARACTERS && ONLY_EMOJI.test(text);
}

function isLong(text) {
  const lines = text.split("\n").map((line) => Math.max(1, Math.ceil([...line].length / LINE_CHARACTERS)));
  return lines.reduce((sum, each) => sum + each, 0) > MOST_LINES;
}

/** One emoji: a character that shows as a picture by default or with U+FE0F, or several of those joined by U+200D. */
function emojiPattern() {
  const flag = "[\\u{1f1e6}-\\u{1f1ff}]{2}";
  const keycap = "[0-9#*]\\ufe0f?\\u20e3";
  const picture =
    "[\\u{1f000}-\\u{1faff}\\u231a\\u231b\\u23e9-\\u23ec\\u23f0\\u23f3\\u25fd\\u25fe\\u2614\\u2615\\u2648-\\u2653\\u267f" +
    "\\u2693\\u26a1\\u26aa\\u26ab\\u26bd\\u26be\\u26c4\\u26c5\\u26ce\\u26d4\\u26ea\\u26f2\\u26f3\\u26f5\\u26fa\\u26fd" +
    "\\u2705\\u270a\\u270b\\u2728\\u274c\\u274e\\u2753-\\u2755\\u2757\\u2795-\\u2797\\u27b0\\u27bf\\u2b1b\\u2b1c" +
    "\\u2b50\\u2b55]\\ufe0f?";
  const sign = "[\\u00a9\\u00ae\\u203c\\u2049\\u2122\\u2139\\u2190-\\u2bff\\u3030\\u303d\\u3297\\u3299]";
  const tone = "[\\u{1f3fb}-\\u{1f3ff}]";
  const tag = "[\\u{e0020}-\\u{e007f}]";
  const shown = `(?:${picture}|${sign}(?:\\ufe0f|(?=\\u200d)|(?=${tone})))${tone}?${tag}*`;
  const one = `(?:${flag}|${keycap}|${shown})`;
  return `${one}(?:\\u200d(?:${one}|${sign}))*`;
}
