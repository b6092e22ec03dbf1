"""Whether changes that were acknowledged were kept, and none came that nobody wished for.

Who is not answered asks again; so a change may be in the log as often as it was asked for, and the last of those may
come after somebody else's later one. A deletion is there once at the most.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from torture.judging.archived import Entry
from torture.people.fold import Fold
from torture.people.journal import Wish
from torture.people.said import Change, Message

Finding = tuple[str, str, Wish | None]
Value = tuple[str, int, str, str, bool]


def judge_changes(wishes: Iterable[Wish], events: Sequence[Entry]) -> Iterator[Finding]:
    """Of one room."""
    wished, logged = defaultdict[str, list[Wish]](list), defaultdict[str, list[Change]](list)
    fold = Fold()
    for wish in wishes:
        wished[wish.message].append(wish)
    for entry in events:
        if entry.said is not None:
            fold.take(entry.said)
        if isinstance(entry.said, Change):
            logged[entry.said.message].append(entry.said)
    for message in wished.keys() | logged.keys():
        yield from _judge_message(message, wished[message], logged[message], fold.messages)


def _judge_message(
    id: str, wishes: list[Wish], changes: list[Change], messages: Mapping[str, Message]
) -> Iterator[Finding]:
    message = messages.get(id)
    if message is None:
        yield "change kept", f"{id} is changed and not there", wishes[0] if wishes else None
        return
    logged = Counter(map(_change_value, changes))
    asked = defaultdict[Value, list[Wish]](list)
    for wish in wishes:
        asked[_wish_value(wish)].append(wish)
    taken_out = _without_text(logged, message)
    for value, count in logged.items():
        times = sum(attempt.times for wish in asked[value] for attempt in wish.attempts)
        if value[0] == "deleted" and times:
            times = 1
        if count > times and value not in taken_out:
            yield "change once", f"{value} is there {count} times, asked for {times} times", _any(asked[value])
    hidden = sum(logged[value] for value in taken_out)
    acknowledged = [wish for wish in wishes if wish.acknowledged is not None]
    missing = [wish for wish in acknowledged if not logged[_wish_value(wish)]]
    edits = [wish for wish in missing if wish.kind == "edited"]
    if hidden < len(edits):
        yield "change kept", f"{edits[0]} was acknowledged and is not in the log", edits[0]
    for wish in missing:
        if wish.kind == "deleted":
            yield "change kept", f"{wish} was acknowledged and is not in the log", wish
    if not message.deleted:
        yield from _judge_last(message, wishes)


def _without_text(logged: Counter[Value], message: Message) -> list[Value]:
    """Edits whose text was taken out, since the message was deleted."""
    return [value for value in logged if value[0] == "edited" and not value[2] and message.deleted]


def _judge_last(message: Message, wishes: list[Wish]) -> Iterator[Finding]:
    """What was answered, when nothing could come any more that says otherwise, holds."""
    edit = _last([wish for wish in wishes if wish.kind == "edited"])
    if edit is not None and message.text != edit.text:
        yield "change kept", f"{edit} was the last one, and it says {message.text}", edit
    by_reaction = defaultdict[tuple[int, str], list[Wish]](list)
    for wish in wishes:
        if wish.kind == "reaction":
            by_reaction[wish.user, wish.emoji].append(wish)
    users = dict(message.reactions)
    for (user, emoji), each in by_reaction.items():
        last = _last(each)
        if last is not None and (user in users.get(emoji, ())) != last.on:
            yield "change kept", f"{last} was the last one, and it has {message.reactions}", last


def _last(wishes: list[Wish]) -> Wish | None:
    """The one that was granted after all that might say otherwise were over; None if nobody can know."""
    for wish in wishes:
        others = [each for each in wishes if _wish_value(each) != _wish_value(wish)]
        over = max((attempt.over for other in others for attempt in other.attempts), default=-1.0)
        if any(attempt.succeeded and attempt.at > over for attempt in wish.attempts):
            return wish
    return None


def _wish_value(wish: Wish) -> Value:
    return wish.kind, wish.user, wish.text, wish.emoji, wish.on


def _change_value(change: Change) -> Value:
    return change.kind, change.user, change.text, change.emoji, change.on


def _any(wishes: list[Wish]) -> Wish | None:
    return wishes[0] if wishes else None
