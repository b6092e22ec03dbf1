"""The answer to a request that failed: its status, its words, and what is noted of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar

from chatserver.errors import ChatError, TooMany
from chatserver.web.handlers.responses import Responses

log = logging.getLogger("chatserver.http")


class ErrorResponses(Responses):
    methods: ClassVar[Sequence[str]] = ()
    """The methods that the handler answers."""

    def note_refusal(self, error: ChatError) -> None:
        """Passes a refusal on to the security log, if it concerns it."""
        who = None if self.session is None else self.session.user.id
        if error.refusal is not None:
            self.services.security_log.refused(error.refusal, self.address, user_id=who)
        if isinstance(error, TooMany):
            self.services.security_log.limited(error.what, self.address, user_id=who)

    def say_when(self, error: ChatError) -> None:
        """Tells a client when to come again, if that may help."""
        if error.retry_after is not None:
            self.set_header("Retry-After", str(error.retry_after))

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        super().send_error(error.status if isinstance(error, ChatError) else status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        text = HTTPStatus(status_code).phrase.lower()
        if isinstance(error, ChatError):
            text = error.text
            self.say_when(error)
        if status_code == 405:
            self.set_header("Allow", ", ".join(self.methods))
        if self.wants_page():
            self.render_page("error.html", status=status_code, message=text)
        else:
            self.write_json(status_code, {"error": text})

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Errors raised on purpose are answers and leave no trace here; unavailable parts get a line."""
        if isinstance(value, ChatError):
            self.note_refusal(value)
            if value.status >= 500:
                log.warning("%s %s: %s", self.request.method, self.request.path, value.__cause__ or value)
        else:
            super().log_exception(typ, value, tb)
