"""The command `python -m chatserver`: runs the chat, configured by its environment."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import uvloop

from chatserver import __version__, supervisor
from chatserver.app import CannotStart
from chatserver.serving import serve
from chatserver.settings import Settings, SettingsError
from chatserver.support import log_lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chatserver", description="The chat server. See README.md.")
    parser.add_argument("--host", help="instead of HOST: the address to listen on")
    parser.add_argument("--port", help="instead of PORT: where to listen")
    parser.add_argument("--version", action="version", version=f"Harbour {__version__}")
    arguments = parser.parse_args()
    given = {"HOST": arguments.host, "PORT": arguments.port}
    try:
        settings = Settings.from_environ(os.environ | {name: value for name, value in given.items() if value})
    except SettingsError as error:
        print(error, file=sys.stderr)
        return supervisor.BAD_SETTINGS
    log_lines.set_up()
    if settings.web_concurrency > 1:
        return supervisor.run(settings, sys.argv[1:])
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, reuse_port=supervisor.is_worker()))
    except CannotStart as error:
        print(error, file=sys.stderr)
        return supervisor.CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main())
