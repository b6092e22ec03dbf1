/**
 * Which tabs of this browser live. Each holds a Web Lock of its own, which the browser takes back when the tab is closed,
 * crashes, or is thrown out to save memory: then it can't say good-bye.
 */
export class LivingTabs {
  #prefix;
  #release = () => {};

  constructor(name) {
    this.#prefix = `${name}:tab:`;
  }

  /** This tab is one of them, until it leaves. */
  enter(tab) {
    this.leave();
    const untilLeft = new Promise((resolve) => (this.#release = resolve));
    navigator.locks.request(this.#prefix + tab, () => untilLeft).catch(() => {}); // who has no locks leads alone
  }

  leave() {
    this.#release();
  }

  /** A Set of tabs. Those that are about to enter are among them. */
  async all() {
    const { held = [], pending = [] } = await navigator.locks.query();
    const names = [...held, ...pending].map(({ name }) => name);
    return new Set(names.filter((name) => name.startsWith(this.#prefix)).map((name) => name.slice(this.#prefix.length)));
  }
}
