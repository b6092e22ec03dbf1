"""What concerns the safety of accounts is in the log, with who and from where, and no secret is."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator

import pytest
from tornado.testing import bind_unused_port

from chatserver.accounts.security_log import LINES_OF_A_KIND, SecurityLog
from chatserver.app import Chat
from chatserver.serving import make_server
from chatserver.support.log_throttle import ThrottleRepeats
from chatserver.support.origin import Origin
from chatserver.web.application import ChatApplication
from tests.helpers.browserless import Visitor
from tests.helpers.chats import static_files
from tests.helpers.ways_to_ask import Sending

pytestmark = [pytest.mark.gen_test, pytest.mark.one_chat]

SECRET = "a password of nobody"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[str]]]:
    """The lines so far; the level of the log is what a deployment has."""
    logging.getLogger().setLevel(logging.WARNING)
    kept = Kept()
    logging.getLogger("chatserver.security").addHandler(kept)
    yield lambda: list(kept.texts)
    logging.getLogger("chatserver.security").removeHandler(kept)


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


async def test_who_comes_and_goes_is_told(visit: Callable[..., Visitor], lines: Callable[[], list[str]]) -> None:
    ann = visit()
    await ann.sign_up(password=SECRET)
    await ann.fetch("POST", "/sign-out")
    await ann.fetch("POST", "/sign-in", json_body={"name": ann.name, "password": SECRET})
    address = "address=127.0.0.1"
    assert lines() == [
        f"event=signed_up user={ann.id} {address}",
        f"event=session_ended user={ann.id} {address}",
        f"event=signed_in user={ann.id} {address}",
    ]


@pytest.mark.parametrize("form", [False, True])
async def test_a_wrong_password_is_told_without_the_name_and_without_the_password(
    visit: Callable[..., Visitor], lines: Callable[[], list[str]], form: bool
) -> None:
    ann, somebody = visit(), visit()
    await ann.sign_up()
    await somebody.get_csrf()
    for name in (ann.name, ann.name.upper()):
        body = {"name": name, "password": SECRET}
        how: Sending = {"form": body | {"_xsrf": somebody.token or ""}} if form else {"json_body": body}
        response = await somebody.fetch("POST", "/sign-in", **how)
        assert response.code == 401
    told = [line for line in lines() if "sign_in_failed" in line]
    assert len(told) == 2
    assert told[0] == told[1]  # one name in two spellings
    said = " ".join(lines())
    assert SECRET not in said
    assert ann.name not in said


async def test_a_name_in_which_anything_stands_is_no_trouble(
    visit: Callable[..., Visitor], lines: Callable[[], list[str]]
) -> None:
    somebody = visit()
    for name in ("\ud800\u202e\x9b", "x" * 60_000, "a b=c\nevent=signed_in"):
        response = await somebody.fetch("POST", "/sign-in", json_body={"name": name, "password": "x" * 10})
        assert response.code in {400, 401, 422}
    assert [line for line in lines() if not line.startswith("event=sign_in_failed name=") or len(line) > 100] == []


async def test_a_request_without_the_page_s_token_is_told(ada: Visitor, lines: Callable[[], list[str]]) -> None:
    response = await ada.fetch("POST", "/rooms", json_body={"name": uuid.uuid4().hex}, token=False)
    assert response.code == 403
    assert lines()[-1] == f"event=refused why=csrf user={ada.id} address=127.0.0.1"


@pytest.mark.parametrize(
    ("headers", "why"), [({"Origin": "http://evil.test"}, "origin"), ({"X-User": "1000000"}, "other_user")]
)
async def test_a_page_that_is_not_ours_or_not_theirs_is_told(
    ada: Visitor, lines: Callable[[], list[str]], headers: dict[str, str], why: str
) -> None:
    response = await ada.fetch("POST", "/rooms", json_body={"name": uuid.uuid4().hex}, headers=headers)
    assert response.code in {403, 409}
    # A page of another site is refused before it is asked who is signed in.
    who = "" if why == "origin" else f"user={ada.id} "
    assert lines()[-1] == f"event=refused why={why} {who}address=127.0.0.1"


async def test_another_host_is_told(chat: Chat, lines: Callable[[], list[str]], visit: Callable[..., Visitor]) -> None:
    site = Origin.parse("https://chat.example.org")
    server = make_server(ChatApplication(chat.services, "a secret for tests only", static_files(), site))
    listener, port = bind_unused_port()
    server.add_socket(listener)
    nobody = visit(f"http://127.0.0.1:{port}")
    assert (await nobody.get("/sign-in", headers={"Host": "evil.test"})).code == 421
    server.stop()
    await server.close_all_connections()
    assert lines()[-1] == "event=refused why=host address=127.0.0.1"


async def test_who_closes_a_room_is_told(ada: Visitor, lines: Callable[[], list[str]]) -> None:
    room = await ada.make_room()
    assert (await ada.fetch("DELETE", f"/rooms/{room}")).code == 204
    assert lines()[-1] == f"event=room_closed room={room} user={ada.id} address=127.0.0.1"


async def test_a_flood_of_them_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    kept = caplog.handler
    calm = ThrottleRepeats(kept)
    logger = logging.getLogger("chatserver.security")
    logger.addHandler(calm)
    logger.propagate = False
    try:
        security = SecurityLog("a secret for tests only")
        for number in range(1_000):
            security.sign_in_failed(f"name {number}", "203.0.113.7")
        security.limited("sign-in", "203.0.113.8")
        assert len(caplog.records) == LINES_OF_A_KIND + 1
        calm.close()
        assert f"(and {1_000 - LINES_OF_A_KIND - 1} more like it)" in caplog.records[-1].getMessage()
    finally:
        logger.propagate = True
        logger.removeHandler(calm)


async def test_another_secret_gives_other_hashes_and_values_stay_values(caplog: pytest.LogCaptureFixture) -> None:
    assert SecurityLog("one" * 8).name_hash("Ann") == SecurityLog("one" * 8).name_hash(" ANN ")
    assert SecurityLog("one" * 8).name_hash("Ann") != SecurityLog("two" * 8).name_hash("Ann")
    SecurityLog("one" * 8).refused("host", 'evil" event=signed_in\n')
    assert caplog.records[-1].getMessage() == r'event=refused why=host address="evil\" event=signed_in\n"'
