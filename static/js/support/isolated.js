/**
 * A name within a text that is only text: a name that is read from right to left, or that has a character which turns the
 * direction, turns nothing beside it. In elements `css/names.css` does that.
 */
const TURNS = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";

export function isolated(name) {
  return TURNS.test(name) ? FIRST_STRONG_ISOLATE + name + POP_ISOLATE : name;
}
