/** Completes names: finds the unfinished mention behind an `@`, and the people whom it may mean. */
const LONGEST_NAME = 40; // characters behind the @ that are still taken for a name
const MOST_NAMES = 8; // names that are offered

/** The unfinished mention before the caret: `{ start, text }`, `start` at the @; null if there is none. */
export function mentionBefore(value, caret) {
  const start = value.lastIndexOf("@", caret - 1);
  if (start < 0 || caret - start > LONGEST_NAME) {
    return null;
  }
  const text = value.slice(start + 1, caret);
  const before = value.slice(0, start);
  const isInsideAWord = /[\p{L}\p{N}_@/.]$/u.test(before);
  return isInsideAWord || /^\s|\n/.test(text) || text.split(" ").length > 3 ? null : { start, text };
}

/** The people whose name, or a word of it, begins with the text; whole names first, otherwise in the order given. */
export function matching(people, text) {
  const wanted = plain(text);
  const rank = ({ name }) => {
    const words = plain(name);
    return words.startsWith(wanted) ? 0 : words.split(/\s+/).some((word) => word.startsWith(wanted)) ? 1 : 2;
  };
  const found = [0, 1].flatMap((wantedRank) => people.filter((person) => rank(person) === wantedRank));
  return found.slice(0, MOST_NAMES);
}

/** Without case and accents: `jose` finds José. */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();
}
