/** Shows a text with the words of a query marked, by nodes: nothing of either is ever read as HTML. */
import { fold, wordsOf } from "../support/fold_text.js";

const WORD = /[\p{L}\p{N}\p{M}]+/gu;

export function highlight(element, text, query) {
  const wanted = wordsOf(query);
  const nodes = [];
  let shown = 0;
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const length = Math.max(0, ...wanted.filter((each) => fold(word).startsWith(each)).map((each) => extent(word, each)));
    if (length > 0) {
      nodes.push(text.slice(shown, index), mark(word.slice(0, length)));
      shown = index + length;
    }
  }
  element.replaceChildren(...nodes, text.slice(shown));
}

/** How much of the word, as it is written, the folded beginning takes. */
function extent(word, beginning) {
  let end = 0;
  for (const character of word) {
    if (fold(word.slice(0, end)).length >= beginning.length && !/\p{M}/u.test(character)) {
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
