"""Links without brackets: where a text has one."""

from __future__ import annotations

import re
from typing import Any

from linkify_it import LinkifyIt  # type: ignore[import-untyped]
from linkify_it.ucre import SRC_DOMAIN, SRC_PSEUDO_LETTER  # type: ignore[import-untyped]

# What linkify-it says in three ways (a label in punycode, of one letter, of several), of which a text may fit two at
# each dot: then there are 2^n ways for n labels, and all are tried where the end does not fit. Here there is one.
_LABEL = f"(?>{SRC_PSEUDO_LETTER}(?:-*{SRC_PSEUDO_LETTER}){{0,62}})"


class Linkifier(LinkifyIt):  # type: ignore[misc]
    """Finds addresses with a scheme, those that begin with `www.` and those of mail."""

    re: dict[str, Any]

    def __init__(self) -> None:
        super().__init__(options={"fuzzy_link": False})  # main.py and and.so on are no hosts
        rest = "^(?:{src_host_port_strict}{src_path})".format_map(self.re)
        self.add("www.", {"validate": re.compile(rest, re.IGNORECASE), "normalize": _with_scheme})

    def _on_compile(self) -> None:
        """Called by LinkifyIt before it puts its patterns together."""
        assert SRC_DOMAIN in self.re["src_host"]
        self.re = {name: part.replace(SRC_DOMAIN, _LABEL) for name, part in self.re.items()}


def _with_scheme(linkify: Any, match: Any) -> None:
    match.url = f"https://{match.url}"
