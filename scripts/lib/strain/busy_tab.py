"""A tab in a room in which much is said, on a slow machine: it answers its user all the while."""

from __future__ import annotations

from common.http_client import sign_up
from strain.findings import Findings
from strain.stage import stage
from strain.tab import ROWS, TALKERS, find_browser
from strain.talkers import Talkers

RATE = 20.0
"""Messages a second."""

FILLING_RATE = 100.0
SECONDS = 15.0
SLOWNESS = 4
"""How many times slower than this machine the tab's processor is."""

LONGEST_TASK_MS = 100.0
"""In which a page does not answer its user. Browsers call a task long from 50 ms on."""


async def busy_tab(size: float) -> Findings:
    """`size` 1: fifteen seconds; a tenth: five."""
    findings = Findings(f"a page of {ROWS} rows, {RATE:.0f} messages a second, a processor {SLOWNESS} times slower")
    program = find_browser()
    if program is None:
        return findings
    from strain.tab_page import TabPage  # needs what may not be there

    seconds = max(5.0, SECONDS * size)
    async with stage() as here:
        room, port = await here.make_room(), here.ports[0]
        people = [await sign_up(port, f"talker {number}") for number in range(TALKERS)]
        before, talkers = Talkers(port, room, people, FILLING_RATE), Talkers(port, room, people, RATE)
        await before.talk(ROWS)
        async with TabPage.opened(program, port, await sign_up(port, "reader"), room) as tab:
            await before.talk(ROWS)
            if not await tab.shows(before.last):
                findings.wrong.append(f"the page did not come to show {before.last}")
            print(f"  {seconds:.0f} seconds of {RATE:.0f} messages each", flush=True)
            async with tab.slowed_down(SLOWNESS) as work:
                await talkers.talk(round(RATE * seconds))
                if not await tab.shows(talkers.last):
                    findings.wrong.append(f"the page did not come to show {talkers.last}")
            findings.wrong += await tab.differences(await talkers.history()) + tab.errors + talkers.oddities
    findings.figure("messages", talkers.said)
    findings.figure("tasks of over 50 ms", len(work.long_tasks))
    findings.figure("all of them together", sum(work.long_tasks) / 1_000, " s")
    findings.figure("the longest", max(work.long_tasks, default=0.0), " ms", goal=LONGEST_TASK_MS)
    findings.figure("work of the page in all", work.seconds, " s")
    findings.figure("of it scripts", work.scripts, " s")
    findings.figure("of it styles", work.styles, " s")
    findings.figure("of it layout", work.layout, " s")
    findings.figure("layouts", work.layouts)
    return findings
