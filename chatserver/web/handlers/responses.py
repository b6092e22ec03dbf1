"""The forms of an answer: JSON, a page, a redirect."""

from __future__ import annotations

from typing import Any

import msgspec

from chatserver.model import message_classes
from chatserver.model.client_ids import fresh_client_id
from chatserver.web.caller.bodies import is_json
from chatserver.web.handlers.answering import Answering
from chatserver.web.handlers.security_headers import HTTPS_ONLY
from chatserver.web.page_text import as_sentence, initials, isolated


class Responses(Answering):
    def clear(self) -> None:
        """Begins the answer anew, as Tornado does, with headers that are ready (`default_headers.py`)."""
        self._headers = self.http.default_headers.fresh()
        if self.site is not None and self.site.is_https and self.is_https():
            self.set_header("Strict-Transport-Security", HTTPS_ONLY)
        self._write_buffer = []
        self.set_status(200)

    def write_json(self, status: int, body: Any) -> None:
        """Writes JSON. `body`: anything msgspec encodes, or JSON as bytes."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.write(body if isinstance(body, bytes) else msgspec.json.encode(body))

    def see_other(self, path: str) -> None:
        """Redirects with 303 after a form was accepted."""
        self.redirect(path, status=303)

    def render_page(self, template: str, *, status: int = 200, **context: Any) -> None:
        """Renders a page. Every page gets the signed-in user and the token that its forms and scripts send back."""
        self.set_status(status)
        always: dict[str, Any] = {
            "user": self.session.user if self.session else None,
            "rooms": [],
            "room": None,
            "status": status,
            "initials": initials,
            "isolated": isolated,
            "as_sentence": as_sentence,
            "message_classes": message_classes.classes,
            "look_of": message_classes.look_of,
            "client_id": fresh_client_id(),
            "static": self.http.static_files.address,
            "xsrf_token": self.csrf_token() if self.session else "",
        }
        self.render(template, **always | context)

    def wants_page(self) -> bool:
        """Returns True for a browser, False for a program."""
        return "text/html" in self.request.headers.get("Accept", "") and not is_json(self.request)

    def compute_etag(self) -> str | None:
        """Returns a weak tag: the same answer has other bytes under gzip."""
        tag = super().compute_etag()
        return None if tag is None else f"W/{tag}"
