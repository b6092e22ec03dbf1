/** Compares texts without accents and case, to find “Café” by “cafe”. */

/** Returns the text without accents and case. */
export function foldText(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** Returns true if each word of the query begins a word of the text. */
export function matches(text, query) {
  const words = wordsOf(text);
  return wordsOf(query).every((wanted) => words.some((word) => word.startsWith(wanted)));
}

export function wordsOf(text) {
  return foldText(text).match(/[\p{L}\p{N}]+/gu) ?? [];
}
