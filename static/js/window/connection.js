/** Shows the state of the stream as a lamp and a word. */
import { texts } from "../support/texts.js";
import { clock } from "../support/times.js";

const BACK_STAYS = 4_000; // ms

export class Connection {
  #element;
  #timer;

  constructor(element) {
    this.#element = element;
    this.show("connecting");
  }

  show(state, since) {
    clearTimeout(this.#timer);
    const wasLost = this.#element.dataset.state === "lost";
    this.#element.dataset.state = state;
    if (state === "live" && wasLost) {
      this.#say(texts.back);
      this.#timer = setTimeout(() => this.#say(texts.connected), BACK_STAYS);
    } else {
      this.#say(wordsFor(state, since));
    }
    if (state === "signed-out") {
      this.#element.append(" ", signInLink());
    }
  }

  #say(words) {
    this.#element.textContent = words;
  }
}

function wordsFor(state, since) {
  return {
    connecting: () => texts.connecting,
    live: () => texts.connected,
    lost: () => texts.lost(clock(since)),
    over: () => texts.over,
    "signed-out": () => texts.signedOut,
    "somebody-else": () => texts.somebodyElse,
  }[state]();
}

function signInLink() {
  const link = document.createElement("a");
  link.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
  link.textContent = texts.signIn;
  return link;
}
