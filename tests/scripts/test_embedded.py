"""The private servers: they keep their data, come back on their port, and leave nothing behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
import redis
from pymongo.errors import PyMongoError

from common import private_server
from desk import embedded, programs
from desk.embedded import Mongod, RedisServer, StartError
from desk.private_folders import NotPrivate, make_private, sockets_of
from tests.helpers.processes_seen import is_alive
from tests.helpers.server_process import ServerProcess
from tests.helpers.waiting import wait_until, wait_until_ended

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.servers


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A folder of data, with a space in its name, and with the programs that the other tests use."""
    var = tmp_path / "data of mine"
    var.mkdir()
    (ROOT / "var" / "programs").mkdir(parents=True, exist_ok=True)
    (var / "programs").symlink_to(ROOT / "var" / "programs")
    return var


@pytest.fixture
def redis_program(var: Path) -> Path:
    return programs.find(programs.REDIS, var / "programs")


@pytest.fixture
def redis_server(var: Path) -> Iterator[RedisServer]:
    with embedded.redis_server(var, persistent=True) as server:
        yield server


def insert(server: Mongod, name: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](
        server.uri, w="majority", journal=True, serverSelectionTimeoutMS=30_000
    ) as client:
        client["harbour"]["things"].insert_one({"_id": name})


def inserted(server: Mongod) -> list[str]:
    with pymongo.MongoClient[dict[str, Any]](
        server.uri, readConcernLevel="majority", serverSelectionTimeoutMS=30_000
    ) as client:
        return sorted(thing["_id"] for thing in client["harbour"]["things"].find())


def redis_client(server: RedisServer) -> redis.Redis:
    return redis.Redis(port=server.port, protocol=2, socket_timeout=10, decode_responses=True)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_mongod_keeps_majority_writes_over_kill_and_restart_and_move(var: Path) -> None:
    with embedded.mongod(var) as server:
        port = server.port
        insert(server, "a")
        server.kill()
        server.start()
        assert server.port == port
        insert(server, "b")
        server.stop()
        server.start()
        assert server.port == port
        assert inserted(server) == ["a", "b"]
    with embedded.mongod(var) as moved:
        insert(moved, "c")
        assert inserted(moved) == ["a", "b", "c"]
    with embedded.mongod(var, fresh=True) as fresh:
        assert inserted(fresh) == []
    assert not is_alive(fresh.pid)


def test_mongod_that_is_paused_answers_nothing_until_it_is_resumed(var: Path) -> None:
    with embedded.mongod(var) as server:
        server.pause()
        assert not server.answers()
        server.resume()
        insert(server, "a")
        server.pause()
    assert not is_alive(server.pid), "a paused server is stopped too"


def test_redis_keeps_its_data_where_it_shall(var: Path) -> None:
    with embedded.redis_server(var, persistent=True) as server:
        redis_client(server).set("key", "kept")
    with embedded.redis_server(var, persistent=True) as server:
        assert redis_client(server).get("key") == "kept"
    with embedded.redis_server(var, persistent=True, fresh=True) as server:
        assert redis_client(server).get("key") is None


def test_redis_forgets_where_it_shall(var: Path) -> None:
    with embedded.redis_server(var, persistent=False) as server:
        port = server.port
        redis_client(server).set("key", "forgotten")
        server.kill()
        server.start()
        assert server.port == port
        assert redis_client(server).get("key") is None


def test_only_this_machine_reaches_them(redis_server: RedisServer) -> None:
    assert redis_client(redis_server).config_get("bind") == {"bind": "127.0.0.1"}


def test_a_port_that_was_taken_meanwhile_is_passed_over(
    var: Path, redis_server: RedisServer, redis_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stranger there is a Redis that answers: that it is not ours is seen."""
    ports = iter([redis_server.port, embedded.free_port()])
    monkeypatch.setattr(private_server, "free_port", lambda: next(ports))
    another = RedisServer(redis_program, var / "another", persistent=False)
    try:
        another.start()
        assert another.port != redis_server.port
        assert redis_client(another).info("server")["process_id"] == another.pid
    finally:
        another.stop()


def test_a_program_that_does_not_run_is_one_line_with_its_log(var: Path) -> None:
    server = RedisServer(Path("/bin/false"), var / "redis", persistent=False)
    with pytest.raises(StartError, match=r"^redis-server did not start; .*redis-server\.log says why$"):
        server.start()
    server.stop()


def test_data_that_a_living_run_uses_are_refused(var: Path, redis_server: RedisServer, redis_program: Path) -> None:
    second = RedisServer(redis_program, var / "redis", persistent=True)
    for attempt in (second.start, second.forget):
        with pytest.raises(StartError, match=rf"^process {os.getpid()} is using .*: stop it first$"):
            attempt()
    second.stop()
    assert redis_server.answers()


def test_an_archive_that_cannot_be_looked_at_is_not_a_bad_one(
    var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """scripts/verify says 1 of a bad one."""
    monkeypatch.delenv("MONGODB_URI", raising=False)
    with (var / "mongodb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SystemExit) as ended, embedded.mongodb_address(var):
            pass
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("MONGODB_URI is missing")


@pytest.mark.parametrize("frozen", [False, True])
def test_what_a_dead_run_left_is_ended(var: Path, redis_program: Path, frozen: bool) -> None:
    server = RedisServer(redis_program, var / "redis", persistent=True)
    server.folder.mkdir()
    server.port = embedded.free_port()
    leftover = subprocess.Popen([redis_program, *server.arguments()], stdout=subprocess.DEVNULL)
    try:
        (server.folder / "redis-server.pid").write_text(str(leftover.pid))
        wait_until(lambda: is_listening(server.port), "it is in the way")
        if frozen:
            leftover.send_signal(signal.SIGSTOP)
        server.start()
        assert not is_alive(leftover.pid)
        assert server.answers()
    finally:
        server.stop()
        leftover.kill()
        leftover.wait()


def test_a_stranger_with_the_number_of_a_dead_server_is_left_alone(var: Path, redis_program: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    server = RedisServer(redis_program, var / "redis", persistent=True)
    try:
        server.folder.mkdir()
        (server.folder / "redis-server.pid").write_text(str(stranger.pid))
        server.start()
        assert stranger.poll() is None
    finally:
        server.stop()
        stranger.communicate(b"\n")


def test_they_end_with_whoever_started_them_however_hard(var: Path) -> None:
    script = """
        import sys, time
        from pathlib import Path
        from desk import embedded
        with embedded.mongod(Path(sys.argv[1])) as mongod, embedded.redis_server(Path(sys.argv[1]), persistent=True) as redis:
            print(mongod.pid, redis.pid, flush=True)
            input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), var],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts" / "lib")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 2
        owner.kill()
    wait_until_ended(pids, "the servers ended with their owner")
    with embedded.mongod(var) as server:
        insert(server, "after that")


