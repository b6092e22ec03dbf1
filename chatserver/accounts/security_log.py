"""The security log: a line for each event of account safety, at any level of the log, for fail2ban and later questions.

A line is logfmt (`event=sign_in_failed name=5d41402abc4b2a76 address=203.0.113.7`). It contains no secret and no text
as it came: a name is there as a keyed hash of its key, which tells equal names and nothing else, since people type
passwords into the wrong field.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re

from chatserver.errors import Refusal
from chatserver.model.display_names import name_key
from chatserver.support.log_throttle import Burst

LINES_OF_A_KIND = 20
"""Lines about one event from one address that are logged in `log_throttle.EVERY_SECONDS`. Further ones are counted."""

NAME_HASH_BYTES = 8
_LONGEST_NAME_HASHED = 256

_PLAIN = re.compile(r"[A-Za-z0-9_.:/@%-]{1,100}")

log = logging.getLogger("chatserver.security")


class SecurityLog:
    """`secret` keys the hashes of names (text of any length); with the same one they are the same in all processes.
    Addresses are the client's, as the handler determined them; `user_id` is the signed-in user's, None if there is
    none."""

    def __init__(self, secret: str) -> None:
        log.setLevel(logging.INFO)
        self._key = hashlib.blake2b(secret.encode(), person=b"security log").digest()

    def signed_up(self, user_id: int, address: str) -> None:
        self._write("signed_up", address, user=user_id)

    def signed_in(self, user_id: int, address: str) -> None:
        self._write("signed_in", address, user=user_id)

    def sign_in_failed(self, name: str, address: str) -> None:
        self._write("sign_in_failed", address, logging.WARNING, name=self.name_hash(name))

    def session_ended(self, user_id: int, address: str) -> None:
        """Logs a sign-out, or another end of a session."""
        self._write("session_ended", address, user=user_id)

    def refused(self, why: Refusal, address: str, *, user_id: int | None = None) -> None:
        """Logs a request without the page's token, of another user's page, from another origin, or to another host."""
        self._write("refused", address, logging.WARNING, why=why, user=user_id)

    def limited(self, what: str, address: str, *, user_id: int | None = None, name: str | None = None) -> None:
        """Logs a 429. `what`: the verb of the quota; `name`: the user name that was tried, if one was."""
        hashed = None if name is None else self.name_hash(name)
        self._write("limited", address, logging.WARNING, what=what, user=user_id, name=hashed)

    def room_closed(self, room_id: int, user_id: int, address: str) -> None:
        self._write("room_closed", address, room=room_id, user=user_id)

    def name_hash(self, name: str) -> str:
        """Returns a hash that is equal for spellings of the same name (see `display_names.name_key`)."""
        key = name_key(name.strip()[:_LONGEST_NAME_HASHED]).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(key, key=self._key, digest_size=NAME_HASH_BYTES).hexdigest()

    def _write(self, event: str, address: str, level: int = logging.INFO, **fields: str | int | None) -> None:
        said = {"event": event} | {name: value for name, value in fields.items() if value is not None}
        line = " ".join(f"{name}={_value(str(value))}" for name, value in (said | {"address": address}).items())
        kind = f"{event} {fields.get('what') or fields.get('why') or ''} {address}"
        log.log(level, "%s", line, extra={"burst": Burst(kind, LINES_OF_A_KIND)})


def _value(text: str) -> str:
    """Formats a value for logfmt: in quotes unless it is plain."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text[:200])
