"""Reserved names: no user can have them, because they speak for the service or mean everybody."""

from __future__ import annotations

from chatserver.model.display_names import name_key
from chatserver.model.lookalikes import skeletons

# fmt: off
RESERVED = frozenset({
    "admin", "administration", "administrator", "administrators", "admins", "all", "anonymous",
    "bot", "channel", "deleted", "deleteduser", "everybody", "everyone", "harbor", "harbour",
    "helpdesk", "here", "mod", "moderation", "moderator", "moderators", "mods", "nobody",
    "official", "operator", "owner", "postmaster", "room", "root", "security", "somebody", "staff",
    "superuser", "support", "sysadmin", "system", "team", "unknown", "webmaster",
})
# fmt: on
"""Reserved names in lower case, without spaces and marks."""


def is_reserved(name: str) -> bool:
    """Returns True if the name is one of these, however it is decorated, or looks like one."""
    alone = "".join(each for each in name_key(name) if each.isalnum())
    return alone in RESERVED or not _LOOKS.isdisjoint(skeletons(name))


_LOOKS = frozenset(
    look for word in RESERVED for written in (word, word.title(), word.upper()) for look in skeletons(written)
)
