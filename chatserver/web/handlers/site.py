"""The site's own address (`ORIGIN`): other hosts and unknown paths are refused, plain HTTP is sent to HTTPS."""

from __future__ import annotations

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from chatserver.errors import Misdirected
from chatserver.support.origin import Origin, read_authority
from chatserver.web.caller.proxies import Proxies
from chatserver.web.handlers.base import Handler

ANY_HOST = frozenset({"/healthz", "/readyz"})
"""Paths of clients that are no browsers, and know the process by its address."""


class OtherHost(Handler):
    """Refuses names that a foreign DNS may have pointed here: their pages would share an origin with our answers."""

    open_to_all = True

    async def prepare(self) -> None:
        raise Misdirected


class PlainHttp(Handler):
    open_to_all = True

    async def prepare(self) -> None:
        uri = self.request.uri or ""
        self.redirect(f"{self.site}{uri if uri.startswith('/') else '/'}", status=308)


def refusal(request: HTTPServerRequest, site: Origin, proxies: Proxies) -> type[Handler] | None:
    """Returns the handler for a request that did not come to our address; None for one that did."""
    if request.path in ANY_HOST:
        return None
    plain = site.is_https and not proxies.is_https(request)
    host = request.headers.get("Host", "")
    if host == site.authority and not plain:
        return None
    try:
        name, port = read_authority(host, site.scheme)
    except ValueError:
        return OtherHost
    if name != site.host or (port != site.port and not plain):
        return OtherHost
    return PlainHttp if plain else None


class UnknownPath(Handler):
    """Answers 404 for every path without a route."""

    open_to_all = True

    async def prepare(self) -> None:
        self.session = await self._find_session()
        await self.take_turn()
        raise HTTPError(404)
