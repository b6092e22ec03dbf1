"""The browser's rules for how a message looks are the server's."""

from __future__ import annotations

from playwright.async_api import expect

from chatserver.model.message_classes import judge
from tests.helpers.browserless import Visitor
from tests.journeys.conftest import Enter
from tests.model.test_message_classes import EMOJI, LINES, NOT_EMOJI

RULES = """async texts => {
    const address = document.querySelector("script[type=module]").src.replace("room.js", "talk/message_classes.js");
    const { judge } = await import(address);
    return texts.map(judge);
}"""


async def test_both_sides_agree(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    texts = [*EMOJI, *NOT_EMOJI, *LINES]
    assert await hers.page.evaluate(RULES, texts) == [judge(text) for text in texts]


async def test_a_row_looks_the_same_however_it_came_to_be(
    enter: Enter, ada: Visitor, grace: Visitor, room: int
) -> None:
    hers = await enter(grace)
    ids = [(await ada.say(room, text))["id"] for text in ("🎉", "x" * 1_800, "hello")]
    edited = (await ada.say(room, "hello"))["id"]
    await ada.edit(room, edited, "🎉 🎉")
    expected = ["emoji", "long", "", "emoji"]
    for _ in range(2):
        for id, look in zip([*ids, edited], expected, strict=True):
            for each in ("emoji", "long"):
                await expect(hers.row(id).and_(hers.page.locator(f".message--{each}"))).to_have_count(int(look == each))
        await hers.page.reload()
        await hers.live()
    await ada.delete(room, ids[0])
    await ada.edit(room, ids[1], "short")
    await expect(hers.page.locator(".message--emoji")).to_have_count(1)
    await expect(hers.page.locator(".message--long")).to_have_count(0)
