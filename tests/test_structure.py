"""How the code hangs together: what a reader may rely on without looking."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CHATSERVER = Path(__file__).resolve().parent.parent / "chatserver"
LONGEST_FILE = 300


def modules() -> dict[str, Path]:
    """Every module of the server, by name."""
    found = {}
    for path in sorted(CHATSERVER.rglob("*.py")):
        parts = [CHATSERVER.name, *path.relative_to(CHATSERVER).with_suffix("").parts]
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """What a file imports, wherever it says so: in functions and for the type checker too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def graph() -> dict[str, set[str]]:
    """Which module imports which. A package counts only where a name of its own is meant."""
    known = modules()
    imports = {}
    for name, path in known.items():
        names = {each for each in imported(path) if each in known}
        imports[name] = {each for each in names if not any(other.startswith(f"{each}.") for other in names)} - {name}
    return imports


def test_no_module_imports_in_a_circle() -> None:
    imports = graph()
    assert len(imports) > 40
    assert "chatserver.handlers.base" in imports["chatserver.handlers.pages"]
    try:
        tuple(TopologicalSorter(imports).static_order())
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_the_domain_knows_nothing_of_http() -> None:
    """Handlers know the domain; only the wiring knows the handlers."""
    http = {"chatserver.app", "chatserver.application"}
    for name, imports in graph().items():
        if not name.startswith("chatserver.handlers") and name not in http:
            assert not [each for each in imports if each.startswith("chatserver.handlers")], name
    for name, path in modules().items():
        if not name.startswith("chatserver.handlers") and name not in http:
            assert "tornado.web" not in set(imported(path)), name


def test_motor_is_known_in_one_place() -> None:
    users = [path.name for path in modules().values() if any(name.split(".")[0] == "motor" for name in imported(path))]
    assert users == ["database.py"]


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    lengths = {
        str(path.relative_to(CHATSERVER)): len(path.read_text().splitlines())
        for pattern in ("*.py", "*.lua")
        for path in CHATSERVER.rglob(pattern)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}
