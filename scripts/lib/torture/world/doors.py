"""Where clients may knock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Door:
    """A chat's own link, or the nginx in front of all. `chats`: how many are behind it."""

    name: str
    port: int
    chats: int = 1

    def may_answer(self, status: int) -> bool:
        """Whether this is right for a good request while something is broken. nginx speaks for a chat that is away."""
        return status == 503 or (self.name == "nginx" and status in {502, 504})
