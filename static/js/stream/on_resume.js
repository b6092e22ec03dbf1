/**
 * Calls back when the page may have lost its connection without an event: the network changed, the page returns from
 * the browser's cache or from the background, or the machine has slept.
 */
const LONG_HIDDEN = 60_000; // ms; phones freeze a page in the background about then
const TICK_INTERVAL = 10_000; // ms
const SLEEP_GAP = 40_000; // ms between two ticks of a visible page

export function onResume(resumed) {
  let hiddenAt = Infinity;
  let tickedAt = Date.now();

  window.addEventListener("online", resumed);
  window.addEventListener("offline", resumed);
  window.addEventListener("pageshow", (event) => event.persisted && resumed());
  document.addEventListener("visibilitychange", () => {
    const hiddenFor = Date.now() - hiddenAt;
    hiddenAt = document.hidden ? Date.now() : Infinity;
    tickedAt = Date.now();
    if (hiddenFor > LONG_HIDDEN) {
      resumed();
    }
  });
  setInterval(() => {
    const sinceTick = Date.now() - tickedAt;
    tickedAt = Date.now();
    if (sinceTick > SLEEP_GAP && !document.hidden) {
      resumed();
    }
  }, TICK_INTERVAL);
}
