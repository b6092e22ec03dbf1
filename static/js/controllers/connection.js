// The lamp and the word that say how the line is.

import { clock } from "../models/moments.js";
import { texts } from "../texts.js";

// Breaks that heal sooner than this are nobody's business.
const GRACE_MS = 1500;
const BACK_MS = 4000;

export class Connection {
  #lamp;
  #word;
  #timer;
  #lostAt = null;

  constructor({ lamp, word }) {
    this.#lamp = lamp;
    this.#word = word;
  }

  show(state) {
    clearTimeout(this.#timer);
    if (state === "lost" || (state === "connecting" && this.#lostAt)) this.#lose();
    else if (state === "live") this.#live();
    else this.#say({ connecting: "wait", over: "lost", "signed-out": "lost" }[state], this.#final(state));
  }

  #final(state) {
    return { connecting: texts.connecting, over: texts.over, "signed-out": texts.signedOut }[state];
  }

  #lose() {
    this.#lostAt ??= { at: new Date(), said: false };
    const lost = this.#lostAt;
    this.#timer = setTimeout(
      () => {
        lost.said = true;
        this.#say("lost", texts.lost(clock(lost.at)));
      },
      Math.max(0, GRACE_MS - (new Date() - lost.at)),
    );
  }

  #live() {
    const wasSaid = this.#lostAt?.said;
    this.#lostAt = null;
    this.#say("live", wasSaid ? texts.back : texts.connected);
    if (wasSaid) this.#timer = setTimeout(() => this.#say("live", texts.connected), BACK_MS);
  }

  #say(lamp, word) {
    this.#lamp.className = `lamp lamp--${lamp}`;
    // Said again, it would be read out again.
    if (this.#word.textContent !== word) this.#word.textContent = word;
  }
}
