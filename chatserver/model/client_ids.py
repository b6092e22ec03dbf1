"""Client ids: the names that clients give to what they send, so that what is sent twice is done once."""

from __future__ import annotations

import hashlib
import re
import secrets

from chatserver.errors import Invalid

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def fresh_client_id() -> str:
    return secrets.token_urlsafe(16)


def is_client_id(text: str) -> bool:
    return _CLIENT_ID.fullmatch(text) is not None


def check_client_id(text: str | None) -> None:
    """Raises Invalid for what is no client id. Not to give any is fine."""
    if text is not None and not is_client_id(text):
        raise Invalid("client_id is 1 to 64 of A-Z a-z 0-9 _ -")


def client_id_of(client_id: str, content: str) -> str:
    """The client id of these words where others were sent under the given one already: the same for the same words."""
    return hashlib.sha256(f"{client_id}\n{content}".encode()).hexdigest()[:32]
