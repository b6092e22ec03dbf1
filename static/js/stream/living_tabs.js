/**
 * Which tabs of this browser are alive. Each holds a Web Lock of its own, which the browser releases when the tab is
 * closed, crashes, or is discarded to save memory: then it can't send a `bye`.
 */
export class LivingTabs {
  #prefix;
  #release = () => {};

  constructor(name) {
    this.#prefix = `${name}:tab:`;
  }

  /** Adds this tab, until it leaves. */
  enter(tab) {
    this.leave();
    const untilLeft = new Promise((resolve) => (this.#release = resolve));
    navigator.locks.request(this.#prefix + tab, () => untilLeft).catch(() => {}); // a tab without locks leads alone
  }

  leave() {
    this.#release();
  }

  /** A Set of tab ids, with those that are about to enter. */
  async all() {
    const { held = [], pending = [] } = await navigator.locks.query();
    const names = [...held, ...pending].map(({ name }) => name);
    return new Set(names.filter((name) => name.startsWith(this.#prefix)).map((name) => name.slice(this.#prefix.length)));
  }
}
