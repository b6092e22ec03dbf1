"""The Procfile, as a platform runs it: everything from the environment, no file written, nothing left behind."""

from __future__ import annotations

import compileall
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from chatserver.archive.database import DEFAULT_NAME
from common.paths import ROOT
from common.usage import children, descendants
from desk import embedded
from tests.conftest import World
from tests.helpers.browserless import Stream, Visitor
from tests.helpers.processes_seen import is_alive, kill, listens_everywhere, owner
from tests.helpers.server_process import ServerProcess
from tests.helpers.waiting import wait_until, wait_until_ended

PARTS = ("chatserver", "templates", "static", "Procfile")
HONCHO = (sys.executable, "-m", "honcho", "start", "--no-prefix", "web")
END_SECONDS = 30


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is deployed, and nothing else; compiled, as a platform leaves it, since no start here may write files."""
    folder = tmp_path_factory.mktemp("deployed")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    assert compileall.compile_dir(folder / "chatserver", quiet=1)
    return folder


@pytest.fixture
def environment(world: World) -> dict[str, str]:
    python = str(Path(sys.executable).parent)
    return world.environment(embedded.free_port()) | {
        "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",  # the Procfile says `python`
        "HOST": "127.0.0.1",
        "DRAIN_SECONDS": "1",
        "RATE_LIMITS": "on",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.fixture
def deploy(copy: Path, environment: dict[str, str]) -> Iterator[Callable[..., ServerProcess]]:
    """Starts the Procfile with these changes to the environment; returns when it answers."""
    with contextlib.ExitStack() as stack:

        def start(**changes: str) -> ServerProcess:
            variables = environment | changes
            server = ServerProcess(int(variables["PORT"]), variables, list(HONCHO), folder=copy)
            stack.callback(stop, server)
            server.start()
            return server

        yield start


def stop(server: ServerProcess) -> None:
    """Ends it and, should a test have failed half-way, all that it started."""
    below = descendants(server.process.pid)
    try:
        server.stop()
    finally:
        kill(below)


def parent_of_workers(server: ServerProcess) -> int:
    """Below honcho, ours: the one that has two children."""
    ours = server.process.pid

    def found() -> list[int]:
        return [pid for pid in descendants(ours) if len(children(pid)) == 2]

    wait_until(lambda: len(found()) == 1, "two workers have one parent")  # the first of them answers before the second
    return found()[0]


def reached(server: ServerProcess, pids: list[int]) -> set[int | None]:
    """Whoever takes a connection now."""
    try:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            return {owner(pids, server.port, connection.getsockname()[1])}
    except ConnectionError:
        return set()


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(file.relative_to(folder)): (file.stat().st_size, file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.mark.gen_test
async def test_it_serves_and_writes_no_file_and_ends_in_order(
    deploy: Callable[..., ServerProcess], visit: Callable[..., Visitor], copy: Path
) -> None:
    before = files(copy)
    server = deploy()
    visitor = visit(server.address)
    await visitor.sign_up()
    room = await visitor.make_room()
    message = await visitor.say(room, "from a platform")
    assert (await visitor.page(room))["messages"] == [message]
    below = descendants(server.process.pid)
    assert below
    server.stop()
    assert [pid for pid in below if is_alive(pid)] == []
    assert files(copy) == before


@pytest.mark.gen_test
async def test_it_hashes_passwords_with_the_parameters_that_owasp_recommends(
    deploy: Callable[..., ServerProcess], visit: Callable[..., Visitor], mongo: pymongo.MongoClient[dict[str, Any]]
) -> None:
    """Other tests have chats that hash next to nothing; what is deployed does not."""
    visitor = visit(deploy().address)
    await visitor.sign_up()
    user = mongo.get_default_database(DEFAULT_NAME)["users"].find_one({"_id": visitor.id})
    assert user is not None
    assert user["password"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.gen_test
async def test_it_listens_on_all_addresses_where_none_is_given(
    deploy: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    server = deploy(HOST="")
    assert listens_everywhere(server.port)
    await visit(server.address).sign_up()


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MONGODB_URI", ""),
        ("REDIS_URL", ""),
        ("COOKIE_SECRET", ""),
        ("MONGODB_URI", "postgres://h"),
        ("REDIS_URL", "6379"),
        ("COOKIE_SECRET", "short"),
        ("PORT", "eighty"),
        ("WEB_CONCURRENCY", "many"),
        ("DRAIN_SECONDS", "soon"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:9/0"),  # nobody answers at port 9 (discard)
        ("HOST", "192.0.2.1"),  # an address of documentation: not of this machine
    ],
)
def test_a_bad_variable_ends_it_by_name(
    copy: Path, environment: dict[str, str], processes: str, name: str, text: str
) -> None:
    """By a shell, as honcho would; which has a word of its own to say about PORT."""
    command = (copy / "Procfile").read_text().removeprefix("web: ")
    variables = environment | {"WEB_CONCURRENCY": processes, name: text}
    ended = subprocess.run(
        command, shell=True, cwd=copy, env=variables, capture_output=True, text=True, timeout=END_SECONDS
    )
    assert ended.returncode > 0
    assert name in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_port_that_is_taken_ends_it_by_name(copy: Path, environment: dict[str, str], processes: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = str(stranger.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "chatserver"],
            cwd=copy,
            env=environment | {"WEB_CONCURRENCY": processes, "PORT": port},
            capture_output=True,
            text=True,
            timeout=END_SECONDS,
        )
    assert ended.returncode > 0
    assert ended.stderr.startswith(f"PORT {port}")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("processes", ["1", "2"])
def test_who_is_told_to_end_is_the_chat_and_not_a_shell_around_it(
    copy: Path, environment: dict[str, str], processes: str
) -> None:
    """Some platforms signal the process that they started and nobody else. A shell would end there, and the chat stay."""
    shell = ["/bin/sh", "-c", (copy / "Procfile").read_text().removeprefix("web: ")]
    variables = environment | {"WEB_CONCURRENCY": processes}
    server = ServerProcess(int(variables["PORT"]), variables, shell, folder=copy)
    below: list[int] = []
    try:
        server.start()
        below = descendants(server.process.pid)
        assert server.stop() == 0
        assert [pid for pid in below if is_alive(pid)] == []
    finally:
        stop(server)
        kill(below)


@pytest.mark.gen_test
async def test_what_one_process_is_told_the_readers_of_both_hear(
    deploy: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    server = deploy(WEB_CONCURRENCY="2")
    workers = children(parent_of_workers(server))
    visitor = visit(server.address)
    await visitor.sign_up()
    room = await visitor.make_room()
    streams: list[Stream] = []
    owners: set[int | None] = set()
    while owners != set(workers):
        assert len(streams) < 100, f"all streams are with {owners} of {workers}"
        streams.append(await visitor.stream(room))
        owners.add(owner(workers, server.port, streams[-1].client_port))
    sent = [await visitor.say(room, f"message {number}") for number in range(3)]
    for stream in streams:
        assert await stream.messages(3) == sent


@pytest.mark.gen_test
async def test_a_worker_that_dies_is_replaced_and_the_other_goes_on(
    deploy: Callable[..., ServerProcess], visit: Callable[..., Visitor]
) -> None:
    server = deploy(WEB_CONCURRENCY="2")
    parent = parent_of_workers(server)
    dead, other = children(parent)
    os.kill(dead, signal.SIGKILL)
    wait_until(lambda: reached(server, children(parent)) - {dead, other, None}, "another worker takes connections")
    assert other in children(parent)
    await visit(server.address).sign_up()


def test_a_parent_that_is_killed_leaves_no_worker(deploy: Callable[..., ServerProcess]) -> None:
    server = deploy(WEB_CONCURRENCY="2")
    parent = parent_of_workers(server)
    workers = children(parent)
    os.kill(parent, signal.SIGKILL)
    wait_until_ended(workers, "the workers ended with their parent")


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_the_parent_ends_its_workers_in_order(world: World, signal_number: signal.Signals) -> None:
    port = embedded.free_port()
    server = ServerProcess(port, world.environment(port) | {"WEB_CONCURRENCY": "2", "DRAIN_SECONDS": "1"})
    try:
        server.start()
        workers = children(server.process.pid)
        assert len(workers) == 2
        server.send(signal_number)
        assert server.process.wait(END_SECONDS) == 0
        assert [pid for pid in workers if is_alive(pid)] == []
    finally:
        stop(server)
