/** Applies the chosen theme before the first paint. The only script that is not a module: modules run later. */
{
  let theme = null;
  try {
    theme = localStorage.getItem("harbour:theme");
  } catch {
    // storage is forbidden: the theme is the system's
  }
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
    const colors = document.querySelectorAll('meta[name="theme-color"]');
    const chosen = [...colors].find((each) => each.media.includes(theme)).dataset.color;
    colors.forEach((each) => (each.content = chosen));
  }
}
