"""The session with curl that the README shows works as it is written."""

from __future__ import annotations

import re
import subprocess
import textwrap
import uuid
from pathlib import Path

import msgspec

from desk import embedded
from tests.conftest import ROOT, World
from tests.helpers.server_process import ServerProcess

README = (ROOT / "README.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


def session() -> str:
    """The commands of the first block of the section."""
    section = README.partition("## Follow a room with curl\n")[2]
    block = re.search(r"(?:^    .*\n|^\n)+", section[section.index("\n    ") :], re.MULTILINE)
    assert block is not None
    return textwrap.dedent(block[0])


def test_the_session_with_curl_ends_with_a_stream_that_brings_what_was_posted(world: World, tmp_path: Path) -> None:
    commands = session()
    assert commands.count("curl") == 3
    port = embedded.free_port()
    server = ServerProcess(port, world.environment(port) | {"RATE_LIMITS": "on"})
    unique = uuid.uuid4().hex
    for written, here in ((ADDRESS, server.address), ('"ada"', f'"ada {unique}"'), ("Night shift", f"Night {unique}")):
        assert written in commands
        commands = commands.replace(written, here)
    server.start()
    try:
        with subprocess.Popen(["bash", "-c", commands], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as shell:
            assert shell.stdout is not None
            try:
                lines = iter(shell.stdout.readline, "")
                said = [next(lines).strip() for _ in range(2)]
                message = next(line for line in lines if line.startswith("data: "))
            finally:
                server.stop()  # which ends the stream, and the session with it
                shell.wait(30)
    finally:
        server.stop()
    user, posted = (msgspec.json.decode(line) for line in said)
    assert user["user"]["name"] == f"ada {unique}"
    assert posted["ok"]
    assert msgspec.json.decode(message.removeprefix("data: ")) == posted["message"]
    assert posted["message"]["client_id"] == "from-my-script-1"
