"""Passwords that are refused, and that others are not."""

from __future__ import annotations

import pytest

from chatserver.accounts.passwords import check_password
from chatserver.errors import Invalid

NAME = "Ada Byron"


@pytest.mark.parametrize(
    ("password", "text"),
    [
        ("short", "at least 8 characters"),
        ("x" * 1_001, "at least 8 characters"),
        ("        ", "more than spaces"),
        ("\u3000" * 8, "more than spaces"),
        ("password", "tried first"),
        ("PassWord", "tried first"),
        (" password ", "tried first"),
        ("12345678", "tried first"),
        ("qwertyuiop", "tried first"),
        ("iloveyou", "tried first"),
        ("password1", "tried first"),
        ("\uff50assword", "tried first"),
        ("ada byron", "not the name"),
        ("Ada Byron ", "not the name"),
        ("AdaByron", "not the name"),
        ("noryb ada", "not the name"),
        ("adabyronadabyron", "not the name"),
        ("harbour1", "name of this chat"),
        ("Harbour 2026!", "name of this chat"),
        ("harbourchat", "name of this chat"),
    ],
)
def test_what_is_tried_first_is_refused(password: str, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_password(password, NAME)
    assert refused.value.status == 422
    assert text in refused.value.text


@pytest.mark.parametrize(
    "password",
    ["correct horse", "correct horse battery", "password-1234", "a good long one", "Ada Byron and I", "harbour at dawn", "пароль-на-завтра", "x" * 1_000],
)  # fmt: skip
def test_others_are_not(password: str) -> None:
    check_password(password, NAME)
