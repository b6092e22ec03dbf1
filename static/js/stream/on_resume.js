/**
 * Calls back when the page may have lost its connection without being told: the network changed, the page comes back
 * from the browser's cache or from the background, or the machine has slept.
 */
const HIDDEN_LONG = 60_000; // ms; phones freeze a page in the background about then
const TICK = 10_000; // ms
const SLEPT = 40_000; // ms between two ticks of a visible page

export function onWake(wake) {
  let hiddenAt = Infinity;
  let tickedAt = Date.now();

  window.addEventListener("online", wake);
  window.addEventListener("offline", wake);
  window.addEventListener("pageshow", (event) => event.persisted && wake());
  document.addEventListener("visibilitychange", () => {
    const hiddenFor = Date.now() - hiddenAt;
    hiddenAt = document.hidden ? Date.now() : Infinity;
    tickedAt = Date.now();
    if (hiddenFor > HIDDEN_LONG) {
      wake();
    }
  });
  setInterval(() => {
    const sinceTick = Date.now() - tickedAt;
    tickedAt = Date.now();
    if (sinceTick > SLEPT && !document.hidden) {
      wake();
    }
  }, TICK);
}
