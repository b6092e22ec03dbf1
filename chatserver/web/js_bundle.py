"""The modules of a page as one script: a page with seventy of them would wait for as many requests in turn.

Each module becomes a function that is called once, after those that it imports, and returns its exports. Modules that
are imported on demand, by `import()`, stay files of their own. This is no compiler: it knows the forms that the scripts
here use, and refuses others at the start.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter

_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"(\.[^"]*)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:class|function|const)) ([\w$]+)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_LATER = re.compile(r'\bimport\("(\.[^"]*)"\)')
_RENAMED = re.compile(r"\b([\w$]+) as ([\w$]+)")


class CannotBundle(Exception):
    """A module can't be bundled. The text begins with its path."""


def bundle(path: str, modules: Mapping[str, str]) -> str:
    """Returns the script at `path` with all that it imports, to be served there. `modules`: their texts by path.

    Raises CannotBundle for a module that is missing or has another form than ours, and CycleError for a circle.
    """
    imports: dict[str, list[str]] = {}
    waiting = [path]
    while waiting:
        each = waiting.pop()
        if each not in imports:
            imports[each] = list(_imported(each, modules))
            waiting += imports[each]
    order = list(TopologicalSorter(imports).static_order())
    numbers = {each: number for number, each in enumerate(order)}
    script = "\n".join(_function(each, modules[each], numbers) for each in order)
    here = posixpath.dirname(path)
    return _LATER.sub(lambda found: f'import("./{posixpath.relpath(found[1][2:], here)}")', script)


def _imported(path: str, modules: Mapping[str, str]) -> Iterator[str]:
    if path not in modules:
        raise CannotBundle(f"{path} is imported and not there")
    for found in _IMPORT.finditer(modules[path]):
        yield _resolved(path, found[2])


def _function(path: str, text: str, numbers: Mapping[str, int]) -> str:
    def given(found: re.Match[str]) -> str:
        names = _RENAMED.sub(r"\1: \2", found[1] or "")
        return f"const {{{names}}} = m{numbers[_resolved(path, found[2])]};"

    text = _LATER.sub(lambda found: f'import("./{_resolved(path, found[1])}")', text)
    exported = [found[2] for found in _EXPORT.finditer(text)]
    text = _EXPORT.sub(r"\1 \2", _IMPORT.sub(given, text))
    if other := _OTHER.search(text):
        raise CannotBundle(f"{path}: {other[0]}")
    return f"// {path}\nconst m{numbers[path]} = (() => {{\n{text}\nreturn {{ {', '.join(exported)} }};\n}})();"


def _resolved(path: str, address: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), address))
