"""The nginx that stands in front of the chat in some tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from common.paths import ROOT


def find_program() -> Path:
    """Fetched if there is none: without it the test fails."""
    command = [ROOT / "scripts" / "find-nginx"]
    found = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.fail(found.stderr.strip() or "scripts/find-nginx found none", pytrace=False)
    return Path(found.stdout.strip())
