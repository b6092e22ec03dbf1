"""`scripts/server`: the chat with a MongoDB and a Redis of its own, in the foreground, with its data under `var/`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping

from chatserver.settings import Settings, SettingsError
from common.paths import ROOT, VAR
from common.process import Process
from desk import demo, embedded
from desk.private_folders import NotPrivate, make_private
from desk.programs import MissingProgram

DRAIN_SECONDS = "2"
"""Whoever presses Ctrl-C at a desk does not want to wait as long as a deployment does."""

STOP_MARGIN_SECONDS = 10.0
"""A chat that is still there this long after its time to drain is killed."""

PORTS_TO_TRY = 100


def main() -> int:
    environ = {name: value for name, value in os.environ.items() if value}
    parser = argparse.ArgumentParser(prog="scripts/server", description="Sets up and runs the chat. Ctrl-C stops it.")
    parser.add_argument("--port", type=_port, default=environ.get("PORT", "8000"), help="default: 8000; 0: any")
    parser.add_argument("--host", default=environ.get("HOST", "127.0.0.1"), help="default: 127.0.0.1")
    parser.add_argument("--fresh", action="store_true", help="forget all talk first")
    parser.add_argument("--demo", action="store_true", help="fill a few rooms with talk")
    arguments = parser.parse_args()
    # SIGTERM ends this like Ctrl-C: by leaving the `with` blocks, in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(environ, arguments.host, arguments.port, fresh=arguments.fresh, with_demo=arguments.demo)
    except (embedded.StartError, MissingProgram, NotPrivate, SettingsError, OSError) as error:
        print(f"Harbour can't start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def run(environ: Mapping[str, str], host: str, port: int, *, fresh: bool, with_demo: bool) -> int:
    """Runs until Ctrl-C (0) or until the chat ends by itself (its status)."""
    make_private(VAR)
    with contextlib.ExitStack() as stack:
        mongodb_uri = environ.get("MONGODB_URI") or _start_mongodb(stack, fresh)
        redis_url = environ.get("REDIS_URL") or _start_redis(stack, fresh)
        port = _free_from(host, port)
        environ = {
            "DRAIN_SECONDS": DRAIN_SECONDS,
            "COOKIE_SECRET": _cookie_secret(),
            **environ,
            "MONGODB_URI": mongodb_uri,
            "REDIS_URL": redis_url,
            "HOST": host,
            "PORT": str(port),
        }
        patience = Settings.from_environ(environ).drain_seconds + STOP_MARGIN_SECONDS
        chat = Process([sys.executable, "-m", "chatserver"], folder=ROOT, environment=environ)
        stack.callback(_stop, chat, patience)
        if not _listens(chat, host, port):
            return chat.wait() or 1
        address = f"http://{_reachable(host, port)}"
        if with_demo:
            print("==> filling rooms with talk", flush=True)
            print(asyncio.run(demo.fill(address)), flush=True)
        print(f"\nHarbour is at {address}  (Ctrl-C stops it; the talk is kept in var/)\n", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            status = chat.wait()
            print("Harbour ended by itself", file=sys.stderr)
            return status or 1
        print("\n==> stopping", flush=True)
    return 0


def _start_mongodb(stack: contextlib.ExitStack, fresh: bool) -> str:
    print("==> starting MongoDB", flush=True)
    return stack.enter_context(embedded.mongod(VAR, fresh=fresh, private=True)).uri


def _start_redis(stack: contextlib.ExitStack, fresh: bool) -> str:
    print("==> starting Redis", flush=True)
    return stack.enter_context(embedded.redis_server(VAR, persistent=True, fresh=fresh, private=True)).url


def _free_from(host: str, port: int) -> int:
    """The port, or the next that is free; any that is free for 0."""
    try:
        family, kind, protocol, _, _ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise embedded.StartError(f"HOST {host}: {error.strerror}") from None
    for candidate in range(port, min(port + PORTS_TO_TRY, 65536)):
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            free: int = probe.getsockname()[1]
        if free != port != 0:
            print(f"==> port {port} is taken, so it is {free}", flush=True)
        return free
    raise embedded.StartError(f"no free port from {port} on {host}: choose another with --port or --host")


def _cookie_secret() -> str:
    """Made once, so that people stay signed in over a restart."""
    path = VAR / "cookie_secret"
    if not path.exists():
        unfinished = VAR / "cookie_secret.unfinished"
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        unfinished.write_text(secrets.token_hex(32))
        unfinished.rename(path)
    return path.read_text().strip()


def _listens(chat: Process, host: str, port: int) -> bool:
    """Waits until somebody listens there. False when the chat ended instead."""
    while chat.runs:
        try:
            socket.create_connection((_visited(host), port), timeout=1).close()
            return True
        except OSError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                chat.wait(0.05)
    return False


def _reachable(host: str, port: int) -> str:
    visited = _visited(host)
    return f"[{visited}]:{port}" if ":" in visited else f"{visited}:{port}"


def _visited(host: str) -> str:
    """An address to visit a server that listens on this one."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _stop(chat: Process, patience: float) -> None:
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_IGN)  # once is enough: from here on everything stops in order
    chat.stop(patience)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= 65535):
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
