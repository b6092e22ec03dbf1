"""Headers of the proxies in front, as far as they are trusted. Nothing else reads these headers.

Tornado would look for more than that in the headers (`xheaders`), and resolve an address for every request.
"""

from __future__ import annotations

from typing import NamedTuple

from tornado.httputil import HTTPServerRequest

from chatserver.support.client_address import client_address, is_https


class Proxies(NamedTuple):
    """`trusted`: the number of our own proxies in front."""

    trusted: int = 0

    def address(self, request: HTTPServerRequest) -> str:
        """Returns the client's address."""
        return client_address(request.remote_ip or "", request.headers.get_list("X-Forwarded-For"), self.trusted)

    def is_https(self, request: HTTPServerRequest) -> bool:
        """Returns True if the browser uses HTTPS, even through a proxy."""
        return is_https(request.protocol, request.headers.get_list("X-Forwarded-Proto"), self.trusted)
