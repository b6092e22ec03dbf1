"""What holds for all scripts of the page."""

from __future__ import annotations

import re
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "static" / "js"

MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|createContextualFragment|DOMParser|srcdoc"
)


def test_markup_becomes_elements_in_one_place_only() -> None:
    places = [str(path.relative_to(SCRIPTS)) for path in SCRIPTS.rglob("*.js") if MARKUP.search(path.read_text())]
    assert places == ["talk/html.js"]


def test_what_scripts_say_stands_in_one_table() -> None:
    """A script that puts words of its own on the page would not be translated."""
    words = re.compile(r"(?:textContent|title|ariaLabel|placeholder) = [\"'`][A-Za-z]")
    assert [str(path) for path in SCRIPTS.rglob("*.js") if words.search(path.read_text())] == []


def test_no_text_has_the_name_of_another() -> None:
    """The second of two would silently be the only one."""
    names = re.findall(r"^  (\w+):", (SCRIPTS / "support" / "texts.js").read_text(), re.MULTILINE)
    assert len(names) > 20
    assert sorted(names) == sorted(set(names))
