/** Puts a floating element next to another one, inside the window. On a phone the sheet ignores it (floating.css). */
const GAP = 6; // px

export function placeNextTo(element, anchor) {
  const { width, height } = element.getBoundingClientRect();
  const { innerWidth, innerHeight } = window;
  const fitsBelow = anchor.bottom + GAP + height <= innerHeight - GAP;
  const top = fitsBelow ? anchor.bottom + GAP : Math.max(GAP, anchor.top - GAP - height);
  const isInTheRightHalf = anchor.left + anchor.width / 2 > innerWidth / 2;
  const left = isInTheRightHalf ? anchor.right - width : anchor.left;
  element.style.setProperty("--x", `${Math.round(Math.max(GAP, Math.min(left, innerWidth - width - GAP)))}px`);
  element.style.setProperty("--y", `${Math.round(Math.min(top, innerHeight - height - GAP))}px`);
}
