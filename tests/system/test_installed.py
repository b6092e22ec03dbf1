"""The chat installed by pip, away from its checkout: it brings its pages along, or the start says what is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email.parser import BytesParser
from pathlib import Path

import pytest

import chatserver
from chatserver.supervisor import CANNOT_START
from chatserver.web.page_files import MissingPageFiles, find_page_files
from desk import embedded
from tests.conftest import ROOT, World
from tests.helpers.browserless import Visitor
from tests.helpers.server_process import ServerProcess

BUILT_FROM = (
    "chatserver",
    "static",
    "templates",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "requirements.in",
    "setup.cfg",
    "setup.py",
)
END_SECONDS = 60


def copy_of(parts: tuple[str, ...], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


def build_wheel(folder: Path) -> Path:
    """From a copy, by the setuptools that is here: nothing is fetched."""
    source = copy_of(BUILT_FROM, folder / "source")
    offline = ["--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=END_SECONDS)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.mark.gen_test
async def test_what_pip_installs_is_a_working_chat(tmp_path: Path, world: World, visit: Callable[..., Visitor]) -> None:
    wheel = build_wheel(tmp_path)
    installed = tmp_path / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    (metadata,) = installed.glob("*.dist-info/METADATA")
    said = BytesParser().parsebytes(metadata.read_bytes())
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    assert [each.partition("==")[0] for each in said.get_all("Requires-Dist", [])] == pinned
    assert said["Version"] == chatserver.__version__

    port = embedded.free_port()
    away = tmp_path / "elsewhere"
    away.mkdir()
    environment = world.environment(port) | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    server = ServerProcess(port, environment, [sys.executable, "-m", "chatserver"], folder=away)
    server.start()
    try:
        visitor = visit(server.address)
        page = await visitor.get("/sign-in", headers={"Accept": "text/html"})
        assert page.code == 200
        sheets = re.findall(r'href="(/static/[^"]+/style\.css)"', page.body.decode())
        assert len(sheets) == 1
        assert (await visitor.get(sheets[0])).code == 200
        await visitor.sign_up()
        room = await visitor.make_room()
        message = await visitor.say(room, "**from** a wheel")
        assert message["html"] == "<p><strong>from</strong> a wheel</p>"
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("templates", "templates/ is missing"),
        ("static", "static/ is missing"),
        ("templates/base.html", "templates/base.html is missing"),
        ("static/js/lobby.js", "static/js/lobby.js is missing"),
        ("static/js/support/texts.js", "static/js/support/texts.js is imported and not there"),
    ],
)
def test_a_start_without_a_file_of_the_pages_ends_by_its_name(
    tmp_path: Path, world: World, missing: str, said: str
) -> None:
    copy = copy_of(("chatserver", "static", "templates"), tmp_path)
    if (copy / missing).is_dir():
        shutil.rmtree(copy / missing)
    else:
        (copy / missing).unlink()
    ended = subprocess.run(
        [sys.executable, "-m", "chatserver"],
        cwd=copy,
        env=world.environment(embedded.free_port()) | {"RATE_LIMITS": "on"},
        capture_output=True,
        text=True,
        timeout=END_SECONDS,
    )
    assert ended.returncode == CANNOT_START
    assert ended.stderr.startswith(said)
    assert len(ended.stderr.splitlines()) == 1


def test_a_strangers_folder_beside_the_package_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    with pytest.raises(MissingPageFiles, match=r"^templates/base\.html is missing"):
        find_page_files(tmp_path / "chatserver")


def test_the_version_is_told() -> None:
    command = [sys.executable, "-m", "chatserver", "--version"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=END_SECONDS, check=True)
    assert said.stdout == f"Harbour {chatserver.__version__}\n"
