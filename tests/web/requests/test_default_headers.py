"""The headers that are ready for every answer are those that Tornado would make."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders, format_timestamp

from chatserver.web.default_headers import DefaultHeaders
from chatserver.web.handlers.security_headers import SECURITY_HEADERS

NOON = 1_764_072_000.0


def by_tornado(seconds: float) -> HTTPHeaders:
    headers = HTTPHeaders(SECURITY_HEADERS)
    headers["Date"] = format_timestamp(seconds)
    return headers


def test_they_are_what_tornado_would_make_of_them() -> None:
    fresh = DefaultHeaders(SECURITY_HEADERS, lambda: NOON).fresh()
    assert list(fresh.get_all()) == list(by_tornado(NOON).get_all())
    assert {name: fresh[name.lower()] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_the_date_goes_with_the_clock() -> None:
    now = NOON
    headers = DefaultHeaders(SECURITY_HEADERS, lambda: now)
    for now in (NOON, NOON + 0.9, NOON + 1, NOON + 3_600, NOON - 60):
        assert headers.fresh()["Date"] == format_timestamp(now)


def test_what_one_answer_does_to_its_own_is_not_seen_by_the_next() -> None:
    headers = DefaultHeaders(SECURITY_HEADERS, lambda: NOON)
    changed = headers.fresh()
    changed.add("Cache-Control", "private")
    changed["Date"] = "never"
    changed["Referrer-Policy"] = "unsafe-url"
    del changed["Content-Security-Policy"]
    assert changed.get_list("Cache-Control") == ["no-store", "private"]
    assert list(headers.fresh().get_all()) == list(by_tornado(NOON).get_all())