def test_a_mongod_without_a_primary_says_so(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> bool:
        raise PyMongoError

    monkeypatch.setattr(private_server, "START_SECONDS", 5.0)
    monkeypatch.setattr(Mongod, "_found_or_move", never)
    with pytest.raises(StartError, match="did not become writable"), embedded.mongod(var):
        pass


@pytest.fixture
def short_var() -> Iterator[Path]:
    """A folder of data in which a socket may have a name, with a space in its own."""
    parent = Path(tempfile.mkdtemp(prefix="hb-"))
    parent.chmod(0o755)
    var = parent / "my data"
    var.mkdir(mode=0o755)  # as an earlier release made it
    (var / "programs").symlink_to(ROOT / "var" / "programs")
    yield var
    shutil.rmtree(parent)


def closed_to_others(path: Path) -> bool:
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def listening_ports(pid: int) -> list[str]:
    """Addresses of TCP that this process listens on, as Linux has them."""
    mine = {os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return [fields[1] for fields in lines if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine]


def test_private_ones_are_reached_by_their_owner_alone(short_var: Path) -> None:
    with (
        embedded.mongod(short_var, private=True) as mongod,
        embedded.redis_server(short_var, persistent=True, private=True) as own,
    ):
        insert(mongod, "a")
        with redis.Redis.from_url(own.url) as client:
            client.set("key", "kept")
        assert listening_ports(mongod.pid) == listening_ports(own.pid) == []
        sockets = [path for path in (short_var / "sockets").iterdir() if path.is_socket()]
        assert sorted(path.name for path in sockets) == ["mongod.sock", "redis.sock"]
        assert all(map(closed_to_others, [short_var, short_var / "sockets", *sockets]))
        written = [path for folder in ("mongodb", "redis") for path in (short_var / folder).rglob("*")]
        made_by_them = [path for path in written if path.suffix not in {".log", ".pid"}]
        assert len(made_by_them) > 10
        assert [path for path in made_by_them if not closed_to_others(path)] == []
        mongod.kill()
        mongod.start()
        assert inserted(mongod) == ["a"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_another_user_of_the_machine_gets_nowhere(short_var: Path) -> None:
    tries = """
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for path in sys.argv[1:]:
    try:
        if path.endswith(".sock"):
            socket.socket(socket.AF_UNIX).connect(path)
        else:
            os.listdir(path)
        print("in:", path)
    except PermissionError:
        pass
"""
    with embedded.mongod(short_var, private=True), embedded.redis_server(short_var, persistent=True, private=True):
        paths = [
            str(short_var / name) for name in ("", "mongodb", "redis", "sockets/mongod.sock", "sockets/redis.sock")
        ]
        done = subprocess.run([sys.executable, "-c", tries, *paths], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_data_of_before_are_served_by_a_socket_and_by_a_port_again(short_var: Path) -> None:
    with embedded.mongod(short_var) as by_port:
        insert(by_port, "a")
    with embedded.mongod(short_var, private=True) as by_socket:
        insert(by_socket, "b")
    with embedded.mongod(short_var) as again:
        assert inserted(again) == ["a", "b"]


@pytest.mark.parametrize("name", ["x" * 120, "a, b: c", "Zoë"])
def test_a_folder_whose_name_no_socket_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_program: Path, name: str
) -> None:
    runtime = Path(tempfile.mkdtemp(prefix="hb-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    long = tmp_path / name
    try:
        sockets = sockets_of(make_private(long))
        assert sockets.parent == runtime
        assert closed_to_others(sockets)
        assert sockets_of(long) == sockets
        server = RedisServer(redis_program, long / "redis", persistent=False, sockets=sockets)
        try:
            server.start()
        finally:
            server.stop()
        shutil.rmtree(sockets)
        sockets.symlink_to(tmp_path)
        with pytest.raises(NotPrivate, match="is not yours"):
            sockets_of(long)
    finally:
        shutil.rmtree(runtime)


def test_a_chat_lives_on_private_ones(short_var: Path) -> None:
    with (
        embedded.mongod(short_var, private=True) as mongod,
        embedded.redis_server(short_var, persistent=True, private=True) as own,
    ):
        stores = {"MONGODB_URI": mongod.uri, "REDIS_URL": own.url, "COOKIE_SECRET": "a secret for tests only"}
        port = embedded.free_port()
        server = ServerProcess(port, {"PORT": str(port), "MAX_STREAMS": "100", **stores})
        try:
            server.start()  # ready: it reaches both
        finally:
            assert server.stop() == 0
