"""The browser's rules for how a message looks are the server's."""

from __future__ import annotations

from chatserver.looks import is_long, is_only_emoji
from tests.browserless import Visitor
from tests.journeys.conftest import Enter
from tests.test_looks import EMOJI, NOT_EMOJI

RULES = """async texts => {
    const address = document.querySelector("script[type=module]").src.replace("room.js", "models/message_looks.js");
    const { isOnlyEmoji, isLong } = await import(address);
    return texts.map(text => [isOnlyEmoji(text), isLong(text)]);
}"""

LINES = ("\n" * 22, "\n" * 21, "x" * 1_800, "x" * 1_700, "🎉" * 1_800)


async def test_both_sides_agree(enter: Enter, ada: Visitor) -> None:
    hers = await enter(ada)
    texts = [*EMOJI, *NOT_EMOJI, *LINES]
    expected = [[is_only_emoji(text), is_long(text)] for text in texts]
    assert await hers.page.evaluate(RULES, texts) == expected
