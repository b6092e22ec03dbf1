/**
 * Knows if the user looks at a room, in any tab of this browser. The tab in front holds a lock of that name, shared with
 * others: the browser releases it when the tab is closed, killed or frozen, so it can't get stale.
 */
export class Attention {
  #prefix;
  #letGo = null;

  /** `roomId`: the room that this page shows, if any. */
  constructor({ userId, roomId, locks = navigator.locks }) {
    this.#prefix = `harbour:looking:${userId}:`;
    this.locks = locks; // undefined outside of a secure context, which has no notifications either
    if (roomId && locks) {
      const look = () => this.#look(roomId);
      window.addEventListener("focus", look);
      window.addEventListener("blur", look);
      document.addEventListener("visibilitychange", look);
      look();
    }
  }

  async isOn(roomId) {
    const { held } = (await this.locks?.query()) ?? { held: [] };
    return held.some(({ name }) => name === this.#prefix + roomId);
  }

  #look(roomId) {
    const isLooking = document.hasFocus() && !document.hidden;
    if (isLooking && !this.#letGo) {
      const gone = new Promise((resolve) => (this.#letGo = resolve));
      this.locks.request(this.#prefix + roomId, { mode: "shared" }, () => gone).catch(() => {});
    } else if (!isLooking && this.#letGo) {
      this.#letGo();
      this.#letGo = null;
    }
  }
}
