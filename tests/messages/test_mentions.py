"""Whom an `@` means."""

from __future__ import annotations

import pytest

from chatserver.messages.formatting import Formatting
from chatserver.messages.mentions import MAX_ENDS, MAX_PLACES, candidates, possible_names, spellings
from chatserver.model.display_names import name_key
from chatserver.model.users import User

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
        ("@\u0410da", []),  # what looks like a name means nobody, and not who has its beginning
        ("@Ad\u00ada", []),
        ("@Ada\u200bLovelace", []),
        ("@Mr\u2060Pink", []),
        ("@Mr\u3164T", []),
        ("@x_y\u200d", []),
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
    found = candidates(content)
    users = {key: user for key, user in USERS.items() if key in possible_names(found)}
    html, ids = Formatting().format(content, spellings(found, users))
    assert [NAMES[id] for id in ids] == mentioned
    assert bool(mentioned) == ("mention" in (html or ""))


def names_in(text: str) -> set[str]:
    return possible_names(candidates(text))


def test_few_names_are_asked_for_however_many_there_could_be() -> None:
    assert names_in("no at all") == set()
    assert names_in("a@b.c") == set()
    assert len(names_in(" ".join(f"@a{n} b c d e f g h i j k l m n o p" for n in range(100)))) <= MAX_PLACES * MAX_ENDS
    assert name_key("a19") in names_in(" ".join(f"@a{n}" for n in range(100)))
    assert name_key("a20") not in names_in(" ".join(f"@a{n}" for n in range(100)))


def test_an_at_is_looked_up_once_however_often_the_parser_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """One letter may be eighteen when names are compared."""
    asked: list[str] = []

    def noted(name: str) -> str:
        asked.append(name)
        return name_key(name)

    monkeypatch.setattr("chatserver.messages.mentions.name_key", noted)
    content = "*" + " @ﷺ-ﷺ-ﷺ" * 200
    Formatting().format(content, spellings(candidates(content), USERS))
    assert 0 < len(asked) <= MAX_PLACES * MAX_ENDS


def test_the_same_name_is_meant_wherever_it_is_said() -> None:
    content = "@Ada " * 25 + "@Ada Lovelace, @Ada"
    html, ids = Formatting().format(content, spellings(candidates(content), USERS))
    assert [NAMES[id] for id in ids] == ["Ada"]
    assert (html or "").count("@Ada</span>") == 27
