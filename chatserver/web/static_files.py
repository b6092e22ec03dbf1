"""Static files in the form that is sent: read and compressed once, kept in memory, addressed by content."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from chatserver.web.js_bundle import bundle

KINDS = {
    ".css": "text/css; charset=UTF-8",
    ".js": "text/javascript; charset=UTF-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""The kinds that are served. Files of other kinds are not."""

STYLE = "style.css"
"""All sheets as one. css/layers.css sets their precedence, so the order of the others does not matter."""

SCRIPTS = ("js/room.js", "js/lobby.js")
"""The scripts of the pages: each is sent with all the modules that it imports."""

_COMPRESSES = {".css", ".js", ".svg", ".webmanifest"}
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)$", re.MULTILINE | re.DOTALL)


class StaticFile(NamedTuple):
    kind: str
    body: bytes
    compressed: bytes | None
    """By gzip; None if that makes it no smaller."""
    tag: str
    """A hash of the body."""


class StaticFiles:
    """The folder's files at the start of the chat. Its size bounds the memory."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in KINDS)
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        modules = {path: body.decode() for path, body in found.items() if path.endswith(".js")}
        found |= {path: bundle(path, modules).encode() for path in SCRIPTS if path in modules}
        found[STYLE] = _one_sheet(found)
        self.version = _fingerprint(found)
        self._files = {path: _file(Path(path).suffix, body) for path, body in found.items()}

    def find(self, path: str) -> StaticFile | None:
        """Returns a file, or None. `path`: below the folder, with slashes."""
        return self._files.get(path)

    def address(self, path: str) -> str:
        """Returns the address of a file. The version is part of the path, so relative references in the file keep
        it."""
        return f"/static/v-{self.version}/{path}"


def _one_sheet(found: dict[str, bytes]) -> bytes:
    sheets = sorted(
        (path for path in found if path.startswith("css/")), key=lambda path: (path != "css/layers.css", path)
    )
    return b"\n".join(found[path] for path in sheets)


def _file(suffix: str, body: bytes) -> StaticFile:
    if suffix in {".css", ".js"}:
        body = _without_comments(body.decode()).encode()
    compressed = gzip.compress(body, 9, mtime=0) if suffix in _COMPRESSES else body
    tag = hashlib.sha256(body).hexdigest()[:20]
    return StaticFile(KINDS[suffix], body, compressed if len(compressed) < len(body) else None, tag)


def _without_comments(text: str) -> str:
    """Removes comments on lines of their own, a quarter of the size. Their lines stay, so that errors have the right
    numbers."""
    return _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)


def _fingerprint(found: dict[str, bytes]) -> str:
    """Returns a short hash of all the files."""
    digest = hashlib.sha256()
    for path, body in sorted(found.items()):
        digest.update(path.encode() + b"\0" + body + b"\0")
    return digest.hexdigest()[:12]
