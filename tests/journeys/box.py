"""Where an element stands in a window."""

from __future__ import annotations

from playwright.async_api import FloatRect, Locator


async def box_of(element: Locator) -> FloatRect:
    """In pixels, from the top left corner of the window. The element has to be visible."""
    box = await element.bounding_box()
    assert box is not None, "it is not visible"
    return box
