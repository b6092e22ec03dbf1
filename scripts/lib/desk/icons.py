"""`scripts/icons`: draws static/icons/*.png from static/favicon.svg. To be run when that changes."""

from __future__ import annotations

from playwright.sync_api import sync_playwright

from common.chromium import find_chromium
from common.paths import ROOT

ICONS = {
    # name: pixels, how much of them the drawing takes. A system may cut a circle out of a maskable icon, and rounds the
    # corners of a touch icon by itself: those two fill their square.
    "any-192": (192, 1.0),
    "any-512": (512, 1.0),
    "maskable-512": (512, 0.72),
    "touch-180": (180, 0.9),
}

PAGE = """<style>* {{ margin: 0 }}
body {{ display: grid; place-items: center; height: 100vh; background: {background} }}
svg {{ width: {size}vw; height: {size}vw }}</style>{svg}"""
SEA = "linear-gradient(135deg, #0a6fb3, #12a3a0)"
PLATE = '<rect width="32" height="32" rx="9" fill="url(#sea)"/>'


def main() -> None:
    program = find_chromium()
    folder = ROOT / "static" / "icons"
    folder.mkdir(exist_ok=True)
    drawing = (ROOT / "static" / "favicon.svg").read_text()
    assert PLATE in drawing
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for name, (pixels, share) in ICONS.items():
            page = browser.new_page(viewport={"width": pixels, "height": pixels})
            svg = drawing if share == 1 else drawing.replace(PLATE, "")
            page.set_content(PAGE.format(svg=svg, size=share * 100, background="none" if share == 1 else SEA))
            page.screenshot(path=folder / f"{name}.png", omit_background=True)
            page.close()
        browser.close()
    print(f"==> {len(ICONS)} icons in {folder}")


if __name__ == "__main__":
    main()
