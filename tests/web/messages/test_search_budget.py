"""What a search may cost: so many messages looked at, and one search of a user at a time; then it says where to go on."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pymongo
import pytest

from chatserver.app import Chat
from chatserver.archive.database import DEFAULT_NAME, Database
from chatserver.model.words import search_words
from chatserver.search import search as search_module
from chatserver.search.plan import RARE_WORD_MESSAGES
from chatserver.search.search import SEARCH_BUDGET_MESSAGES
from chatserver.settings import Settings
from tests.helpers.browserless import Visitor, read
from tests.helpers.html_page import read_page
from tests.web.messages.test_search import search

pytestmark = pytest.mark.gen_test(timeout=180)

MANY = SEARCH_BUDGET_MESSAGES * 3

PROFILED = 2
"""All operations (https://www.mongodb.com/docs/manual/reference/command/profile/)."""


@pytest.fixture(autouse=True)
def time_to_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted here are messages. On a busy machine the time that a search has would end some of them sooner."""
    monkeypatch.setattr(search_module, "SEARCH_SECONDS", 600.0)


@pytest.fixture(autouse=True)
def nothing_said(mongo: pymongo.MongoClient[dict[str, Any]]) -> None:
    """A walk passes all that was ever said, and other tests have said much."""
    mongo.get_default_database(DEFAULT_NAME)["messages"].delete_many({})


@pytest.fixture
def mark() -> str:
    """A word that nobody else uses."""
    return "z" + uuid.uuid4().hex


@asynccontextmanager
async def said(settings: Settings, room: int, contents: list[str], user_id: int = 1) -> AsyncIterator[None]:
    """The room's talk, newest last, as the archive shows it: to say it would take minutes."""
    database = Database(settings.mongodb_uri)
    documents: list[dict[str, Any]] = [
        {
            "_id": {"room": room, "ms": 2**41 + number, "seq": 0}, "prev": "0-0", "user_id": user_id, "user_name": "somebody",
            "content": content, "created_at": "2026-11-25T10:00:00.000Z", "client_id": f"c{number}", "words": search_words(content),
        }
        for number, content in enumerate(contents)
    ]  # fmt: skip
    await database.messages.insert_many(documents)
    yield
    await database.messages.delete_many({"_id.room": room})
    database.close()


@asynccontextmanager
async def examined(settings: Settings) -> AsyncIterator[Callable[[], tuple[int, int]]]:
    """How many documents and keys of an index were looked at since, by all queries of `messages`."""
    with pymongo.MongoClient[dict[str, Any]](settings.mongodb_uri) as client:
        database = client.get_default_database("harbour")
        database.command("profile", 0)
        database.drop_collection("system.profile")
        database.command("profile", PROFILED)

        def told() -> tuple[int, int]:
            found = list(database["system.profile"].find({"ns": "harbour.messages"}))
            return sum(each.get("docsExamined", 0) for each in found), sum(
                each.get("keysExamined", 0) for each in found
            )

        yield told
        database.command("profile", 0)
        database.drop_collection("system.profile")


async def walk(who: Visitor, q: str, **query: Any) -> tuple[list[str], int]:
    """All that is found, and in how many pages."""
    found: list[str] = []
    for pages in range(1, 5_000):
        page = await search(who, q, **query)
        found += [each["message"]["content"] for each in page["results"]]
        if not page["has_more"]:
            assert "next" not in page
            return found, pages
        query["before"] = page["next"]
    raise AssertionError("it never ends")


async def test_a_search_that_finds_nothing_ends_and_says_where_to_go_on(
    ada: Visitor, room: int, settings: Settings
) -> None:
    """The pairs of a run of characters without spaces are in all messages, the run itself in the oldest."""
    apart = "検索、索引、引用"
    async with said(settings, room, ["検索引用", *[apart] * MANY]), examined(settings) as told:
        page = await search(ada, "検索引用", room=room)
        assert (page["results"], page["has_more"]) == ([], True)
        documents, keys = told()
        assert documents <= SEARCH_BUDGET_MESSAGES + 100
        assert keys <= SEARCH_BUDGET_MESSAGES * 3 + RARE_WORD_MESSAGES * 6
        found, pages = await walk(ada, "検索引用", room=room)
        assert found == ["検索引用"]
        assert pages == MANY // SEARCH_BUDGET_MESSAGES + 1


COSTLY = {
    "an author who said nothing": ("{mark}often", {"from": "{ada}"}),
    "two words that are never together": ("{mark}even {mark}odd ", {}),
    "beginnings": ("{mark}o", {"from": "{ada}"}),
    "a beginning in one room": ("{mark}x{mark}", {}),
    "another room": ("{mark}often", {"room": "other"}),
    "characters that stand apart": ("検索引用", {}),
}


@pytest.mark.parametrize("case", COSTLY)
async def test_whatever_is_looked_for_costs_no_more(
    ada: Visitor,
    room: int,
    settings: Settings,
    mark: str,
    case: str,
) -> None:
    q, narrowed = COSTLY[case]
    query = {name: value.format(ada=ada.name) for name, value in narrowed.items()}
    if query.get("room") == "other":
        query["room"] = str(await ada.make_room())
    contents = [f"{mark}often {mark}{'odd' if n % 2 else 'even'} 検索、索引、引用" for n in range(MANY)]
    async with said(settings, room, contents, user_id=2**40), examined(settings) as told:
        await search(ada, q.format(mark=mark), **query)
        documents, keys = told()
        assert documents <= SEARCH_BUDGET_MESSAGES + 100, case
        assert keys <= SEARCH_BUDGET_MESSAGES * 3 + RARE_WORD_MESSAGES * 6, case


async def test_going_on_finds_everything_once(
    ada: Visitor,
    room: int,
    settings: Settings,
    mark: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever the budget ends; messages of several rooms may have the same id."""
    monkeypatch.setattr(search_module, "STRETCHES", (3, 5))
    monkeypatch.setattr("chatserver.search.plan.RARE_WORD_MESSAGES", 10)
    dice = random.Random(3)
    rooms = [room, await ada.make_room(), await ada.make_room()]
    contents = [f"{mark} {dice.choice(['全文検索', '全文、検索', '全文検索 x'])} {n}" for n in range(120)]
    database = Database(settings.mongodb_uri)
    documents: list[dict[str, Any]] = [
        {
            "_id": {"room": rooms[number % 3], "ms": 2**41 + number // 5, "seq": number % 5 // 3}, "prev": "0-0", "user_id": 1, "user_name": "x",
            "content": content, "created_at": "2026-11-25T10:00:00.000Z", "client_id": f"c{number}", "words": search_words(content),
        }
        for number, content in enumerate(contents)
    ]  # fmt: skip
    places = [tuple(document["_id"][name] for name in ("ms", "seq", "room")) for document in documents]
    newest_first = [content for _, content in sorted(zip(places, contents, strict=True), reverse=True)]
    await database.messages.insert_many(documents)
    for q, part in (
        (f"{mark} 全文検索 ", "全文検索"),
        (f"{mark[:9]}", ""),
        (f"{mark} x ", " x "),
        (f"{mark} 全 検", ""),
    ):
        for query in ({}, {"limit": 2}, {"room": rooms[1]}, {"room": rooms[0], "limit": 1}):
            found, pages = await walk(ada, q, **query)
            wanted = [each for each in newest_first if part in each]
            if "room" in query:
                wanted = [each for each in wanted if rooms[contents.index(each) % 3] == query["room"]]
            assert found == wanted, (q, query)
            assert pages > 1
    await database.messages.delete_many({"content": {"$regex": mark}})
    database.close()


async def test_a_page_of_results_stops_before_it_is_too_long(
    ada: Visitor,
    room: int,
    settings: Settings,
    mark: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search_module, "PAGE_BYTES", 40_000)
    contents = [f"{mark} {number} {'🎉' * 1_900}" for number in range(30)]
    async with said(settings, room, contents):
        response = await ada.get(f"/search?q={mark}&limit=50")
        assert len(response.body) < 60_000
        found, pages = await walk(ada, mark, limit=50)
        assert (found, pages > 3) == (contents[::-1], True)


async def test_one_search_of_a_user_goes_on_at_a_time_and_keeps_nobody_else_waiting(
    ada: Visitor,
    room: int,
    chat: Chat,
    visit: Callable[..., Visitor],
    mark: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grace = visit()
    await grace.sign_up()
    await ada.say(room, mark)
    going_on = asyncio.Event()
    at_once = most = 0
    page = search_module.Search._page

    async def slow(self: Any, *asked: Any) -> Any:
        nonlocal at_once, most
        if len(asked[1]) == 0 or "user_id" not in asked[1]:
            return await page(self, *asked)
        at_once += 1
        most = max(most, at_once)
        await going_on.wait()
        at_once -= 1
        return await page(self, *asked)

    monkeypatch.setattr(search_module.Search, "_page", slow)
    hers = [asyncio.ensure_future(ada.get("/search?" + urlencode({"q": mark, "from": ada.name}))) for _ in range(12)]
    for _ in range(5):
        assert [each["message"]["content"] for each in (await search(grace, mark))["results"]] == [mark]
    assert most == 1
    going_on.set()
    answers = await asyncio.gather(*hers)
    assert {answer.code for answer in answers} <= {200, 429, 503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.code != 200)
    assert most == 1
    assert read(await ada.get(f"/search?q={mark}"))["results"]


async def test_the_page_leads_further_where_nothing_was_found_yet(ada: Visitor, room: int, settings: Settings) -> None:
    async with said(settings, room, ["検索引用", *["検索、索引、引用"] * (SEARCH_BUDGET_MESSAGES + 50)]):
        path = "/search?" + urlencode({"q": "検索引用", "room": room})
        page = read_page(await ada.get(path, headers={"Accept": "text/html"}))
        (further,) = [each for each in page.all("a") if each.text == "Search older messages"]
        page = read_page(await ada.get(further["href"], headers={"Accept": "text/html"}))
        assert len([each for each in page.all("a") if "?at=" in each["href"]]) == 1
        assert not [each for each in page.all("a") if each.text in {"Search older messages", "Older results"}]
