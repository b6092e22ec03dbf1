"""The same-origin check: requests that change something come from this site, if they come from a browser at all.

The rules are those of Go's `http.CrossOriginProtection` (https://pkg.go.dev/net/http#CrossOriginProtection): browsers
report the origin of a request themselves, in headers that no page can set.
"""

from __future__ import annotations

from tornado.httputil import HTTPServerRequest

from chatserver.errors import OtherOrigin
from chatserver.support.origin import Origin, read_authority

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(request: HTTPServerRequest, site: Origin | None) -> None:
    """Raises OtherOrigin. `site`: our own address; None: that of the request's `Host`.

    `Sec-Fetch-Site` decides if it is sent. Browsers send none over plain HTTP, and old ones never: then `Origin`
    decides.

    A request with neither comes from no browser, and brings no other user's cookies.
    """
    relation = request.headers.get("Sec-Fetch-Site")
    if relation:
        if relation not in {"same-origin", "none"}:
            raise OtherOrigin
        return
    origin = request.headers.get("Origin")
    if origin and not _is_ours(origin, request.headers.get("Host", ""), site):
        raise OtherOrigin


def is_from_a_browser(request: HTTPServerRequest) -> bool:
    return bool(request.headers.get("Sec-Fetch-Site") or request.headers.get("Origin"))


def _is_ours(text: str, host: str, site: Origin | None) -> bool:
    try:
        origin = Origin.parse(text)
        if site is not None:
            return origin == site
        # The browser's scheme is not known here: a proxy in front may have ended its TLS.
        return (origin.host, origin.port) == read_authority(host, origin.scheme)
    except ValueError:
        return False
