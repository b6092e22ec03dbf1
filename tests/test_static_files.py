"""The files of the pages, as they are sent."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from chatserver.static_files import STYLE, StaticFiles

STATIC = Path(__file__).resolve().parent.parent / "static"

SCRIPT = """/**
 * What it is.
 */
import { one } from "./helpers/one.js"; // stays
// goes
export const address = "https://example.org/*";
  /* goes too */ export const b = 1; /* stays */
const c = `not // a comment`;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, text in {
        "js/room.js": 'import {\n  b,\n} from "./models/b.js";\nimport { one } from "./helpers/one.js";\n',
        "js/models/b.js": 'import { one } from "../helpers/one.js";\nexport const b = one;\n',
        "js/helpers/one.js": 'export const one = "./no/import.js";\n',
        "js/other.js": SCRIPT,
        "css/layers.css": "@layer a, z;\n",
        "css/card.css": "/* A card. */\n.card { color: red }\n",
        "README.md": "not for anybody",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_a_page_is_told_all_modules_of_its_script_each_once(folder: Path) -> None:
    files = StaticFiles(folder)
    expected = [files.address(f"js/{name}.js") for name in ("room", "models/b", "helpers/one")]
    assert files.modules("js/room.js") == expected


def test_comments_stay_at_home_and_lines_keep_their_numbers(folder: Path) -> None:
    file = StaticFiles(folder).find("js/other.js")
    assert file is not None
    sent, written = file.body.decode().split("\n"), SCRIPT.split("\n")
    assert [each for each in zip(sent, written, strict=True) if each[0] != each[1]] == [
        ("", "/**"),
        ("", " * What it is."),
        ("", " */"),
        ("", "// goes"),
    ]


def test_all_sheets_are_one_that_begins_with_the_layers(folder: Path) -> None:
    sheet = StaticFiles(folder).find(STYLE)
    assert sheet is not None
    assert re.sub(r"\n+", "\n", sheet.body.decode()) == "@layer a, z;\n.card { color: red }\n"


def test_only_files_of_pages_are_served(folder: Path) -> None:
    files = StaticFiles(folder)
    for path in ("README.md", "css", "", "../setup.cfg", "/js/room.js", "js//room.js"):
        assert files.find(path) is None


def test_the_address_changes_with_any_file(folder: Path) -> None:
    before = StaticFiles(folder).address("js/room.js")
    assert StaticFiles(folder).address("js/room.js") == before
    (folder / "css" / "card.css").write_text(".card { color: blue }")
    assert StaticFiles(folder).address("js/room.js") != before


def test_what_is_compressed_is_what_is_not(folder: Path) -> None:
    files = StaticFiles(STATIC)
    for path in ("js/room.js", STYLE, "favicon.svg"):
        file = files.find(path)
        assert file is not None
        assert file.compressed is not None
        assert gzip.decompress(file.compressed) == file.body


def test_each_module_of_ours_is_found_and_none_imports_in_a_circle() -> None:
    files = StaticFiles(STATIC)
    for path in (STATIC / "js").rglob("*.js"):
        name = path.relative_to(STATIC).as_posix()
        for module in files.modules(name):
            assert (STATIC / module.split("/", 3)[3]).is_file()
        for other in files.modules(name)[1:]:
            assert files.address(name) not in files.modules(other.split("/", 3)[3]), f"{name} and {other}"


def test_no_script_of_ours_has_a_comment_that_is_none() -> None:
    """A text of several lines may have one that looks like a comment, and would lose it."""
    for path in (STATIC / "js").rglob("*.js"):
        for text in re.findall(r"`[^`]*`", re.sub(r"//[^\n]*|/\*(?s:.*?)\*/", "", path.read_text())):
            assert "\n" not in text, path
