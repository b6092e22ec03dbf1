"""GET /search, against a plain look at every message; and its page."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pymongo
import pytest

from chatserver.admin.rebuild import MessagesRebuild
from chatserver.archive.database import Database
from chatserver.search.plan import choose_plan
from chatserver.search.query import Query
from chatserver.settings import Settings
from tests.helpers.browserless import Visitor, read
from tests.helpers.html_page import read_page

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]


async def search(visitor: Visitor, q: str, **query: Any) -> dict[str, Any]:
    response = await visitor.get("/search?" + urlencode({"q": q} | query))
    assert response.code == 200, response.body
    found: dict[str, Any] = read(response)
    return found


async def contents(visitor: Visitor, q: str, **query: Any) -> list[str]:
    return [each["message"]["content"] for each in (await search(visitor, q, **query))["results"]]


async def everything(visitor: Visitor, q: str, limit: int, **query: Any) -> list[dict[str, Any]]:
    """All pages, one behind the other."""
    results: list[dict[str, Any]] = []
    while True:
        page = await search(visitor, q, limit=limit, **query)
        results += page["results"]
        if not page["has_more"]:
            return results
        query["before"] = results[-1]["message"]["id"]


@pytest.fixture
def mark() -> str:
    """A word that nobody else uses: tests share one archive."""
    return "z" + uuid.uuid4().hex


async def test_a_result_is_the_message_its_room_and_a_snippet(ada: Visitor, mark: str) -> None:
    room = await ada.make_room(f"Room {mark}")
    said = await ada.say(room, f"*Hello*\n<b>{mark}</b>")
    assert await search(ada, mark) == {
        "results": [{"message": said, "room_name": f"Room {mark}", "snippet": f"*Hello* <b>{mark}</b>"}],
        "has_more": False,
    }


async def test_all_words_must_be_there_and_the_last_may_go_on(ada: Visitor, room: int, mark: str) -> None:
    for text in ("apple banana", "apple", "banana", "apple bananas", "apples banana"):
        await ada.say(room, f"{mark} {text}")
    assert await contents(ada, f"{mark} apple banana") == [f"{mark} apple bananas", f"{mark} apple banana"]
    assert await contents(ada, f"banana apple {mark}") == [f"{mark} apple banana"]
    assert len(await contents(ada, f"{mark} app ")) == 4
    assert await contents(ada, f"{mark} app banana") == []
    assert len(await contents(ada, mark[:-3])) == 5
    assert await contents(ada, mark[1:]) == []


async def test_case_accents_and_width_do_not_matter(ada: Visitor, room: int, mark: str) -> None:
    said = f"{mark} CAFÉ Straße ﬁne"
    await ada.say(room, said)
    for query in ("cafe", "Cafe\u0301", "ｃａｆé", "strasse", "STRASSE", "fine"):
        assert await contents(ada, f"{mark} {query}") == [said], query


async def test_scripts_without_spaces_are_found_by_any_part(ada: Visitor, room: int, mark: str) -> None:
    said = f"{mark} 全文検索エンジン"
    await ada.say(room, said)
    await ada.say(room, f"{mark} 検索全文 文検")
    for query in ("全文検索", "検索エ", "エンジン", "ン", "ジ"):
        assert await contents(ada, f"{mark} {query}") == [said], query
    assert len(await contents(ada, f"{mark} 検")) == 2
    assert len(await contents(ada, f"{mark} 文検")) == 2
    assert await contents(ada, f"{mark} 索検") == []


async def test_room_and_author_narrow_it_down(
    ada: Visitor, room: int, mark: str, visit: Callable[..., Visitor]
) -> None:
    grace = visit()
    await grace.sign_up()
    other = await grace.make_room()
    for who, where, text in ((ada, room, "1"), (grace, room, "2"), (ada, other, "3"), (grace, other, "4")):
        await who.say(where, f"{mark} {text}")
    assert await contents(ada, mark) == [f"{mark} {n}" for n in "4321"]
    assert await contents(ada, mark, room=room) == [f"{mark} 2", f"{mark} 1"]
    assert await contents(ada, mark, **{"from": grace.name.upper()}) == [f"{mark} 4", f"{mark} 2"]
    assert await contents(ada, mark, room=other, **{"from": ada.name}) == [f"{mark} 3"]
    assert await contents(ada, mark, **{"from": f"nobody {mark}"}) == []


async def test_what_was_edited_is_found_by_what_it_says_now(ada: Visitor, room: int, mark: str) -> None:
    said = await ada.say(room, f"{mark} before")
    path = f"/rooms/{room}/messages/{said['id']}"
    assert (await ada.fetch("PATCH", path, json_body={"content": f"{mark} after"})).code == 200
    assert await contents(ada, f"{mark} before") == []
    (result,) = (await search(ada, f"{mark} after"))["results"]
    assert result["message"]["edited_at"]
    assert result["snippet"] == f"{mark} after"


async def test_what_was_deleted_is_never_found(ada: Visitor, room: int, mark: str) -> None:
    said = await ada.say(room, mark)
    assert (await ada.fetch("DELETE", f"/rooms/{room}/messages/{said['id']}")).code == 204
    assert await contents(ada, mark) == []


async def test_a_room_that_was_closed_is_not_searched(ada: Visitor, room: int, mark: str) -> None:
    await ada.say(room, mark)
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    assert await contents(ada, mark) == []
    assert (await ada.get(f"/search?q={mark}&room={room}")).code == 404


async def test_search_finds_what_a_look_at_every_message_finds(ada: Visitor, mark: str) -> None:
    dice = random.Random(7)
    vocabulary = [
        "sea",
        "seal",
        "seals",
        "Zoë",
        "zoe",
        "harbour",
        "hárbour",
        "港",
        "港町",
        "町",
        "a-b",
        "B",
        "日本の港町",
    ]
    rooms = [await ada.make_room() for _ in range(3)]
    said = []
    for _ in range(120):
        text = f"{mark} " + " ".join(dice.choice(vocabulary) for _ in range(dice.randint(1, 4)))
        said.append(await ada.say(dice.choice(rooms), text))
    said.sort(key=lambda message: tuple(map(int, message["id"].split("-"))), reverse=True)

    def plain(text: str) -> list[str]:
        return text.lower().replace("ë", "e").replace("á", "a").replace("-", " ").split()

    def has(text: str, query: str) -> bool:
        *words, last = plain(query)
        there = plain(text)
        return all(
            any(word in each if not word.isascii() else word == each for each in there) for word in words
        ) and any(last in each if not last.isascii() else each.startswith(last) for each in there)

    for query in ("sea", "seal", "seal sea", "zoe harbour", "zo", "b a", "港", "港町", "町 sea", "本の港", "sea 港 b"):
        expected = [message["id"] for message in said if has(message["content"].removeprefix(mark), query)]
        found = await everything(ada, f"{mark} {query}", limit=dice.randint(1, 50))
        assert [each["message"]["id"] for each in found] == expected, query


async def test_pages_have_no_holes_and_no_repeats_also_where_rooms_share_an_id(
    ada: Visitor, settings: Settings, mark: str
) -> None:
    rooms = [await ada.make_room() for _ in range(4)]
    said = [await ada.say(room, f"{mark} {number}") for number in range(5) for room in rooms]
    with pymongo.MongoClient[dict[str, Any]](settings.mongodb_uri) as client:
        messages = client.get_default_database("harbour").messages
        for number, message in enumerate(said):  # as if each four had been said in the same millisecond
            document = messages.find_one_and_delete({"content": message["content"], "_id.room": message["room_id"]})
            assert document is not None
            document["_id"] |= {"ms": 1000 + number // 4, "seq": 0}
            messages.insert_one(document)
        for limit in (1, 2, 3, 4, 5, 7, 19, 20):
            found = await everything(ada, mark, limit)
            places = [(each["message"]["id"], each["message"]["room_id"]) for each in found]
            assert places == sorted(places, reverse=True)
            assert len(set(places)) == len(places) == 20, limit
        assert len((await search(ada, mark, limit=3))["results"]) == 4
        messages.delete_many({"content": {"$regex": mark}})


async def test_messages_from_before_there_were_words_get_them_by_a_rebuild(
    ada: Visitor, room: int, settings: Settings, mark: str
) -> None:
    said = await ada.say(room, mark)
    with pymongo.MongoClient[dict[str, Any]](settings.mongodb_uri) as client:
        messages = client.get_default_database("harbour").messages
        messages.update_one({"_id.room": room}, {"$unset": {"words": ""}})
        assert await contents(ada, mark) == []
        database = Database(settings.mongodb_uri)
        await MessagesRebuild(database).rebuild(room)
        database.close()
    assert [each["message"] for each in (await search(ada, mark))["results"]] == [said]


WRONG = [
    ("", 400, "type a word to search for"),
    ("q=", 400, "type a word to search for"),
    ("q=%20%E2%80%A6!", 400, "type a word to search for"),
    ("q=" + "x" * 201, 422, "that is too long to search for"),
    ("q=x&limit=0", 400, "limit is 1 to 50"),
    ("q=x&limit=51", 400, "limit is 1 to 50"),
    ("q=x&limit=", 400, "limit is 1 to 50"),
    ("q=x&limit=%D9%A3", 400, "limit is 1 to 50"),
    ("q=x&before=x", 400, "before is not the id of a message"),
    ("q=x&before=1-0_2", 400, "before is not the id of a message"),
    ("q=x&room=x", 404, "room not found"),
    ("q=x&room=999999", 404, "room not found"),
    ("q=x&room=-1", 404, "room not found"),
]


async def test_what_is_wrong_is_said(ada: Visitor) -> None:
    for query, status, error in WRONG:
        response = await ada.get(f"/search?{query}")
        assert (response.code, read(response)) == (status, {"error": error}), query


async def test_signed_out_nobody_searches(visit: Callable[..., Visitor]) -> None:
    nobody = visit()
    response = await nobody.get("/search?q=x")
    assert (response.code, read(response)) == (401, {"error": "sign in first"})
    response = await nobody.get("/search?q=x", headers={"Accept": "text/html"})
    assert (response.code, response.headers["Location"]) == (302, "/sign-in?next=%2Fsearch%3Fq%3Dx")


async def test_a_search_that_takes_too_long_is_refused_and_told_when_to_come_again(
    ada: Visitor, room: int, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ada.say(room, mark)
    slow = {"$where": "function() { sleep(60000); return true; }"}
    monkeypatch.setattr("chatserver.search.plan.QueryPlan.older_than", lambda *_: slow)
    monkeypatch.setattr("chatserver.search.search.ANSWER_MS", 50)
    response = await ada.get(f"/search?q={mark}")
    assert (response.code, response.headers["Retry-After"]) == (503, "5")
    assert read(response) == {"error": "that takes too long to look for, add a word"}


async def test_a_rare_word_is_found_without_a_look_at_all_messages(
    ada: Visitor, settings: Settings, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a common one without a look at all that have it."""
    monkeypatch.setattr("chatserver.search.plan.RARE_WORD_MESSAGES", 20)
    database = Database(settings.mongodb_uri)
    room_id = 2**40 + random.randrange(2**40)
    words = [[f"{mark}often", f"{mark}other{number % 7}", f"{mark}n{number}"] for number in range(600)]
    documents = [
        {"_id": {"room": room_id, "ms": 2**41 + number, "seq": 0}, "words": each} for number, each in enumerate(words)
    ]
    await database.messages.insert_many(documents)
    for query, one_room, most in [
        (f"{mark}n77", False, 12),
        (f"{mark}n7", True, 12),
        (f"{mark}often {mark}n55", False, 12),
        (f"{mark}n55 {mark}often", False, 12),
        (f"{mark}often {mark}oth", False, 30),
        (f"{mark}o", False, 30),
        (f"{mark}o", True, 30),
    ]:
        wanted = Query.read(query)
        assert wanted is not None
        way = await choose_plan(database.messages, wanted, room_id if one_room else None)
        found = database.messages.find(way.query, hint=way.hint).sort(way.order).limit(20)
        told = (await found.explain())["executionStats"]
        *exact, last = query.split()
        expected = sum(set(exact) <= set(each) and any(word.startswith(last) for word in each) for each in words)
        assert told["nReturned"] == min(20, expected) > 0, query
        assert told["totalDocsExamined"] <= most, query
    await database.messages.delete_many({"_id.room": room_id})
    database.close()


