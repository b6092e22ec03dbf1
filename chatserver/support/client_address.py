"""The client's address, and the protocol (HTTP or HTTPS) of its browser.

Behind proxies both stand in headers, which anyone else can write too. Each proxy appends the address or protocol that
it saw, so with `trusted` proxies of one's own the entry at that place from the end is the last trustworthy one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

IPV6_NETWORK_BITS = 64
"""Prefix of the network that a provider gives to one customer, who may use any address in it."""

LONGEST_ADDRESS = 45
"""Characters of an IPv6 address in its longest spelling."""


def client_address(peer: str, forwarded_for: Sequence[str], trusted: int) -> str:
    """Returns the client's address, in its canonical spelling.

    `peer`: the address of the connection. `forwarded_for`: the values of X-Forwarded-For in their order. An entry that
    is no address means that a proxy fails its trust; then the peer is all that is known. `trusted`: number of proxies.
    """
    entry = _trusted_entry(forwarded_for, trusted)
    return _canonical(entry) or _canonical(peer) or peer


def is_https(protocol: str, forwarded_proto: Sequence[str], trusted: int) -> bool:
    """Returns True if the browser speaks HTTPS. `protocol`: that of the connection here."""
    return (_trusted_entry(forwarded_proto, trusted) or protocol).lower() == "https"


def network(address: str) -> str:
    """Returns the unit that limits count by: an IPv4 address, or the 64-bit network around an IPv6 address; `unknown`
    for any other text."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed.packed, IPV6_NETWORK_BITS), strict=False))


def _trusted_entry(values: Sequence[str], trusted: int) -> str | None:
    """Returns the entry that the outermost proxy of one's own wrote; the first if there are fewer."""
    if not trusted or not values:
        return None
    entries = [entry.strip() for value in values for entry in value.rsplit(",", trusted)[-trusted:]]
    return entries[-trusted:][0]


def _canonical(text: str | None) -> str | None:
    """Returns the canonical spelling; None if the text is no address. Some proxies add the port."""
    if text is None:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    if len(text) > LONGEST_ADDRESS:
        return None
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
