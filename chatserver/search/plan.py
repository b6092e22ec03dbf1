"""The index of a search: MongoDB's own choice is tried on a hundred messages, and a rare word has none there.

a rare word     all messages that have it, put in order
common words    the messages of one of them, in the order of time, until there are enough
beginnings      common ones: the messages of the room or of all rooms in the order of time; every few has it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bson.regex import Regex
from pymongo import DESCENDING

from chatserver.archive.database import Collection, Document
from chatserver.archive.event_documents import event_key, in_room
from chatserver.archive.indexes import MESSAGES_BY_TIME, MESSAGES_WITH_A_WORD
from chatserver.model.cursor import Cursor
from chatserver.search.query import Query

RARE_WORD_MESSAGES = 1_000
"""Messages that are found, read and sorted in some ten milliseconds."""

MAX_COUNTED_WORDS = 6
"""Words of a query that are counted, each up to RARE_WORD_MESSAGES (about a millisecond)."""

ANSWER_MS = 2_000
"""Time limit of MongoDB for one query of a search."""

_NEWEST_FIRST = [("_id.ms", DESCENDING), ("_id.seq", DESCENDING), ("_id.room", DESCENDING)]


class SortKey(NamedTuple):
    """The order of messages of all rooms: by time first."""

    ms: int
    seq: int
    room: int


class QueryPlan(NamedTuple):
    """`hint`: an index. `walked`: the part of the query that selects the entries of the index to walk along. `room_id`:
    set if only one room is searched. `is_small`: less than RARE_WORD_MESSAGES messages are walked along."""

    query: Document
    hint: str
    room_id: int | None
    walked: Document
    is_small: bool = False

    @property
    def key_projection(self) -> Document:
        """The projection that reads only a message's sort key, which the index has."""
        return {"_id": 1} if self.hint == "_id_" else {"_id.ms": 1, "_id.seq": 1, "_id.room": 1}

    @property
    def order(self) -> Sequence[tuple[str, int]]:
        return [("_id", DESCENDING)] if self.hint == "_id_" else _NEWEST_FIRST

    def older_than(self, key: SortKey | None) -> Document:
        if key is None:
            return {}
        if self.hint == "_id_" and self.room_id is not None:
            return {"_id": {"$lt": event_key(self.room_id, Cursor(key.ms, key.seq))}}
        # The first condition bounds the index; the rest is decided from its entries, without the messages.
        return {
            "_id.ms": {"$lte": key.ms},
            "$or": [
                {"_id.ms": {"$lt": key.ms}},
                {"_id.seq": {"$lt": key.seq}},
                {"_id.seq": key.seq, "_id.room": {"$lt": key.room}},
            ],
        }

    def about_older_than(self, key: SortKey | None) -> Document:
        """Like `older_than`, with the whole millisecond: the index alone can decide that."""
        return self.older_than(key) if key is None or self.hint == "_id_" else {"_id.ms": {"$lte": key.ms}}

    def not_older_than(self, id: Cursor) -> Document:
        """Selects messages of this id and newer, in any room."""
        if self.hint == "_id_" and self.room_id is not None:
            return {"_id": {"$gte": event_key(self.room_id, id)}}
        return {
            "_id.ms": {"$gte": id.ms},
            "$or": [{"_id.ms": {"$gt": id.ms}}, {"_id.seq": {"$gte": id.seq}}],
        }


async def choose_plan(messages: Collection, query: Query, room_id: int | None) -> QueryPlan:
    """Chooses the plan of a search. The caller handles errors of PyMongo."""
    conditions = query.conditions()
    counts: dict[int, int] = {}
    for number, condition in enumerate(conditions[-MAX_COUNTED_WORDS:], max(0, len(conditions) - MAX_COUNTED_WORDS)):
        counts[number] = await messages.count_documents(
            {"words": condition}, hint=MESSAGES_WITH_A_WORD, limit=RARE_WORD_MESSAGES, maxTimeMS=ANSWER_MS
        )
    rarest = min(counts, key=lambda number: counts[number])
    if counts[rarest] == RARE_WORD_MESSAGES:
        exact = [number for number, condition in enumerate(conditions) if isinstance(condition, str)]
        if not exact and room_id is not None:
            whole_room = in_room(room_id)
            return QueryPlan({**whole_room, "words": {"$all": conditions}}, "_id_", room_id, whole_room)
        if not exact:
            return QueryPlan({"words": {"$all": conditions}}, MESSAGES_BY_TIME, None, {})
        rarest = exact[0]
    walked: Document = {"words": conditions[rarest]}
    matching = dict(walked)
    if others := conditions[:rarest] + conditions[rarest + 1 :]:
        matching["$nor"] = [{"words": _without(other)} for other in others]
    if room_id is not None:
        matching["_id.room"] = room_id
    return QueryPlan(
        matching,
        MESSAGES_WITH_A_WORD,
        room_id,
        walked,
        is_small=counts.get(rarest, RARE_WORD_MESSAGES) < RARE_WORD_MESSAGES,
    )


def _without(condition: str | Regex[str]) -> Document:
    """Matches any other word. "None of its words is other than this" requires the word without offering MongoDB a
    second way into the index, which only one of the words can be."""
    return {"$ne": condition} if isinstance(condition, str) else {"$not": condition}
