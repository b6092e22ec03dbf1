"""Finds mistakes in the style sheets: what a browser would drop in silence, and what nothing uses any more."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import tinycss2

from common.paths import ROOT

LAYERS = "layers.css"
GENERATED = "base/code.css"
USERS = ("static/js/**/*.js", "templates/**/*.html", "chatserver/**/*.py")
"""Where class names are written and custom properties are set."""

_CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
_BUILT_NAME = re.compile(r"([a-z][\w-]*--\w*)(?:\$\{|\{\{|\{)")
_NAME = re.compile(r"-?-?[a-zA-Z_][\w-]*")


class Rule(NamedTuple):
    """A block of declarations. `context`: the at-rules around it; `selector`: with single spaces."""

    sheet: str
    line: int
    context: str
    selector: str
    declarations: list[Any]


class Mistake(NamedTuple):
    sheet: str
    line: int
    text: str


def mistakes(sheets: dict[str, str], users: Iterable[str]) -> list[Mistake]:
    """Those of all sheets, in their order. `sheets`: their text by name; `users`: the texts of what uses them."""
    found: list[Mistake] = []
    rules: list[Rule] = []
    layers = _layer_names(sheets.get(LAYERS, ""))
    for name, text in sheets.items():
        nodes = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
        if name != LAYERS:
            found += _outside_of_layers(name, nodes, layers)
        rules += _rules(name, nodes, "", found)
    for rule in rules:
        found += _of_one(rule)
    found += _doubled_selectors(rules)
    found += _unused_and_undefined(rules, "\n".join(users))
    return sorted(found)


def _layer_names(text: str) -> set[str]:
    return {
        name
        for node in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
        if node.type == "at-rule" and node.at_keyword == "layer"
        for name in re.findall(_NAME, tinycss2.serialize(node.prelude))
    }


def _outside_of_layers(sheet: str, nodes: list[Any], layers: set[str]) -> Iterator[Mistake]:
    """Rules outside of all layers would win over all others, and a layer of another name over all known ones."""
    for node in nodes:
        is_layer = node.type == "at-rule" and node.at_keyword == "layer"
        if not is_layer or tinycss2.serialize(node.prelude).strip() not in layers:
            yield Mistake(sheet, node.source_line, f"stands in none of the layers of {LAYERS}")


def _rules(sheet: str, nodes: list[Any], context: str, found: list[Mistake]) -> Iterator[Rule]:
    """All blocks of declarations, however deep. Adds what can't be parsed to `found`."""
    for node in nodes:
        if node.type == "error":
            found.append(Mistake(sheet, node.source_line, f"can't be parsed: {node.message}"))
        elif node.type == "qualified-rule":
            declarations = []
            for each in tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True):
                if each.type == "declaration":
                    declarations.append(each)
                else:
                    found.append(Mistake(sheet, each.source_line, "is no declaration"))
            selector = " ".join(tinycss2.serialize(node.prelude).split())
            yield Rule(sheet, node.source_line, context, selector, declarations)
        elif node.type == "at-rule" and node.content is not None:
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            around = f"{context} @{node.at_keyword} {tinycss2.serialize(node.prelude).strip()}"
            yield from _rules(sheet, inner, around, found)


def _of_one(rule: Rule) -> Iterator[Mistake]:
    if not rule.declarations:
        yield Mistake(rule.sheet, rule.line, f"{rule.selector} is empty")
    for name, count in Counter(each.name for each in rule.declarations).items():
        if count > 1:
            yield Mistake(rule.sheet, rule.line, f"{rule.selector} sets {name} {count} times")


def _doubled_selectors(rules: list[Rule]) -> Iterator[Mistake]:
    first: dict[tuple[str, str], Rule] = {}
    for rule in rules:
        other = first.setdefault((rule.context, rule.selector), rule)
        if other is not rule and not rule.context.rpartition("@")[2].startswith("keyframes"):
            yield Mistake(rule.sheet, rule.line, f"{rule.selector} stands in {other.sheet}:{other.line} too")


def _unused_and_undefined(rules: list[Rule], users: str) -> Iterator[Mistake]:
    words = set(re.findall(_NAME, users))
    beginnings = tuple(set(_BUILT_NAME.findall(users)))
    uses: dict[str, tuple[Rule, bool]] = {}
    sets: dict[str, Rule] = {}
    for rule in rules:
        if rule.sheet != GENERATED:
            for name in set(_CLASS.findall(rule.selector)):
                if name not in words and not name.startswith(beginnings):
                    yield Mistake(rule.sheet, rule.line, f"nothing has the class {name}")
        for declaration in rule.declarations:
            if declaration.name.startswith("--"):
                sets.setdefault(declaration.name, rule)
            for name, has_fallback in _variables(declaration.value):
                uses[name] = (rule, has_fallback and uses.get(name, (rule, True))[1])
    for name, (rule, has_fallback) in uses.items():
        if name not in sets and not (has_fallback and name in words):
            yield Mistake(rule.sheet, rule.line, f"{name} is set nowhere")
    for name, rule in sets.items():
        if name not in uses and name not in words:
            yield Mistake(rule.sheet, rule.line, f"nothing uses {name}")


def _variables(tokens: list[Any]) -> Iterator[tuple[str, bool]]:
    """The custom properties in a value, each with whether it says what to take where that is not set."""
    for token in tokens:
        if token.type == "function":
            if token.lower_name == "var":
                name = next(each.value for each in token.arguments if each.type == "ident")
                yield name, any(each.type == "literal" and each.value == "," for each in token.arguments)
            yield from _variables(token.arguments)
        elif token.type.endswith("block"):
            yield from _variables(token.content)


def main() -> int:
    folder = ROOT / "static" / "css"
    sheets = {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.css"))}
    users = [path.read_text() for pattern in USERS for path in ROOT.glob(pattern)]
    found = mistakes(sheets, users)
    for sheet, line, text in found:
        print(f"static/css/{sheet}:{line}: {text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
