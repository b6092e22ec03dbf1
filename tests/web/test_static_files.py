"""The files of the pages, as they are sent."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from chatserver.web.js_bundle import CannotBundle
from chatserver.web.static_files import STYLE, StaticFiles

STATIC = Path(__file__).resolve().parents[2] / "static"

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
        "js/helpers/one.js": 'export const one = "./no/import.js";\nexport const late = import("../models/late.js");\n',
        "js/other.js": SCRIPT,
        "css/layers.css": "@layer a, z;\n",
        "css/card.css": "/* A card. */\n.card { color: red }\n",
        "README.md": "not for anybody",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_the_script_of_a_page_has_all_modules_each_once_behind_what_they_import(folder: Path) -> None:
    file = StaticFiles(folder).find("js/room.js")
    assert file is not None
    lines = [line.split(" = ")[-1] for line in file.body.decode().split("\n") if line.strip()]
    assert lines == [
        "(() => {", '"./no/import.js";', 'import("./models/late.js");', "return { one, late };", "})();",
        "(() => {", "m0;", "one;", "return { b };", "})();",
        "(() => {", "const {", "  b,", "m1;", "m0;", "return {  };", "})();",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        'import * as all from "./helpers/one.js";',
        'import one from "./helpers/one.js";',
        "export default 1;",
        "export let one = 1;",
        'export { one } from "./helpers/one.js";',
        'import { one } from "./helpers/two.js";',
    ],
)
def test_what_would_not_be_the_same_as_one_script_stops_the_start(folder: Path, line: str) -> None:
    with (folder / "js" / "room.js").open("a") as script:
        script.write(f"{line}\n")
    with pytest.raises(CannotBundle, match="js/"):
        StaticFiles(folder)


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


def test_no_script_of_ours_has_a_comment_that_is_none() -> None:
    """A text of several lines may have one that looks like a comment, and would lose it."""
    for path in (STATIC / "js").rglob("*.js"):
        for text in re.findall(r"`[^`]*`", re.sub(r"//[^\n]*|/\*(?s:.*?)\*/", "", path.read_text())):
            assert not re.search(r"^\s*(//|/\*)", text, re.MULTILINE), path
