"""Default headers: those with which every answer begins.

Tornado would check, convert and copy each of them for each answer, and format the date. They are the same for all
answers of a second, so that is done once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from tornado.httputil import HTTPHeaders, format_timestamp


class DefaultHeaders:
    """`fixed`: the headers that never change, by name. `clock`: seconds since the epoch."""

    def __init__(self, fixed: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        checked = HTTPHeaders()
        for name, value in fixed.items():
            checked.add(name, value)
        self._fixed = tuple(checked.get_all())
        self._second = -1
        self._date = ""

    def fresh(self) -> HTTPHeaders:
        """Returns headers for one answer, which may change and add to them."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._date = second, format_timestamp(second)
        headers = HTTPHeaders()
        # Like HTTPHeaders.add() for each, without the checks. A test compares the two.
        headers._as_list = {name: [value] for name, value in self._fixed}
        headers._as_list["Date"] = [self._date]
        return headers
