/**
 * The choice of a theme: light, dark or the system's, for all tabs of this browser. js/first_paint.js applies it first.
 */
const KEY = "harbour:theme"; // the plain word, as first_paint.js expects it
const THEMES = ["light", "dark"];

export class ThemeChoice {
  #choices;
  #root;
  #colors;

  /** `element`: holds the radio buttons. `colors`: each `<meta name="theme-color">`, one for either scheme. */
  constructor({ element, root, colors }) {
    this.#choices = element.querySelectorAll("input");
    this.#root = root;
    const [light, dark] = ["light", "dark"].map((theme) => [...colors].find((each) => each.media.includes(theme)));
    this.#colors = { light, dark };
    element.addEventListener("change", ({ target }) => this.#choose(target.value));
    window.addEventListener("storage", (event) => event.key === KEY && this.#show(event.newValue));
    this.#check(root.dataset.theme);
  }

  #choose(theme) {
    try {
      if (THEMES.includes(theme)) {
        localStorage.setItem(KEY, theme);
      } else {
        localStorage.removeItem(KEY);
      }
    } catch {
      // then it holds for this page only
    }
    this.#show(theme);
  }

  #show(theme) {
    const { light, dark } = this.#colors;
    if (THEMES.includes(theme)) {
      this.#root.dataset.theme = theme;
    } else {
      delete this.#root.dataset.theme;
    }
    light.content = theme === "dark" ? dark.dataset.color : light.dataset.color;
    dark.content = theme === "light" ? light.dataset.color : dark.dataset.color;
    this.#check(theme);
  }

  #check(theme) {
    const chosen = THEMES.includes(theme) ? theme : "system";
    this.#choices.forEach((choice) => (choice.checked = choice.value === chosen));
  }
}
