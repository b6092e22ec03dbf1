"""What `scripts/check` finds in style sheets."""

from __future__ import annotations

import pytest

from lint.sheets import mistakes

LAYERS = "@layer tokens, parts;\n"
SCRIPT = 'element.className = `face--h${hue}`; element.style.setProperty("--y", "1px");'
PAGE = '<div class="card card__head"></div>'


def found_in(sheet: str) -> list[str]:
    return [each.text for each in mistakes({"layers.css": LAYERS, "card.css": sheet}, [SCRIPT, PAGE])]


def test_a_sheet_without_mistakes() -> None:
    sheet = """/* A card. */
@layer tokens { :root { --ink: black } }
@layer parts {
  .card, .face--h3 { color: var(--ink); inset: var(--y, 0) }
  @media (max-width: 45rem) { .card { color: inherit } }
  @keyframes turn { 30% { opacity: 1 } }
}"""
    assert found_in(sheet) == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (".card { color red; margin: 0 }", "is no declaration"),
        (".card { margin: 0 } }", "can't be parsed"),
        (".card { }", ".card is empty"),
        (".card { margin: 0; color: red; margin: 1px }", ".card sets margin 2 times"),
        (".card { margin: 0 }\n.card { color: red }", ".card stands in card.css:1 too"),
        (".card__foot { margin: 0 }", "nothing has the class card__foot"),
        (".card { color: var(--inc) }", "--inc is set nowhere"),
        (".card { color: var(--x, var(--inc, red)) }", "--inc is set nowhere"),
        (".card { --ink: red }", "nothing uses --ink"),
    ],
)
def test_a_mistake_is_found(rule: str, text: str) -> None:
    assert any(text in each for each in found_in(f"@layer parts {{ {rule} }}")), found_in(f"@layer parts {{ {rule} }}")


@pytest.mark.parametrize("sheet", [".card { margin: 0 }", "@layer part { .card { margin: 0 } }"])
def test_rules_outside_of_the_layers_are_found(sheet: str) -> None:
    assert found_in(sheet) == ["stands in none of the layers of layers.css"]
