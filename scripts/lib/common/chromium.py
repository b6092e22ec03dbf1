"""The browser that shows the pages."""

from __future__ import annotations

import subprocess

from common.paths import ROOT


class NoChromium(Exception):
    """One line: what is missing, and how to get it."""


def find_chromium() -> str:
    """The path of the program, installed if need be. Raises NoChromium."""
    found = subprocess.run([ROOT / "scripts" / "find-chromium"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise NoChromium(found.stderr.strip() or "scripts/find-chromium found none")
    return found.stdout.strip()
