"""How the code hangs together: what a reader may rely on without looking."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHATSERVER = ROOT / "chatserver"
LONGEST_FILE = 300
FULLEST_FOLDER = 20

ORDER = (
    "__main__",
    "supervisor",
    "serving",
    "app",
    "web.http_server",
    "web.application",
    "web.handlers",
    "web.caller.caller",
    "web.http_parts",
    "web.caller",
    "web.services",
    "web",
    "web.transport",
    "admin",
    "search",
    "messages",
    "presence",
    "rooms",
    "live",
    "accounts",
    "quotas",
    "archive",
    "log",
    "model",
    "settings",
    "support",
    "errors",
)
"""The packages from top to bottom. A module imports from its own package and from those below it. Where a module has
a line of its own, that counts, and not its package's."""


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
    assert "chatserver.web.handlers.base" in imports["chatserver.web.handlers.pages"]
    try:
        tuple(TopologicalSorter(imports).static_order())
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def floor(module: str) -> int:
    """How far down the list a module stands."""
    parts = module.split(".")[1:]
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in ORDER:
            return ORDER.index(name)
    raise AssertionError(f"{module} has no place in ORDER")


def test_imports_go_down() -> None:
    upward = [
        f"{name} imports {each}"
        for name, imports in graph().items()
        for each in imports
        if name != "chatserver" and each != "chatserver" and floor(each) < floor(name)
    ]
    assert upward == []


def test_each_package_is_in_use() -> None:
    assert {floor(name) for name in modules() if name != "chatserver"} == set(range(len(ORDER)))


def test_no_folder_is_fuller_than_one_can_look_over() -> None:
    folders = [CHATSERVER, ROOT / "tests", ROOT / "scripts" / "lib"]
    files = [path for folder in folders for path in folder.rglob("*.py") if path.name != "__init__.py"]
    assert len(files) > 300
    counts = Counter(path.parent for path in files)
    assert {str(folder): count for folder, count in counts.items() if count > FULLEST_FOLDER} == {}


def test_the_parts_of_the_commands_import_one_way() -> None:
    """`common` is below all, and each command may start a chat at a desk. Strain breaks things with torture's world."""
    lib = ROOT / "scripts" / "lib"
    names = {folder.name for folder in lib.iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    assert {"common", "desk", "torture"} <= names
    for path in lib.rglob("*.py"):
        own = path.relative_to(lib).parts[0]
        below = {"common": set(), "desk": {"common"}, "strain": {"common", "desk", "torture"}}
        allowed = {own} | below.get(own, {"common", "desk"})
        found = {name.split(".")[0] for name in imported(path)} & names
        assert found <= allowed, f"{path} imports {found - allowed}"


def test_the_domain_knows_nothing_of_http() -> None:
    """Handlers know the domain; only the wiring knows the handlers."""
    for name, path in modules().items():
        if name != "chatserver" and floor(name) > ORDER.index("web.transport"):
            assert not [each for each in imported(path) if each.startswith("tornado.")], name


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


SCRIPTS = CHATSERVER.parent / "static" / "js"
SCRIPT_ORDER = (
    ("room.js", "lobby.js"),
    ("page_frame.js",),
    ("actions",),
    ("session", "talk"),
    ("composer",),
    ("people", "sidebar", "search", "outbox"),
    ("stream", "window"),
    ("support",),
    ("first_paint.js",),
)
"""Folders and single files of static/js, from top to bottom. Those of one level do not know each other."""


def script_imports() -> dict[str, set[str]]:
    """The modules that each module of the page imports, at its top or when it needs them."""
    imports = {}
    for path in sorted(SCRIPTS.rglob("*.js")):
        paths = re.findall(r'(?:^import (?:[^;"]* from )?|\bimport\()"(\.[^"]*)"', path.read_text(), re.MULTILINE)
        resolved = {(path.parent / each).resolve().relative_to(SCRIPTS).as_posix() for each in paths}
        imports[path.relative_to(SCRIPTS).as_posix()] = resolved
    return imports


def test_imports_of_scripts_go_down() -> None:
    levels = {part: level for level, parts in enumerate(SCRIPT_ORDER) for part in parts}
    imports = script_imports()
    assert {name.partition("/")[0] for name in imports} == set(levels)
    assert "support/backoff.js" in imports["stream/room_stream.js"]
    assert "composer/emoji_table.js" in imports["composer/emoji_picker.js"]
    wrong = []
    for name, imported_names in imports.items():
        folder = name.partition("/")[0]
        for other in imported_names:
            lower = other.partition("/")[0]
            if folder != lower and levels[folder] >= levels[lower]:
                wrong.append(f"{name} imports {other}")
    assert wrong == []


def test_no_script_imports_in_a_circle() -> None:
    try:
        tuple(TopologicalSorter(script_imports()).static_order())
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_no_script_or_sheet_is_longer_than_can_be_read_at_once() -> None:
    static = SCRIPTS.parent
    lengths = {
        path.relative_to(static).as_posix(): len(path.read_text().splitlines())
        for pattern in ("*.js", "*.css")
        for path in static.rglob(pattern)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_folder_of_scripts_or_sheets_is_fuller_than_one_can_look_over() -> None:
    files = [path for pattern in ("*.js", "*.css") for path in SCRIPTS.parent.rglob(pattern)]
    assert len(files) > 100
    sizes = Counter(path.parent.relative_to(SCRIPTS.parent).as_posix() for path in files)
    assert {name: size for name, size in sizes.items() if size > FULLEST_FOLDER} == {}
