"""Where things are in this checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LIB = ROOT / "scripts" / "lib"
VAR = ROOT / "var"
"""What is kept from one run to the next."""

PROGRAMS = VAR / "programs"
"""Programs that were fetched: mongod, redis-server, nginx."""
