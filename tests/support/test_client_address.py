"""The client's address: what headers say is believed as far as one's own proxies wrote it, and no further."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.support.client_address import LONGEST_ADDRESS, client_address, is_https, network


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (0, [], "10.0.0.1"),
        (0, ["192.0.2.1"], "10.0.0.1"),
        (1, [], "10.0.0.1"),
        (1, ["192.0.2.1"], "192.0.2.1"),
        (1, ["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        (1, ["198.51.100.9", "192.0.2.1"], "192.0.2.1"),
        (2, ["198.51.100.9, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        (2, ["198.51.100.9,192.0.2.1", "10.0.0.2"], "192.0.2.1"),
        (2, ["192.0.2.1"], "192.0.2.1"),
        (1, ["192.0.2.1:4711"], "192.0.2.1"),
        (1, ["[2001:db8::1]:4711"], "2001:db8::1"),
        (1, ["2001:DB8:0::1"], "2001:db8::1"),
        (1, ["fe80::1%eth0"], "fe80::1"),
        (1, ["::ffff:192.0.2.1"], "192.0.2.1"),
        (1, ["unknown"], "10.0.0.1"),
        (1, ["192.0.2.1, "], "10.0.0.1"),
        (1, ["127.1"], "10.0.0.1"),
        (1, ["1" * 10_000], "10.0.0.1"),
    ],
)
def test_as_many_hops_are_believed_as_are_trusted(trusted: int, forwarded: list[str], address: str) -> None:
    assert client_address("10.0.0.1", forwarded, trusted) == address


def test_a_client_on_ipv4_has_one_address_on_a_listener_of_both_kinds() -> None:
    assert client_address("::ffff:10.0.0.1", [], 0) == "10.0.0.1"


@pytest.mark.parametrize(
    ("trusted", "protocol", "forwarded", "secure"),
    [
        (0, "http", ["https"], False),
        (0, "https", ["http"], True),
        (1, "http", [], False),
        (1, "http", ["https"], True),
        (1, "http", ["HTTPS"], True),
        (1, "http", ["https, http"], False),
        (1, "http", ["https", "http"], False),
        (2, "http", ["http, https, http"], True),
    ],
)
def test_https_is_believed_the_same_way(trusted: int, protocol: str, forwarded: list[str], secure: bool) -> None:
    assert is_https(protocol, forwarded, trusted) is secure


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("not an address", "another one", True),
    ],
)
def test_a_network_of_64_bits_is_one_place(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3), st.integers(0, 3))
def test_whatever_stands_there_is_an_address_or_the_peer(peer: str, forwarded: list[str], trusted: int) -> None:
    found = client_address(peer, forwarded, trusted)
    assert found == peer or (len(found) <= LONGEST_ADDRESS and network(found) != "unknown")
