"""A chat as a process of its own, but for its dear hashes of passwords (`tests/helpers/cheap_chat.py`)."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from common import server_process
from common.paths import ROOT

COMMAND = (sys.executable, "-m", "tests.helpers.cheap_chat")


class ServerProcess(server_process.ServerProcess):
    """`command`: what is run instead. `folder`: where."""

    def __init__(
        self, port: int, environment: Mapping[str, str], command: Sequence[str] = COMMAND, *, folder: Path = ROOT
    ) -> None:
        super().__init__(port, environment, command, folder=folder)
