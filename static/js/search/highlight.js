/** Shows a text with the words of a query marked, as text nodes: neither is ever parsed as HTML. */
import { foldText, wordsOf } from "../support/fold_text.js";

const WORD = /[\p{L}\p{N}\p{M}]+/gu;

export function highlight(element, text, query) {
  const wanted = wordsOf(query);
  const nodes = [];
  let shown = 0;
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const length = Math.max(0, ...wanted.filter((each) => foldText(word).startsWith(each)).map((each) => extent(word, each)));
    if (length > 0) {
      nodes.push(text.slice(shown, index), mark(word.slice(0, length)));
      shown = index + length;
    }
  }
  element.replaceChildren(...nodes, text.slice(shown));
}

/** The length of the word's beginning, as written, that folds to this one. */
function extent(word, beginning) {
  let end = 0;
  for (const character of word) {
    if (foldText(word.slice(0, end)).length >= beginning.length && !/\p{M}/u.test(character)) {
      break;
    }
    end += character.length;
  }
  return end;
}

function mark(text) {
  const element = document.createElement("mark");
  element.textContent = text;
  return element;
}
