/** A finger that stays where it is. Not on links and buttons, which have something of their own to offer. */
const LONG = 450; // ms
const STILL = 10; // px

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
    }, LONG);
  });
  element.addEventListener("pointermove", (event) => {
    if (timer && Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > STILL) {
      end();
    }
  });
  for (const type of ["pointerup", "pointercancel", "pointerleave"]) {
    element.addEventListener(type, end);
  }
  document.addEventListener("scroll", end, { capture: true, passive: true });
  // What the browser itself would do on a long press.
  element.addEventListener("contextmenu", (event) => (timer || wasLong) && event.preventDefault());
}
