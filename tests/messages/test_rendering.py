"""Composing, in a chat: what a post and an edit become, and how seldom the database is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pymongo.monitoring
import pytest

from chatserver.accounts.lookup import UserLookup
from chatserver.archive.database import Database
from chatserver.messages.formatter_pool import Formatters
from chatserver.messages.formatting import PLAIN
from chatserver.messages.rendering import Composing
from tests.helpers.browserless import Visitor

pytestmark = pytest.mark.gen_test


class Asked(pymongo.monitoring.CommandListener):
    """Counts what a database is asked about users."""

    def __init__(self) -> None:
        self.count = 0

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        self.count += event.command.get("find") == "users"

    def succeeded(self, event: Any) -> None:
        pass

    failed = succeeded


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Of the databases that are connected to later."""
    listener = Asked()
    monkeypatch.setattr(pymongo.monitoring, "_LISTENERS", pymongo.monitoring._Listeners([listener], [], [], [], []))
    return listener


@pytest.fixture
def database(asked: Asked, settings: Any) -> Iterator[Database]:
    database = Database(settings.mongodb_uri)
    yield database
    database.close()


async def test_a_message_has_its_html_and_whom_it_mentions(ada: Visitor, room: int) -> None:
    span = f'<span class="mention" data-user-id="{ada.id}">@{ada.name}</span>'
    said = await ada.say(room, f"**hi** @{ada.name}, you")
    assert (said["html"], said["mentions"]) == (f"<p><strong>hi</strong> {span}, you</p>", [ada.id])
    assert (await ada.page(room))["messages"] == [said]
    plain = await ada.say(room, "hi ada")
    assert "html" not in plain
    assert "mentions" not in plain


async def test_an_edit_is_composed_anew(ada: Visitor, room: int) -> None:
    said = await ada.say(room, f"*hi* @{ada.name}")
    path = f"/rooms/{room}/messages/{said['id']}"
    await ada.fetch("PATCH", path, json_body={"content": "plain"})
    (message,) = (await ada.page(room))["messages"]
    assert "html" not in message
    assert "mentions" not in message
    await ada.fetch("PATCH", path, json_body={"content": f"@{ada.name}"})
    (message,) = (await ada.page(room))["messages"]
    assert message["mentions"] == [ada.id]


async def test_names_are_asked_for_once_and_only_behind_an_at(ada: Visitor, database: Database, asked: Asked) -> None:
    composing = Composing(UserLookup(database), Formatters())
    for content in ("hello", "*hello*", "a@b.org", "https://a.org/@x", "@"):
        await composing.compose(content)
    assert asked.count == 0
    for _ in range(3):
        assert (await composing.compose(f"@{ada.name} @nobody there")).mentions == (ada.id,)
    assert asked.count == 1


async def test_those_who_post_at_the_same_time_share_a_look_up(ada: Visitor, database: Database, asked: Asked) -> None:
    composing = Composing(UserLookup(database), Formatters())
    await asyncio.gather(*[composing.compose(f"@{ada.name} {number}") for number in range(100)])
    assert asked.count <= 3


async def test_without_a_database_a_message_goes_its_way_without_mentions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatserver.archive.database.SELECT_MS", 1_500)
    database = Database("mongodb://127.0.0.1:1/?replicaSet=none")
    people = UserLookup(database)
    composing = Composing(people, Formatters())
    assert await composing.compose("@Ada, hi") == PLAIN
    assert (await composing.compose("*hi* @Ada")).html == "<p><em>hi</em> @Ada</p>"
    await people.close()
    database.close()
