/** Shows who is here: the first few avatars in the room's head, and everybody in a dialog. Changes are not read aloud. */
import { fromTemplate } from "../support/dom.js";
import { isolated, number, texts } from "../support/texts.js";
import { Sheet } from "../window/sheet.js";
import { hueClass, initials } from "./avatar.js";

const MOST_FACES = 4;
const MOST_LISTED = 500; // the rest is only counted

export class WhoIsHere {
  #faces;
  #list;
  #word;
  #user;
  #people = [];

  /** `faces`: the button in the head. `dialog`, with `list` and `word`: everybody. `user`: the reader. */
  constructor({ faces, dialog, list, word, user }) {
    this.#faces = faces;
    this.#list = list;
    this.#word = word;
    this.#user = user;
    new Sheet(dialog, { onOpen: () => this.#fill() });
    this.dialog = dialog;
  }

  /** `people`: `[{ id, name }]`. */
  show(people) {
    this.#people = people;
    const some = people.slice(0, MOST_FACES).map(face);
    this.#faces.replaceChildren(...some, more(people.length - MOST_FACES), more(people.length - 1, "face--phone"));
    this.#faces.hidden = people.length === 0;
    this.#faces.setAttribute("aria-label", texts.here(people.length, number(people.length)));
    this.#faces.title = people.slice(0, 12).map(({ name }) => isolated(name)).join(", ");
    if (this.dialog.open) {
      this.#fill();
    }
  }

  #fill() {
    const byName = this.#people.toSorted((one, other) => one.name.localeCompare(other.name));
    this.#list.replaceChildren(...byName.slice(0, MOST_LISTED).map((person) => this.#row(person)));
    const rest = byName.length - MOST_LISTED;
    this.#word.textContent = rest > 0 ? texts.andMore(number(rest)) : "";
  }

  #row(person) {
    const row = fromTemplate("person-template");
    row.querySelector(".face").replaceWith(face(person));
    row.querySelector(".person__name").textContent = person.id === this.#user.id ? texts.thatIsYou(person.name) : person.name;
    return row;
  }
}

function face({ id, name }) {
  const element = document.createElement("span");
  element.className = `face ${hueClass(id)}`;
  element.textContent = initials(name);
  element.ariaHidden = "true";
  return element;
}

/** The number of people beyond the avatars beside it: four, or on a phone one. */
function more(count, kind = "face--desk") {
  const element = document.createElement("span");
  element.className = `face face--more ${kind}`;
  element.hidden = count <= 0;
  element.textContent = texts.more(number(count));
  element.ariaHidden = "true";
  return element;
}
