"""A tab that is left open for an hour of talk: it neither grows nor misses anything."""

from __future__ import annotations

import importlib.util
import time

from common.chromium import NoChromium, find_chromium
from common.http_client import sign_up
from strain.findings import Findings
from strain.stage import stage
from strain.talkers import Talkers

MESSAGES = 18_000
"""An hour at five a second."""

RATE = 80.0
"""A second, sixteen times as fast as told: what a tab keeps is what it heard, not how long it listened."""

TALKERS = 3
PARTS = 12
"""At the end of each the tab is measured."""

READS_ABOVE = {3, 9}
"""The parts (from 1) in which the reader has gone up; one in each half, so that the halves can be compared."""

MORE = 0.1
MORE_MEGABYTES = 2.0
ROWS = 300
"""What a page keeps of a room."""


async def long_tab(size: float) -> Findings:
    """`size` 1: 18,000 messages, and edits, reactions, deletions and typing among them; a tenth: 3,000 messages."""
    findings = Findings("a tab in a browser that is left open for an hour of talk, told faster")
    program = find_browser()
    if program is None:
        return findings
    from strain.tab_page import TabPage  # needs what may not be there

    total = max(3_000, round(MESSAGES * size))
    async with stage() as here:
        room, port = await here.make_room(), here.ports[0]
        talkers = Talkers(port, room, [await sign_up(port, f"talker {number}") for number in range(TALKERS)], RATE)
        async with TabPage.opened(program, port, await sign_up(port, "reader"), room) as tab:
            print(f"  {total} messages at up to {RATE:.0f} a second, for {total / 5 / 60:.0f} minutes at 5", flush=True)
            print(f"  {'messages':>10} {'heap MB':>9} {'nodes':>8} {'listeners':>10} {'rows':>6}", flush=True)
            began = time.monotonic()
            samples = []
            for part in range(1, PARTS + 1):
                if part in READS_ABOVE:
                    await tab.go_up()
                await talkers.talk(total * part // PARTS - total * (part - 1) // PARTS)
                if part in READS_ABOVE:
                    print(f"  {talkers.said:>10} {await tab.sample()}   read further up", flush=True)
                    await tab.go_to_end()
                if not await tab.shows(talkers.last):
                    findings.wrong.append(f"the page did not come to show {talkers.last}")
                samples.append(await tab.sample())
                print(f"  {talkers.said:>10} {samples[-1]}", flush=True)
            seconds = time.monotonic() - began
            findings.wrong += await tab.differences(await talkers.history()) + tab.errors + talkers.oddities
    half, end = samples[PARTS // 2 - 1], samples[-1]
    findings.figure("messages", talkers.said)
    findings.figure("told in", seconds, " s")
    findings.figure("edits, reactions and deletions", talkers.changes)
    findings.figure("heap at half-time", half.megabytes, " MB")
    allowed = max(MORE_MEGABYTES, MORE * half.megabytes)
    findings.figure(
        "heap that the second half added", end.megabytes - half.megabytes, " MB", goal=allowed, promise=True
    )
    findings.figure("DOM nodes at half-time", half.nodes)
    findings.figure("DOM nodes at the end", end.nodes, goal=half.nodes * (1 + MORE), promise=True)
    findings.figure("listeners at half-time", half.listeners)
    findings.figure("listeners at the end", end.listeners, goal=half.listeners * (1 + MORE), promise=True)
    findings.figure("rows on the page, at most", max(each.rows for each in samples), goal=ROWS, promise=True)
    return findings


def find_browser() -> str | None:
    """The path of a Chromium; None where there is none, or nothing that drives it, which is said."""
    if importlib.util.find_spec("playwright") is None:
        print("  Playwright is not installed (requirements-dev.txt has it): left out", flush=True)
        return None
    try:
        return find_chromium()
    except NoChromium as error:
        print(f"  left out: {error}", flush=True)
        return None
