/**
 * Runs work in the next frame, once, however often it is asked for before that. Between two runs it lets the page rest:
 * as long as the last run took, so that what comes faster than it can be done is done in fewer, larger runs.
 *
 * Hidden tabs get no frames, nor do windows that the browser takes for covered: then a timer runs the work. Browsers may
 * hold back the timers of a hidden tab for a minute, so whoever asks has to bound what waits (`hurry`).
 */
const LONGEST_WAIT = 250; // ms for a frame
const SHORTEST_REST = 50; // ms
const LONGEST_REST = 250; // ms

export class NextFrame {
  #work;
  #isAsked = false;
  #frame;
  #timer;
  #restedAt = -Infinity;

  constructor(work) {
    this.#work = work;
  }

  ask() {
    if (this.#isAsked) {
      return;
    }
    this.#isAsked = true;
    const rest = Math.min(this.#restedAt - performance.now(), LONGEST_REST);
    if (rest > 0) {
      this.#timer = setTimeout(() => this.#await(), rest);
    } else {
      this.#await();
    }
  }

  /** Runs the work now, if it was asked for. */
  hurry() {
    if (this.#isAsked) {
      this.#run();
    }
  }

  #await() {
    this.#frame = requestAnimationFrame(() => this.#run());
    this.#timer = setTimeout(() => this.#run(), LONGEST_WAIT);
  }

  #run() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#isAsked = false;
    const began = performance.now();
    this.#work();
    const ended = performance.now();
    this.#restedAt = ended + Math.min(Math.max(ended - began, SHORTEST_REST), LONGEST_REST);
  }
}
