"""Folders of the pages' files: `templates/` and `static/` stand beside the package in a checkout, and inside it if pip
installed it (setup.py puts them there)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from chatserver.web.static_files import SCRIPTS

PACKAGE = Path(__file__).resolve().parents[1]

NEEDED = {"templates": ("base.html",), "static": ("css/layers.css", *SCRIPTS)}
"""Files without which no page works, by folder. They tell our folder from a foreign one of the same name."""


class MissingPageFiles(Exception):
    """A folder or file is missing. The text names it, and the places searched."""


class PageFiles(NamedTuple):
    templates: Path
    static: Path


def find_page_files(package: Path = PACKAGE) -> PageFiles:
    """Returns the folders of this package. Raises MissingPageFiles."""
    return PageFiles(_find("templates", package), _find("static", package))


def _find(name: str, package: Path) -> Path:
    inside, beside = package / name, package.parent / name
    folder = inside if inside.is_dir() else beside
    if not folder.is_dir():
        raise MissingPageFiles(f"{name}/ is missing: it is neither at {inside} nor at {beside}")
    for file in NEEDED[name]:
        if not (folder / file).is_file():
            raise MissingPageFiles(f"{name}/{file} is missing: it is not in {folder}")
    return folder
