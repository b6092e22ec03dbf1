"""Client ids: the names that clients give to their requests, so that a repeated one is done once."""

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
    """Raises Invalid if the text is no client id. None is allowed."""
    if text is not None and not is_client_id(text):
        raise Invalid("client_id is 1 to 64 of A-Z a-z 0-9 _ -")


def client_id_of(client_id: str, content: str) -> str:
    """Returns a client id for this content, when another was sent under the given one already: always the same for the
    same content."""
    return hashlib.sha256(f"{client_id}\n{content}".encode()).hexdigest()[:32]
