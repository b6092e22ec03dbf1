"""Settings: what is right is read, what is wrong stops the start by name and is never shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.settings import TABLE, Settings, SettingsError
from chatserver.support.origin import Origin

SECRET = "s3cr3t-s3cr3t-s3cr3t"
REQUIRED = {"MONGODB_URI": "mongodb://h/harbour", "REDIS_URL": "redis://h", "COOKIE_SECRET": SECRET}


def test_defaults() -> None:
    assert Settings.from_environ(REQUIRED) == Settings(
        port=8000,
        host="127.0.0.1",
        mongodb_uri="mongodb://h/harbour",
        redis_url="redis://h",
        cookie_secret=SECRET,
        origin=None,
        web_concurrency=1,
        drain_seconds=25.0,
        max_streams=15_000,
        max_streams_per_user=50,
        rate_limits=True,
        trusted_proxies=0,
    )


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert Settings.from_environ({**REQUIRED, "PORT": "", "HOST": "", "DRAIN_SECONDS": ""}) == Settings.from_environ(
        REQUIRED
    )


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PORT", "0", 0),
        ("PORT", "65535", 65535),
        ("HOST", "0.0.0.0", "0.0.0.0"),
        ("MONGODB_URI", "mongodb://a:1,b:2,[::1]:3/x?replicaSet=rs0", "mongodb://a:1,b:2,[::1]:3/x?replicaSet=rs0"),
        ("MONGODB_URI", "mongodb+srv://u:p%2Fw@h.example/x", "mongodb+srv://u:p%2Fw@h.example/x"),
        ("REDIS_URL", "redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("REDIS_URL", "rediss://u:p%40w@h:6380", "rediss://u:p%40w@h:6380"),
        ("REDIS_URL", "unix:///run/redis/redis.sock?db=1", "unix:///run/redis/redis.sock?db=1"),
        ("ORIGIN", "https://Chat.example.org/", Origin("https", "chat.example.org", 443)),
        ("ORIGIN", "http://[::1]:8000", Origin("http", "::1", 8000)),
        ("WEB_CONCURRENCY", "64", 64),
        ("DRAIN_SECONDS", "0", 0.0),
        ("DRAIN_SECONDS", "2.5", 2.5),
        ("RATE_LIMITS", "on", True),
        ("RATE_LIMITS", "off", False),
        ("TRUSTED_PROXIES", "2", 2),
    ],
)
def test_what_is_right(name: str, text: str, value: object) -> None:
    assert getattr(Settings.from_environ({**REQUIRED, name: text}), name.lower()) == value


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_required(name: str) -> None:
    without = {key: value for key, value in REQUIRED.items() if key != name}
    for environ in (without, {**without, name: ""}):
        with pytest.raises(SettingsError, match=rf"^{name} is missing: "):
            Settings.from_environ(environ)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ORIGIN", "chat.example.org"),
        ("ORIGIN", "https://"),
        ("ORIGIN", "https://hunter2/x"),
        ("ORIGIN", "https://hunter2?x"),
        ("ORIGIN", "https://a@hunter2"),
        ("ORIGIN", "ftp://hunter2"),
        ("ORIGIN", "https://hunter2:x"),
        ("ORIGIN", "https://hunter2:"),
        ("ORIGIN", "null"),
        ("ORIGIN", "https://hünter2"),
        ("ORIGIN", "https://hunter2, https://b"),
        ("ORIGIN", "https://hunter2\n"),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "80.0"),
        ("PORT", "²"),
        ("PORT", "00000000009999999"),
        ("MONGODB_URI", "hunter2"),
        ("MONGODB_URI", "redis://hunter2"),
        ("MONGODB_URI", "mongodb://"),
        ("MONGODB_URI", "mongodb://[hunter2"),
        ("MONGODB_URI", "mongodb://u:hunter2/x@h/harbour"),
        ("MONGODB_URI", "mongodb://u:1/hunter2@h/harbour"),
        ("REDIS_URL", "http://hunter2"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "unix://"),
        ("REDIS_URL", "redis://:hunter2/x@h:6379"),
        ("REDIS_URL", "redis://:hunter2#x@h:6379"),
        ("REDIS_URL", "redis://:hunter2?x@h:6379"),
        ("REDIS_URL", "redis://h:hunter2"),
        ("COOKIE_SECRET", "hunter2"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "65"),
        ("WEB_CONCURRENCY", "two"),
        ("DRAIN_SECONDS", "-1"),
        ("DRAIN_SECONDS", "601"),
        ("DRAIN_SECONDS", "nan"),
        ("DRAIN_SECONDS", "inf"),
        ("DRAIN_SECONDS", "soon"),
        ("RATE_LIMITS", "no"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ],
)
def test_what_is_wrong_is_named_in_one_line_and_not_shown(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name} is not right: ") as raised:
        Settings.from_environ({**REQUIRED, name: text})
    assert "hunter2" not in str(raised.value)
    assert SECRET not in str(raised.value)
    assert "\n" not in str(raised.value)


@given(st.sampled_from([variable.name for variable in TABLE]), st.text())
def test_no_text_is_answered_with_anything_else(name: str, text: str) -> None:
    """Whatever stands in a variable, it is read within its limits or it is refused by name."""
    said = f"{name} is "
    try:
        settings = Settings.from_environ({**REQUIRED, name: text})
    except SettingsError as error:
        said = str(error)
    else:
        assert 0 <= settings.port <= 65535
        assert 1 <= settings.web_concurrency <= 64
        assert 0 <= settings.drain_seconds <= 600
    assert said.startswith(f"{name} is ")


@given(st.from_regex(r"[0-9]{1,30}", fullmatch=True))
def test_a_port_is_within_its_limits_however_it_is_written(text: str) -> None:
    try:
        port = Settings.from_environ({**REQUIRED, "PORT": text}).port
    except SettingsError:
        return
    assert 0 <= port <= 65535
    assert port == int(text)
