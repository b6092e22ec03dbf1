/**
 * Keeps the composer above the keyboard in browsers that lay the keyboard over the page instead of shrinking it (iOS;
 * elsewhere `interactive-widget` in the page's head does it): the room gets the height of the visible part.
 */
export function followKeyboard(root, viewport = window.visualViewport) {
  viewport?.addEventListener("resize", () => {
    const isPinched = viewport.scale > 1.01;
    const isCovered = !isPinched && viewport.height < window.innerHeight - 1;
    if (isCovered) {
      root.style.setProperty("--visible", `${viewport.height}px`);
      window.scrollTo(0, 0);
    } else {
      root.style.removeProperty("--visible");
    }
  });
}
