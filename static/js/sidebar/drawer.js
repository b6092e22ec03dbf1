/** The sidebar on a phone: a drawer over the talk. Without scripts the menu is a link to the list of rooms. */
const NARROW = "(max-width: 45rem)"; // as in sidebar.css

export class Drawer {
  #sidebar;
  #opener;
  #closer;
  #rest;

  /** `shade`: covers the page while the drawer is open. `rest`: inert meanwhile. */
  constructor({ sidebar, opener, closer, shade, rest }) {
    this.#sidebar = sidebar;
    this.#opener = opener;
    this.#closer = closer;
    this.#rest = rest;

    opener.setAttribute("role", "button");
    opener.setAttribute("aria-controls", sidebar.id);
    opener.setAttribute("aria-expanded", "false");
    closer.hidden = false;

    opener.addEventListener("click", (event) => {
      event.preventDefault();
      this.open();
    });
    opener.addEventListener("keydown", (event) => {
      if (event.key === " ") {
        event.preventDefault();
        this.open();
      }
    });
    closer.addEventListener("click", () => this.close());
    shade.addEventListener("click", () => this.close());
    sidebar.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    matchMedia(NARROW).addEventListener("change", () => this.#set(false));
  }

  open() {
    this.#set(true);
    this.#closer.focus();
  }

  close() {
    this.#set(false);
    this.#opener.focus();
  }

  #set(isOpen) {
    this.#sidebar.classList.toggle("sidebar--open", isOpen);
    this.#opener.setAttribute("aria-expanded", String(isOpen));
    this.#rest.inert = isOpen;
  }
}
