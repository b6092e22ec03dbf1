"""Where a request comes from: the client's address, and whether its browser speaks HTTPS.

Behind proxies both stand in headers, which anybody else can write too. Each proxy adds what it saw at the end, so with
`trusted` proxies of one's own the entry at that place from the end is the last one that can be believed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

IPV6_NETWORK_BITS = 64
"""One customer of a provider gets so many bits as a network of his own: any address in it may be his."""

LONGEST_ADDRESS = 45
"""Characters of an IPv6 address in its longest spelling."""


def client_address(peer: str, forwarded_for: Sequence[str], trusted: int) -> str:
    """The address that asks, in its canonical spelling.

    `peer`: who is connected. `forwarded_for`: the values of X-Forwarded-For in their order. An entry that is no address
    means that a proxy does not do what it is trusted with; then the one who is connected is all that is known.
    """
    entry = _trusted_entry(forwarded_for, trusted)
    return _canonical(entry) or _canonical(peer) or peer


def is_https(protocol: str, forwarded_proto: Sequence[str], trusted: int) -> bool:
    """Whether the browser speaks HTTPS. `protocol`: that of the connection here."""
    return (_trusted_entry(forwarded_proto, trusted) or protocol).lower() == "https"


def network(address: str) -> str:
    """What is counted as one place: an IPv4 address, or the network of 64 bits around an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed.packed, IPV6_NETWORK_BITS), strict=False))


def _trusted_entry(values: Sequence[str], trusted: int) -> str | None:
    """The entry that the outermost proxy of one's own wrote; the first where there are fewer."""
    if not trusted or not values:
        return None
    entries = [entry.strip() for value in values for entry in value.rsplit(",", trusted)[-trusted:]]
    return entries[-trusted:][0]


def _canonical(text: str | None) -> str | None:
    """None for what is no address. Some proxies add the port."""
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
