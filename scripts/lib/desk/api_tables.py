"""`scripts/api-tables`: writes those tables of docs/API.md that the code has already: the routes, and the errors."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import NamedTuple, cast

from tornado.routing import PathMatches

from chatserver import errors
from chatserver.errors import ChatError
from chatserver.web.application import ChatApplication
from chatserver.web.handlers.base import Handler
from chatserver.web.handlers.pages import HtmlHandler
from chatserver.web.handlers.search import SearchHandler
from chatserver.web.page_files import find_page_files
from chatserver.web.services import Services
from chatserver.web.static_files import StaticFiles
from common.paths import ROOT

PAGE = ROOT / "docs" / "API.md"

PARAMETERS = {"room_id": "room"}
"""Names of path parameters as the page says them, where the code has others."""


class Route(NamedTuple):
    path: str
    handler: type[Handler]

    @property
    def methods(self) -> list[str]:
        """All but HEAD, which is answered wherever GET is."""
        return [method for method in ("GET", "POST", "PUT", "PATCH", "DELETE") if method in self.handler.methods]

    @property
    def readers(self) -> str:
        sends_to_sign_in = issubclass(self.handler, HtmlHandler | SearchHandler)
        return "anyone" if self.handler.open_to_all and not sends_to_sign_in else "who is signed in"

    @property
    def quotas(self) -> str:
        """What requests count as, by method where there are several."""
        counted = {
            method: ", ".join(quota.verb for quota in self.handler.quotas.get(method, ())) for method in self.methods
        }
        if len(set(counted.values())) == 1:
            return next(iter(counted.values())) or "–"
        return "; ".join(f"{method}: {verbs or '–'}" for method, verbs in counted.items())


def routes() -> list[Route]:
    """The routes of the chat, in the order in which they are tried."""
    services = cast("Services", None)  # no request is made
    application = ChatApplication(services, "no cookie is signed", StaticFiles(find_page_files().static))
    found = []
    for rule in application.wildcard_router.rules:
        assert isinstance(rule.matcher, PathMatches)
        found.append(Route(_readable(rule.matcher.regex.pattern, rule.target), rule.target))
    return found


def _readable(pattern: str, handler: type[Handler]) -> str:
    """A pattern with its groups under the names that the handler's methods give them."""
    method = getattr(handler, handler.methods[-1].lower())
    names = iter([PARAMETERS.get(name, name) for name in list(inspect.signature(method).parameters)[1:]])
    return re.sub(r"\([^)]*\)", lambda _: f"<{next(names)}>", pattern.removesuffix("$"))


def route_table() -> str:
    rows = ["| route | methods | for | counts as |", "|---|---|---|---|"]
    rows += [
        f"| `{route.path}` | {', '.join(route.methods)} | {route.readers} | {route.quotas} |"
        for route in sorted(routes(), key=lambda route: route.path)
    ]
    return "\n".join(rows)


def error_table() -> str:
    rows = ["| status | `error`, unless it says more exactly what is wrong |", "|---|---|"]
    texts: dict[int, list[str]] = {}
    for kind in _kinds(ChatError):
        if kind.text not in texts.setdefault(kind.status, []):
            texts[kind.status].append(kind.text)
    rows += [
        f"| {status} {HTTPStatus(status).phrase} | {', '.join(f'`{text}`' for text in texts[status])} |"
        for status in sorted(texts)
    ]
    return "\n".join(rows)


def _kinds(kind: type[ChatError]) -> Iterator[type[ChatError]]:
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from _kinds(each)


TABLES = {"routes": route_table, "errors": error_table}


def with_tables(text: str) -> str:
    """The page with its tables as the code has them now, between its marks. Raises ValueError without those."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        head, found, rest = text.partition(begin)
        _, found_end, tail = rest.partition(end)
        if not (found and found_end):
            raise ValueError(f"the page has no place for the table of {name}")
        text = head + begin + table() + "\n" + end + tail
    return text


def main() -> int:
    PAGE.write_text(with_tables(PAGE.read_text()))
    print(f"==> wrote the tables of {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
