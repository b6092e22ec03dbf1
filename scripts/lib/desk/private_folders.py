"""Folders that are their owner's alone, and places for sockets in them."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

LONGEST_SOCKET_BYTES = 100
"""The system's limit is 107 on Linux and 103 elsewhere."""

_LONGEST_NAME_BYTES = 20

_PLAIN = re.compile(r"[\w/ .+@=-]+", re.ASCII)
"""mongod takes a comma in the address of a socket for the next one, and a colon for a port."""


class NotPrivate(Exception):
    """The folder is somebody else's. The text says which."""


def make_private(folder: Path) -> Path:
    """Makes the folder, or closes one that is there to all but its owner. Raises NotPrivate."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        folder.chmod(0o700)
    except PermissionError:
        raise NotPrivate(f"{folder} is not yours alone") from None
    return folder


def sockets_of(var: Path) -> Path:
    """A private folder for the sockets of what keeps its data in `var`: in there, or where its name is too long for the
    system, in the user's runtime folder or among the temporary files. Raises NotPrivate."""
    inside = var.resolve() / "sockets"
    if len(os.fsencode(inside)) + _LONGEST_NAME_BYTES <= LONGEST_SOCKET_BYTES and _PLAIN.fullmatch(str(inside)):
        return make_private(inside)
    name = f"harbour-{os.getuid()}-{hashlib.sha256(os.fsencode(var.resolve())).hexdigest()[:16]}"
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir(), name)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()  # somebody may have made it first, as a link even
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise NotPrivate(f"{folder} is not yours: remove it, or set XDG_RUNTIME_DIR to a folder of yours")
    return make_private(folder)
