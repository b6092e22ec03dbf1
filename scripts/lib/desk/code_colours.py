"""`scripts/code-colours`: makes static/css/base/code.css, the colours of code by day and by night.

They are those of two styles of Pygments, moved in lightness until the contrast with each of our backgrounds on which
code may stand is 4.5:1 (WCAG AA).
"""

from __future__ import annotations

import math
import re

from pygments.styles import get_style_by_name
from pygments.token import _TokenType

from chatserver.messages.highlighting import COLOURED
from common.paths import ROOT

STYLES = {"day": "friendly", "night": "github-dark"}
BACKGROUNDS = (0, 1, 2)
"""Steps of palette.css: the canvas, a panel, and what the pointer is over."""

CONTRAST = 4.6
"""A little more than 4.5: browsers round."""

Colour = tuple[float, float, float]
"""Red, green and blue from 0 to 1, as they are written."""


def main() -> None:
    palette = (ROOT / "static" / "css" / "base" / "palette.css").read_text()
    rules: dict[str, list[str]] = {}
    # The last kind of a class is the one that most of its words are of.
    for css_class, kind in {css_class: kind for kind, css_class in COLOURED.items()}.items():
        if css_class:
            by_scheme = [legible(style_colour(scheme, kind), backgrounds(palette, scheme)) for scheme in STYLES]
            rules.setdefault(f"light-dark({', '.join(map(written, by_scheme))})", []).append(css_class)
    lines = ["/* Made by scripts/code-colours: change it there. */", "@layer parts {"]
    for colour, classes in rules.items():
        selector = ",\n".join(f"  code .{each}" for each in classes)
        lines += [f"{selector} {{", f"    color: {colour};", "  }", ""]
    (ROOT / "static" / "css" / "base" / "code.css").write_text("\n".join([*lines[:-1], "}", ""]))
    print("==> made static/css/base/code.css")


def style_colour(scheme: str, kind: _TokenType) -> Colour:
    colour = get_style_by_name(STYLES[scheme]).style_for_token(kind)["color"]
    assert colour is not None, f"{STYLES[scheme]} has no colour for {kind}"
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4))
    return red, green, blue


def backgrounds(palette: str, scheme: str) -> list[Colour]:
    found = []
    for step in BACKGROUNDS:
        match = re.search(rf"--{scheme}-{step}: oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)", palette)
        assert match is not None
        found.append(from_oklch(float(match[1]) / 100, float(match[2]), float(match[3])))
    return found


def legible(colour: Colour, behind: list[Colour]) -> Colour:
    """The colour, as far towards black or white as it has to go."""
    goal = 0.0 if luminance(behind[0]) > 0.5 else 1.0
    for step in range(101):
        red, green, blue = (part + (goal - part) * step / 100 for part in colour)
        if all(contrast((red, green, blue), each) >= CONTRAST for each in behind):
            return red, green, blue
    raise ValueError(colour)


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Colour) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def from_oklch(lightness: float, chroma: float, hue: float) -> Colour:
    """https://www.w3.org/TR/css-color-4/#color-conversion-code"""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return gamma(red), gamma(green), gamma(blue)


def gamma(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def written(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


if __name__ == "__main__":
    main()
