"""The documents say what the code does, wherever both have it."""

from __future__ import annotations

import re

import msgspec
import pytest

from chatserver.model.changes import Deleted, Edited, Reacted
from chatserver.model.event_kinds import LASTING, PASSING, Sent
from chatserver.quotas import quotas
from chatserver.settings import TABLE
from desk import api_tables
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "API.md").read_text()
LOOK_UPS = 10
MOST_FILES = 3
LASTING_DATA: dict[str, type[msgspec.Struct]] = {"edited": Edited, "deleted": Deleted, "reaction": Reacted}
TIMES = {"s": 1, "min": 60, "h": 3_600}


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    below = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table is not None, heading
    lines = table[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_interface_has_each_route_and_each_error_and_no_other() -> None:
    assert api_tables.with_tables(API) == API, "scripts/api-tables writes it anew"
    assert len(api_tables.routes()) > 15


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table of errors"):
        api_tables.with_tables(API.replace("<!-- errors -->", ""))


def test_the_interface_says_what_each_event_of_a_stream_says() -> None:
    told = {name.strip("`"): (lasting, data) for name, lasting, data in rows(API, "The stream")}
    by_name = {name for name, kind in LASTING.items() if kind.sent is Sent.BY_NAME}
    assert set(told) == {"(none)"} | by_name | set(PASSING)
    passing = {str(name): data for name, data in PASSING.items()}
    for name, (lasting, data) in told.items():
        assert lasting == ("no" if name in PASSING else "yes")
        payload = (LASTING_DATA | passing).get(name)
        if payload is not None:
            fields = {field.name for field in msgspec.structs.fields(payload)}
            assert {field for field in fields if f"`{field}`" not in data} == set(), name


def test_the_readme_has_each_variable_with_its_default() -> None:
    documented: dict[str, str] = {}
    for names, defaults, _ in rows(README, "Configuration"):
        values = defaults.strip("`").split(", ")
        documented |= dict(zip(re.findall(r"`(\w+)`", names), values, strict=True))
    assert documented == {variable.name: variable.default or "–" for variable in TABLE}


def test_the_readme_has_each_quota() -> None:
    documented = set()
    for _, _, bursts, times in rows(README, "Quotas"):
        numbers = re.findall(r"\d+", bursts.partition(" then ")[0])
        for burst, time in zip(numbers, times.replace("a day", "24 h").split(", and "), strict=True):
            number, unit = time.split()
            documented.add((int(burst), int(number) * TIMES[unit]))
    assert documented == {(quota.burst, quota.seconds) for quota in quotas.TABLE}


def test_the_readme_has_each_package_once() -> None:
    documented = [name for names, _ in rows(README, "What it stands on") for name in names.split(", ")]
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    assert sorted(documented, key=str.lower) == sorted(pinned, key=str.lower)


def test_what_contributors_look_for_is_in_few_files_that_exist() -> None:
    look_ups = rows((ROOT / "CONTRIBUTING.md").read_text(), "Where is…")
    assert len(look_ups) >= LOOK_UPS
    for question, answer in look_ups:
        files = re.findall(r"`([\w./-]+\.\w+)`", answer)
        assert 1 <= len(files) <= MOST_FILES, question
        assert [file for file in files if not (ROOT / file).is_file()] == [], question


@pytest.mark.parametrize(
    "path", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/API.md", "scripts/README.md"]
)
def test_links_between_documents_lead_somewhere(path: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#([\w…-]+))?\)", (ROOT / path).read_text())
    for file, heading in links:
        target = (ROOT / path).parent / file
        assert target.exists(), file
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert heading in {each.lower().replace(" ", "-") for each in headings}, f"{file}#{heading}"