async def test_more_searches_than_are_good_wait_for_their_turn(ada: Visitor, room: int, mark: str) -> None:
    await ada.say(room, mark)
    answers = await asyncio.gather(*[ada.get(f"/search?q={mark}") for _ in range(120)])
    assert {answer.code for answer in answers} <= {200, 503}
    assert all("Retry-After" in answer.headers for answer in answers if answer.code == 503)
    assert len([answer for answer in answers if answer.code == 200]) >= 40
    assert len(await contents(ada, mark)) == 1


# The page


async def test_the_page_marks_the_hits_and_links_to_each_message(ada: Visitor, mark: str) -> None:
    room = await ada.make_room(f"<i>{mark}</i>")
    said = await ada.say(room, f"<script>{mark}</script> & {mark.upper()}x")
    response = await ada.get(f"/search?q={mark}", headers={"Accept": "text/html"})
    assert response.code == 200
    page = read_page(response)
    (link,) = page.all("a", href=f"/chat/{room}?at={said['id']}")
    assert [each.text for each in page.all("mark")] == [mark, mark.upper()]
    assert f"<script>{mark}</script> & {mark.upper()}x" in link.text
    assert f"<i>{mark}</i>" in link.text
    assert page.all("input", name="q")[0]["value"] == mark
    assert not [each for each in page.all("script") if mark in each.text]


