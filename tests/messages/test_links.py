"""A link shows where it leads."""

from __future__ import annotations

import pytest

from chatserver.messages.formatting import Formatting
from tests.helpers.html_allowed import Fragment

EVIL = "https://evil.example/login"


@pytest.fixture(scope="module")
def formatting() -> Formatting:
    return Formatting()


def shown(formatting: Formatting, content: str) -> str:
    return Fragment(formatting.format(content, {}).html or "").text


@pytest.mark.parametrize(
    "address",
    [
        "https://xn--80ak6aa92e.com/login", "www.xn--80ak6aa92e.com", "ada@xn--80ak6aa92e.com", "https://a.org/%E2%80%AEmoc.live", "https://a.org/%D0%B0",
        "https://a.org/b_c", "HTTPS://A.org/x", "mailto:ada@a.org", "https://a.org:8080/?q",
    ],
)  # fmt: skip
def test_an_address_is_shown_as_it_was_written(formatting: Formatting, address: str) -> None:
    assert shown(formatting, address).removeprefix("mailto:") == address.removeprefix("mailto:")
    if not address.startswith("www.") and ":" in address:
        assert shown(formatting, f"<{address}>") == address


@pytest.mark.parametrize(("content", "host"), [
    ("https://аррӏе.com/x", "xn--80ak6aa92e.com"), ("https://münchen.de", "xn--mnchen-3ya.de"), ("https://bank.com@evil.example/", "evil.example"),
    ("https://bank.com\\@evil.example/", "evil.example"), ("https://bank.com:80@evil.example/", "evil.example"),
    *((f"[{text}]({EVIL})", "evil.example") for text in (
        "https://bank", "http://bank.com/login", "bank.com", "www.bank", "**bank**.com", "`https://bank.com`", "https&#58;//bank", "ｂａｎｋ．ｃｏｍ", "bank\u200b.com",
        "bank․com", "bank·com", "bank.c\u00ado\u00adm", "BANK.COM", "ada@bank.com", "10.0.0.1", "evil.example.bank.com", "https://bank.com/evil.example", "to bank.com", "bank.com (evil.example)",
    )),
    ("[ada@bank.com](mailto:eve@evil.example)", "eve@evil.example"), ("[evil.example](https://evil.example@bank.com)", "bank.com"),
])  # fmt: skip
def test_behind_what_looks_like_another_address_stands_where_it_leads(
    formatting: Formatting, content: str, host: str
) -> None:
    html = formatting.format(content, {}).html
    assert html is not None
    assert html.endswith(f'</a> <span class="at">({host})</span></p>'), html
    Fragment(html)


@pytest.mark.parametrize("content", [
    f"[here]({EVIL})", f"[evil.example]({EVIL})", f"[{EVIL}]({EVIL})", f"[EVIL.example/x]({EVIL})", f"[the docs, v2]({EVIL})", EVIL, "www.a.org/x", "ada@a.org", "[ada@a.org](mailto:ada@a.org)",
])  # fmt: skip
def test_elsewhere_nothing_does(formatting: Formatting, content: str) -> None:
    html = formatting.format(content, {}).html
    assert html is not None
    assert "<a " in html
    assert 'class="at"' not in html


@pytest.mark.parametrize("control", ["\u202e", "\u202d", "\u2067", "\u200f", "\u061c"])
def test_nothing_in_a_link_turns_its_text_around(formatting: Formatting, control: str) -> None:
    for content in (
        f"https://good.com/{control}moc.live",
        f"[a{control}b]({EVIL})",
        f"[`a{control}b`]({EVIL})",
        f"<https://good.com/{control}x>",
    ):
        html = formatting.format(content, {}).html
        assert html is not None
        assert control not in html
        assert "%" in Fragment(html).text


@pytest.mark.parametrize(
    "hidden", ["\u00ad", "\u200b", "\u200d", "\u2060", "\ufe0f", "\U000e0061", "\u202e", "\u3164", "%C2%AD"]
)
def test_a_host_with_what_cannot_be_seen_is_no_link(formatting: Formatting, hidden: str) -> None:
    for content in (
        f"*x* https://goo{hidden}gle.com/",
        f"*x* [here](https://goo{hidden}gle.com/)",
        f"*x* <https://goo{hidden}gle.com/>",
        f"*x* [here](https://a.org.goo{hidden}gle.com)",
    ):
        assert all(
            "gle" not in link.split("/")[2] for link in Fragment(formatting.format(content, {}).html or "").links
        ), content
