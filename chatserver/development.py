"""`scripts/server`: the chat with a MongoDB and a Redis of its own, in the foreground, with its data under `var/`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from chatserver import demo, embedded
from chatserver.processes import die_with_parent
from chatserver.programs import MissingProgram

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"

DRAIN_SECONDS = "2"
"""Whoever presses Ctrl-C at a desk does not want to wait as long as a deployment does."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/server", description="Sets up and runs the chat. Ctrl-C stops it.")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000), help="default: 8000")
    parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--fresh", action="store_true", help="forget all talk first")
    parser.add_argument("--demo", action="store_true", help="fill a few rooms with talk")
    arguments = parser.parse_args()
    try:
        return run(arguments.host, arguments.port, fresh=arguments.fresh, with_demo=arguments.demo)
    except (embedded.EmbeddedError, MissingProgram) as error:
        print(f"Harbour can't start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def run(host: str, port: int, *, fresh: bool, with_demo: bool) -> int:
    VAR.mkdir(exist_ok=True)
    if fresh:
        for folder in ("mongodb", "redis"):
            shutil.rmtree(VAR / folder, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        # SIGTERM ends this like Ctrl-C: by leaving the `with` blocks, in order.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        mongodb_uri = os.environ.get("MONGODB_URI")
        if not mongodb_uri:
            print("==> starting MongoDB", flush=True)
            mongodb_uri = stack.enter_context(embedded.mongod(VAR)).uri
        redis_url = os.environ.get("REDIS_URL")
        if not redis_url:
            print("==> starting Redis", flush=True)
            redis_url = stack.enter_context(embedded.redis_server(VAR, persistent=True)).url
        port = _free_from(host, port)
        chat = subprocess.Popen(
            [sys.executable, "-m", "chatserver", "--host", host, "--port", str(port)],
            cwd=ROOT,
            env={
                "DRAIN_SECONDS": DRAIN_SECONDS,
                "COOKIE_SECRET": _cookie_secret(),
                **os.environ,
                "MONGODB_URI": mongodb_uri,
                "REDIS_URL": redis_url,
            },
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        stack.callback(_stop, chat)
        if not _listens(chat, host, port):
            return chat.wait() or 1
        address = f"http://{_reachable(host)}:{port}"
        if with_demo:
            print("==> filling rooms with talk", flush=True)
            print(asyncio.run(demo.fill(address)), flush=True)
        print(f"\nHarbour is at {address}  (Ctrl-C stops it; the talk is kept in var/)\n", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            return chat.wait()
        print("\n==> stopping", flush=True)
        for signal_number in STOP_SIGNALS:
            signal.signal(signal_number, signal.SIG_IGN)  # once is enough
    return 0


def _free_from(host: str, port: int) -> int:
    """The port, or the next that is free."""
    for candidate in range(port, port + 100):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            if candidate != port:
                print(f"==> port {port} is taken, so it is {candidate}", flush=True)
            return candidate
    raise embedded.EmbeddedError(f"no free port from {port} on {host}: choose another with --port")


def _cookie_secret() -> str:
    """Made once, so that people stay signed in over a restart."""
    path = VAR / "cookie_secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()


def _reachable(host: str) -> str:
    """An address to visit a server that listens on this one."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _listens(chat: subprocess.Popen[bytes], host: str, port: int) -> bool:
    """Waits until somebody listens there. False when the chat ended instead."""
    while chat.poll() is None:
        try:
            socket.create_connection((_reachable(host), port), timeout=1).close()
            return True
        except OSError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                chat.wait(0.05)
    return False


def _stop(chat: subprocess.Popen[bytes]) -> None:
    if chat.poll() is None:
        chat.terminate()
    chat.wait()


if __name__ == "__main__":
    sys.exit(main())
