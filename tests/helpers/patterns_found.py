"""Finds the patterns of the code, and the texts that are hard for each of them."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import regex
from pygments.lexers.javascript import JavascriptLexer
from pygments.token import Name, String, is_token_subtype

from tests.test_structure import CHATSERVER, modules

SCRIPTS = CHATSERVER.parent / "static" / "js"

POOL = "aZ0_ \t\n\r-:/.@#*&;<>()[]{}'\"`~|\\,?!é\u0130ßжא漢あกक\u0300\u05b0\u064b\u200d\ufe0f\u20e3\u202e\u00ad\u2028©←⭐🎉🏽🇩\U000e0067ﷺ\ue000\u0378\0"
"""Characters of all kinds, so that each class of a pattern has one in it and one that is not."""

_ATOM = re.compile(
    r"(?P<syntax>\(\?(?:[:=!>]|<[=!]|P?<\w+>)|\{\d+(?:,\d*)?\}|\\[bBAZ0-9]|[()|*+?^$])"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\.|.",
    re.DOTALL,
)


_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]+)\}|\\U([0-9a-fA-F]{8})|\\[ux]((?<=u)[0-9a-fA-F]{4}|(?<=x)[0-9a-fA-F]{2})")


class Found(NamedTuple):
    """A use of a pattern. `name`: of the module, and of what it is called there, or of the function that uses it."""

    name: str
    methods: frozenset[str]
    pattern: Any = None


def of_python() -> Iterator[Found]:
    """Every pattern of the server: what is compiled at the top of a module, and each other call of `re` and `regex`."""
    for module, path in modules().items():
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.module not in {"re", "regex"}, f"{path}: say re.{node.names[0].name}"
            elif isinstance(node, ast.Import):
                assert all(alias.asname is None for alias in node.names if alias.name in {"re", "regex"}), path
        at_top = set()
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and _is_compiled(statement.value):
                (target,) = statement.targets
                assert isinstance(target, ast.Name)
                at_top.add(statement.value)
                pattern = getattr(importlib.import_module(module), target.id)
                yield Found(f"{module}.{target.id}", _methods_of(target.id, tree), pattern)
        for function in [tree, *_functions(tree)]:
            for node in _own_nodes(function):
                if _is_call(node) and node not in at_top:
                    yield Found(f"{module}.{getattr(function, 'name', '<module>')}", frozenset())


def of_javascript() -> Iterator[Found]:
    """Every literal, as (source, flags); and each `RegExp(…)`, without."""
    for path in sorted(SCRIPTS.rglob("*.js")):
        name = str(path.relative_to(SCRIPTS))
        for kind, text in JavascriptLexer().get_tokens(path.read_text()):
            if is_token_subtype(kind, String.Regex):
                source, _, flags = text[1:].rpartition("/")
                yield Found(name, frozenset(), (source, flags))
            elif text == "RegExp" and is_token_subtype(kind, Name):
                yield Found(name, frozenset())


def hard_words(source: str, compile_one: Any, longest: int = 3) -> Iterator[str]:
    """All words of up to `longest` characters, of which no two are alike to each part of the pattern.

    `compile_one`: makes a pattern of a part of this one that stands for one character.
    """
    source = _ESCAPED.sub(lambda found: _character(int(found[1] or found[2] or found[3], 16)), source)
    atoms, literals = [], set(POOL)
    for found in _ATOM.finditer(source):
        if found["syntax"] is None:
            atoms.append(compile_one(found[0]))
            literals |= set(regex.sub(r"\\[pPuUx]?(\{[^}]*\})?", "", found[0]))
    alike: dict[tuple[bool, ...], str] = {}
    for character in sorted(literals, key=lambda each: (each not in source, each)):
        alike.setdefault(tuple(atom.fullmatch(character) is not None for atom in atoms), character)
    alphabet = list(alike.values())
    for length in range(1, longest + 1):
        yield from map("".join, itertools.product(alphabet[: 60 if length < 3 else 12], repeat=length))


def texts_of(words: Iterable[str], longest: int) -> Iterator[str]:
    """Repeats that get longer, so that a pattern with too many ways is noticed before it takes for ever; each once
    with an end at which all that matched is in vain."""
    for word in words:
        for length in (*range(16, min(48, longest), 4), min(100, longest), longest):
            text = (word * length)[:length]
            yield text
            yield text[:-1] + "\x01"


def _character(code: int) -> str:
    return chr(code) if chr(code).isalnum() or code > 127 else "\\" + chr(code)


def _is_compiled(node: ast.expr) -> bool:
    return _is_call(node) and isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "compile"


def _is_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"re", "regex"}
        and node.func.attr != "escape"
    )


def _functions(tree: ast.Module) -> list[ast.AST]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Those that stand in no function inside it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from _own_nodes(node)


def _methods_of(name: str, tree: ast.Module) -> frozenset[str]:
    """What its module asks the pattern; all that could be asked where somebody else may do it."""
    asked = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == name
    }
    return frozenset(asked) or frozenset({"search", "fullmatch"})
