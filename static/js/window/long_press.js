/** Calls back on a long press of a finger, except on links and buttons, which have a menu of their own. */
const LONG_PRESS = 450; // ms
const MOST_DRIFT = 10; // px

export function onLongPress(element, callback) {
  let timer = null;
  let from = null;
  let wasLong = false;

  const end = () => {
    clearTimeout(timer);
    timer = null;
  };
  element.addEventListener("pointerdown", (event) => {
    end();
    wasLong = false;
    if (event.pointerType === "mouse" || !event.isPrimary || event.target.closest("a, button")) {
      return;
    }
    from = event;
    timer = setTimeout(() => {
      wasLong = true;
      navigator.vibrate?.(10);
      callback(event.target);
    }, LONG_PRESS);
  });
  element.addEventListener("pointermove", (event) => {
    if (timer && Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > MOST_DRIFT) {
      end();
    }
  });
  for (const type of ["pointerup", "pointercancel", "pointerleave"]) {
    element.addEventListener(type, end);
  }
  document.addEventListener("scroll", end, { capture: true, passive: true });
  // The browser's own reaction to a long press.
  element.addEventListener("contextmenu", (event) => (timer || wasLong) && event.preventDefault());
}
