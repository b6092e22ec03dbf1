// The list of rooms on a phone: a drawer over the talk. Without scripts the same button leads to the page of rooms.

const NARROW = "(max-width: 720px)";

export function makeDrawer({ shell, opener, closer, sidebar }) {
  const narrow = matchMedia(NARROW);
  const isOpen = () => shell.classList.contains("shell--drawer");

  function set(open) {
    shell.classList.toggle("shell--drawer", open);
    opener.setAttribute("aria-expanded", String(open));
    if (open) closer.focus();
  }

  function fit() {
    closer.hidden = !narrow.matches;
    if (!narrow.matches) set(false);
  }

  opener.setAttribute("role", "button");
  opener.setAttribute("aria-controls", sidebar.id);
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    set(true);
  });
  closer.addEventListener("click", () => {
    set(false);
    opener.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOpen()) closer.click();
  });
  document.addEventListener("click", (event) => {
    if (isOpen() && !sidebar.contains(event.target) && !opener.contains(event.target)) set(false);
  });
  narrow.addEventListener("change", fit);
  set(false);
  fit();
}
