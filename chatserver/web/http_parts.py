"""The HTTP parts that handlers use: made once for all requests, by `ChatApplication`."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.support.origin import Origin
from chatserver.web.caller.cookies import Cookies
from chatserver.web.caller.csrf_tokens import CsrfTokens
from chatserver.web.caller.proxies import Proxies
from chatserver.web.default_headers import DefaultHeaders
from chatserver.web.static_files import StaticFiles


@dataclass(frozen=True)
class HttpParts:
    """`origin`: the chat's own address, if it is set."""

    origin: Origin | None
    proxies: Proxies
    cookies: Cookies
    csrf_tokens: CsrfTokens
    default_headers: DefaultHeaders
    static_files: StaticFiles
