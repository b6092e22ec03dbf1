/** The names behind a reaction, made when the reader points at it, so that names can become known until then. */
import { isolated, texts } from "../support/texts.js";

const MOST_NAMES = 12;

export class ReactionNames {
  #user;
  #people;
  #list = new Intl.ListFormat(texts.language, { type: "conjunction" });

  /** `people`: a function that returns people/known_names.js. */
  constructor({ list, user, people }) {
    this.#user = user;
    this.#people = people;
    for (const type of ["pointerover", "focusin"]) {
      list.addEventListener(type, ({ target }) => this.#name(target.closest(".reaction[value]")));
    }
  }

  #name(button) {
    if (!button) {
      return;
    }
    const people = this.#people();
    const ids = button.dataset.userIds.split(" ").map(Number);
    const isMine = ids.includes(this.#user.id);
    const others = ids.filter((id) => id !== this.#user.id);
    const names = others.map((id) => people.name(id)).filter(Boolean).slice(0, MOST_NAMES).map(isolated);
    const rest = others.length - names.length;
    const all = [...(isMine ? [texts.thatIsYou(this.#user.name)] : []), ...names, ...(rest > 0 ? [texts.somebody(rest)] : [])];
    button.title = texts.reactedBy(this.#list.format(all), button.value);
  }
}
