"""Whom an `@` means."""

from __future__ import annotations

import pytest

from chatserver.accounts import User
from chatserver.formatting import Formatting
from chatserver.mentions import MAX_ENDS, MAX_PLACES, possible_names
from chatserver.names import name_key

NAMES = [
    "Ada",
    "Ada Lovelace",
    "Grace",
    "Ned O'Neil-Smith",
    "Zoë",
    "李 明",
    "ß",
    "x_y",
    "J.R.",
    "🦊",
    "हिन्दी",
    "Mr",
    "Mr. T",
]
USERS = {name_key(name): User(number, name) for number, name in enumerate(NAMES)}


@pytest.mark.parametrize(
    ("content", "mentioned"),
    [
        ("@Ada", ["Ada"]),
        ("hi @ada!", ["Ada"]),
        ("@ADA LOVELACE, hi", ["Ada Lovelace"]),
        ("@Ada Love", ["Ada"]),
        ("@Ada\nLovelace", ["Ada"]),
        ("@Adalbert", []),
        ("@Ada_", []),
        ("@Ada's", ["Ada"]),
        ("(@Ada)", ["Ada"]),
        ("**@Ada**", ["Ada"]),
        ("> @Ada", ["Ada"]),
        ("- @Ada\n- @Grace\n- @Ada", ["Ada", "Grace"]),
        ("@Grace @Ada", ["Grace", "Ada"]),
        ("@Grace,@Ada", ["Grace", "Ada"]),
        ("@Ned O'Neil-Smith too", ["Ned O'Neil-Smith"]),
        ("@zoë", ["Zoë"]),
        ("@ZOE\u0308", ["Zoë"]),
        ("@Zoe", []),
        ("@李 明 你好", ["李 明"]),
        ("@ss", ["ß"]),
        ("@x_y", ["x_y"]),
        ("@J.R. left", ["J.R."]),
        ("@🦊🦊", ["🦊"]),
        ("@हिन्दी", ["हिन्दी"]),
        ("@Mr. Teapot", ["Mr"]),
        ("@Mr. T!", ["Mr. T"]),
        ("@ Ada", []),
        ("@@Ada", []),
        ("me@Ada", []),
        ("me@ada.org", []),
        ("https://a.org/@Ada", []),
        ("a.org/@Ada", []),
        ("`@Ada`", []),
        ("```\n@Ada\n```", []),
        ("`@Ada` and @Grace", ["Grace"]),
        ("[@Ada](https://a.org)", ["Ada"]),
        (r"\@Ada", []),
        ("@nobody", []),
    ],
)
def test_a_mention_is_a_name_behind_an_at(content: str, mentioned: list[str]) -> None:
    asked = possible_names(content)
    users = {key: user for key, user in USERS.items() if key in asked}
    html, ids = Formatting().format(content, users)
    assert [NAMES[id] for id in ids] == mentioned
    assert bool(mentioned) == ("mention" in (html or ""))


def test_few_names_are_asked_for_however_many_there_could_be() -> None:
    assert possible_names("no at all") == set()
    assert possible_names("a@b.c") == set()
    assert (
        len(possible_names(" ".join(f"@a{n} b c d e f g h i j k l m n o p" for n in range(100))))
        <= MAX_PLACES * MAX_ENDS
    )
    assert name_key("a19") in possible_names(" ".join(f"@a{n}" for n in range(100)))
