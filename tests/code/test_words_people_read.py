"""The words that people read: they speak of rooms and messages, and of nothing that the chat is made of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from chatserver import errors
from chatserver.errors import ChatError
from chatserver.quotas import quotas
from tests.conftest import ROOT

INSIDE = re.compile(r"\b(?:archiv\w*|logs?|redis|mongo\w*|database|stream\w*|backlog|projection)\b", re.IGNORECASE)
"""Parts of the inside. Clients of the HTTP interface read of streams too: see `FOR_PROGRAMS`."""

FOR_PROGRAMS = {
    "here names rooms of the stream",
    "one stream follows … rooms at most",
    "too many streams were opened, try again in a moment",
}
"""Answers to what no page asks for, or that a page does not show."""


def raised() -> Iterator[str]:
    """All texts that the server gives to an error. What is put into them is "…"."""
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, ChatError)}
    for path in sorted((ROOT / "chatserver").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                for argument in node.args:
                    yield from texts_in(argument)
    for name in kinds:
        yield vars(errors)[name].text
    for quota in quotas.TABLE:
        yield quota.text


def texts_in(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from texts_in(node.body)
        yield from texts_in(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def test_no_error_names_a_part_of_the_inside() -> None:
    found = set(raised())
    assert {"room not found", "that name is taken", "choose a name (… characters at most)"} <= found
    assert {text for text in found if INSIDE.search(text)} == FOR_PROGRAMS


def test_no_error_is_a_whole_sentence() -> None:
    """A page puts it behind a colon, or makes a sentence of it."""
    assert {text for text in raised() if text[0].isupper() or text.endswith(".")} == set()


def test_no_text_of_a_script_names_a_part_of_the_inside() -> None:
    texts = re.findall(r'["`]([^"`\n]+)["`]', (ROOT / "static" / "js" / "support" / "texts.js").read_text())
    assert "Reconnected" in texts
    assert [text for text in texts if INSIDE.search(text)] == []


def test_no_page_names_a_part_of_the_inside() -> None:
    pages = sorted((ROOT / "templates").glob("*.html"))
    assert len(pages) > 10
    for page in pages:
        words = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", " ", page.read_text(), flags=re.DOTALL)
        said = [re.sub(r"<[^>]*>", " ", words), *re.findall(r'(?:title|aria-label|placeholder)="([^"]*)"', words)]
        assert not [text for text in said if INSIDE.search(text)], page.name
