/** A wait that can be cut short: `await pause.for(ms)` in one place, `pause.end()` where the reason to wait ends. */
export class Pause {
  #end = () => {};

  for(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  end() {
    this.#end();
  }
}
