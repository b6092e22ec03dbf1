"""The files of the pages, as they are sent: read and compressed once, kept in memory, addressed by content."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

KINDS = {
    ".css": "text/css; charset=UTF-8",
    ".js": "text/javascript; charset=UTF-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""What is served. Files of other kinds are not."""

STYLE = "style.css"
"""All sheets as one. css/layers.css says who wins over whom, so the order of the others does not matter."""

_COMPRESSES = {".css", ".js", ".svg", ".webmanifest"}
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)$", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r"""^(?:import|export)\b[^"';=]*["'](\.[^"']+)["'];""", re.MULTILINE)


class StaticFile(NamedTuple):
    kind: str
    body: bytes
    compressed: bytes | None
    """By gzip; None where that makes it no smaller."""
    tag: str
    """A hash of the body."""


class StaticFiles:
    """What is in the folder when the chat starts. Its size is the bound of what is kept."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in KINDS)
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        found[STYLE] = _one_sheet(found)
        self.version = _fingerprint(found)
        self._files = {path: _file(Path(path).suffix, body) for path, body in found.items()}
        self._imports = {path: _imports(path, body) for path, body in found.items() if path.endswith(".js")}

    def find(self, path: str) -> StaticFile | None:
        """`path`: below the folder, with slashes."""
        return self._files.get(path)

    def address(self, path: str) -> str:
        """Where a file is found. The version is part of the path: what a module imports by a relative path, or an image
        from another file, has the same version."""
        return f"/static/v-{self.version}/{path}"

    def modules(self, path: str) -> list[str]:
        """The addresses of all that a script imports, at however many removes, and of itself: the browser need not find
        out one after the other. Raises KeyError for a script that is not there."""
        found: dict[str, None] = {}
        waiting = [path]
        while waiting:
            each = waiting.pop(0)
            if each not in found:
                found[each] = None
                waiting += self._imports[each]
        return [self.address(each) for each in found]


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
    """Comments that have lines of their own: a quarter of what would be sent. Their lines stay, so that an error still
    says the right one."""
    return _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)


def _imports(path: str, body: bytes) -> list[str]:
    """The paths of what a module imports."""
    here = Path("/", path).parent
    return [_resolved(here / each) for each in _IMPORT.findall(body.decode())]


def _resolved(path: Path) -> str:
    parts: list[str] = []
    for part in path.parts[1:]:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _fingerprint(found: dict[str, bytes]) -> str:
    """A short hash of all the files."""
    digest = hashlib.sha256()
    for path, body in sorted(found.items()):
        digest.update(path.encode() + b"\0" + body + b"\0")
    return digest.hexdigest()[:12]
