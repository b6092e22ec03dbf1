"""Trust in a Redis server's certificate: `rediss://` alone only says that the connection is encrypted."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from redis.asyncio.connection import FALSE_STRINGS

UNVERIFIED = "ssl_cert_reqs=none"

_HEROKU = re.compile(r"ec2-[\d-]+\.(?:compute-1|[a-z\d-]+\.compute)\.amazonaws\.com")
"""Host names of Heroku's servers. Their certificates are self-signed, and no authority signs any for these names."""


def with_trust(url: str, *, on_heroku: bool) -> str:
    """Returns the address, with verification turned off where that is the default: on Heroku or with a server of
    theirs, unless the address says something itself. Everywhere else redis-py verifies the chain and the name.

    `on_heroku`: this process runs there.
    """
    parts = urlsplit(url)
    says_how = any(name.startswith("ssl_") for name in parse_qs(parts.query, keep_blank_values=True))
    is_theirs = on_heroku or _HEROKU.fullmatch(parts.hostname or "") is not None
    if parts.scheme != "rediss" or says_how or not is_theirs:
        return url
    return parts._replace(query="&".join(filter(None, [parts.query, UNVERIFIED]))).geturl()


def is_unverified(url: str) -> bool:
    """Returns True if anyone between here and the server could pose as it."""
    parts = urlsplit(url)
    said = parse_qs(parts.query)
    verifies_name = said.get("ssl_check_hostname", ["true"])[0].upper() not in FALSE_STRINGS
    return parts.scheme == "rediss" and (said.get("ssl_cert_reqs", ["required"])[0] == "none" or not verifies_name)