async def test_the_page_leads_on_to_older_ones(ada: Visitor, room: int, mark: str) -> None:
    said = [await ada.say(room, f"{mark} {number}") for number in range(5)]
    path: str | None = f"/search?q={mark}&limit=2&room={room}&from={ada.name.replace(' ', '+')}"
    seen: list[str] = []
    while path is not None:
        page = read_page(await ada.get(path, headers={"Accept": "text/html"}))
        seen += [each["href"].rpartition("=")[2] for each in page.all("a") if "?at=" in each["href"]]
        path = next((each["href"] for each in page.all("a") if each.text == "Older results"), None)
    assert seen == [message["id"] for message in reversed(said)]


async def test_the_page_has_its_field_whatever_was_asked(ada: Visitor) -> None:
    asked = {
        "": (200, ""),
        "q=%21": (400, "Type a word to search for"),
        "q=qqzzqq": (200, "No messages found"),
        "q=x&room=nope": (404, "Room not found"),
        "q=x&limit=y": (400, "Limit is 1 to 50"),
    }
    for query, (status, said) in asked.items():
        response = await ada.get(f"/search?{query}", headers={"Accept": "text/html"})
        assert response.code == status, query
        assert said in response.body.decode()
        assert len(read_page(response).all("input", id="q")) == 1
