"""Which names are taken, and which look like another one."""

from __future__ import annotations

import contextlib
import time
import unicodedata

import pytest
from confusable_homoglyphs.utils import load
from hypothesis import given
from hypothesis import strategies as st

from chatserver.errors import Invalid
from chatserver.model.display_names import clean_name, clean_name_of_person
from chatserver.model.lookalikes import skeleton, skeletons
from chatserver.model.reserved_names import RESERVED, is_reserved

LONGEST = 64


@pytest.mark.parametrize(
    "name",
    [
        "Ann 1a2b3c",
        "José",
        "Zoë_99",
        "O'Brien-Smith",
        "Nguyễn Văn A",
        "Анна",
        "Анна 1a2b3c",
        "Мария-Anna",
        "Νίκος",
        "李雷",
        "李雷 (Lei)",
        "ひらがなカタカナー漢字abc",
        "김Kim",
        "שָׁלוֹם",
        "דוד כהן",
        "محمد",
        "علی\u200cرضا",
        "क्\u200dष",
        "นภา",
        "ʻOkina",
        "🎉",
        "❤️ Kim",
        "👩🏽\u200d🚀",
        "\U0001fae8",  # newer than the Unicode that Python knows
        "100%",
        "✨Star✨",
    ],
)
def test_honest_names_are_taken(name: str) -> None:
    assert clean_name_of_person(name, LONGEST) == unicodedata.normalize("NFC", name)
    assert not is_reserved(name)


@pytest.mark.parametrize(
    "hidden",
    "\u200b\u2060\u00ad\ufe0f\u200e\u200f\u034f\u3164\U000e0061\u202e\u2066\u061c\u180e\u115f\u1160\uffa0\ufeff\u17b5\u200c\u200d",
)
def test_nothing_in_a_name_hides(hidden: str) -> None:
    for name in (f"Ann{hidden}", f"{hidden}Ann", f"Mary {hidden}Ann", f"An{hidden}n", hidden * 3):
        for clean in (clean_name, clean_name_of_person):
            with pytest.raises(Invalid, match="a name has"):
                clean(name, LONGEST)


@pytest.mark.parametrize("blank", "\u2800\u3000\u00a0\u2003\u202f\U0001d159")
def test_a_blank_is_a_space_and_no_name(blank: str) -> None:
    with pytest.raises(Invalid):
        clean_name(blank * 5, LONGEST)
    assert clean_name(f"{blank}Mary{blank}{blank} Ann ", LONGEST) == "Mary Ann"


@pytest.mark.parametrize(
    "name", ["\u0301", "A\u0301\u0301", "A" + "\u0316\u0317\u0318\u0319\u031c", "x\ue000", "x\u0378"]
)
def test_marks_alone_or_in_heaps_and_what_has_no_meaning_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        clean_name(name, LONGEST)


@pytest.mark.parametrize("name", ["Аda", "Adа Byron", "ада\u0251", "Ωmega", "Ivан"])
def test_a_word_of_a_person_s_name_has_one_alphabet_and_a_room_s_may_have_any(name: str) -> None:
    with pytest.raises(Invalid, match="one alphabet"):
        clean_name_of_person(name, LONGEST)
    assert clean_name(name, LONGEST) == name


ALIKE = [
    ("Ada", "\u0410da"),
    ("Ada", "\u0391da"),
    ("Capa", "Сара"),
    ("Bill", "BiII"),
    ("Amy", "Arny"),
    ("User 1", "User l"),
    ("Bob0", "BobO"),
    ("Ann-Marie", "Ann–Marie"),
    ("O'Brien", "O’Brien"),
    ("❤", "❤️"),
    ("Ann", "A\u200bnn"),
    ("Ann", "ａnn"),
    ("علی\u200cرضا", "علیرضا"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_look_alikes_share_a_look_in_both_directions(one: str, other: str) -> None:
    assert set(skeletons(one)) & set(skeletons(other))
    assert set(skeletons(other)) & set(skeletons(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("max1", "max2"),
        ("max1", "maxi"),
        ("Anna", "Hanna"),
        ("Anna", "Ana"),
        ("Ian", "Lan"),
        ("José", "Jose"),
        ("Müller", "Muller"),
        ("Łukasz", "Lukasz"),
        ("Room 1", "Room 11"),
        ("李雷", "李霄"),
        ("Анна", "Anna"),
    ],
)
def test_names_that_can_be_told_apart_share_none(one: str, other: str) -> None:
    assert not set(skeletons(one)) & set(skeletons(other))


def test_a_skeleton_is_the_same_for_all_that_unicode_lists_together() -> None:
    """Each pair of the data, as it is after canonical decomposition (UTS 39, section 4), which comes first."""
    pairs = [(key, each["c"]) for key, others in load("confusables.json").items() for each in others]
    whole = [pair for pair in pairs if all(unicodedata.normalize("NFD", text) == text for text in pair)]
    assert len(whole) > 10_000
    assert [pair for pair in whole if skeleton(pair[0]) != skeleton(pair[1])] == []


@pytest.mark.parametrize(
    ("text", "expected"), [("I", "l"), ("1", "l"), ("|", "l"), ("m", "rn"), ("0", "O"), ("а", "a"), ("ѕ", "s")]
)
def test_the_prototypes_are_unicode_s_own(text: str, expected: str) -> None:
    assert skeleton(text) == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_the_skeleton_of_a_skeleton_is_itself(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)


@pytest.mark.parametrize(
    "name",
    [
        "admin",
        "Admin",
        "ADMlN",
        "[admin]",
        "★ Admin ★",
        "a d m i n",
        "Harbour",
        "Everyone",
        "@here",
        "deleted user",
        "Ｓｙｓｔｅｍ",
    ],
)
def test_names_that_speak_for_the_house_are_reserved(name: str) -> None:
    assert is_reserved(name)


def test_every_reserved_word_is_reserved_and_nothing_that_begins_so() -> None:
    assert [word for word in RESERVED if not is_reserved(word)] == []
    assert not [word for word in RESERVED if is_reserved(f"{word}x1") or is_reserved(f"Ann {word}")]


@pytest.mark.parametrize(
    "piece", ["a", "а\u0301", "\u200d", "👩\u200d", "\ufe0f", " ", "क\u094d\u200d", "\u0301", "👩🏽\ufe0f", "ﷺ"]
)
def test_what_is_sent_as_a_name_costs_little(piece: str) -> None:
    """CPU time; the longest that a body may hold."""
    for text in (piece * 20, piece * 20_000):
        began = time.process_time()
        with contextlib.suppress(Invalid):
            skeletons(clean_name_of_person(text, LONGEST))
        assert time.process_time() - began < 0.2
