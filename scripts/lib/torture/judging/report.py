"""What is said in the end: a table for people, JSON for programs, and the whole history of what went wrong."""

from __future__ import annotations

from collections import Counter
from typing import Any

from common.event_ids import place
from torture.judging.judge import Judge, Violation
from torture.judging.recovery import Recoveries
from torture.people.journal import Attempt, Journal, Post
from torture.people.reader import Reader
from torture.people.said import Change
from torture.people.texts import Name
from torture.people.track import Track
from torture.world.world import World

AROUND_SECONDS = 6.0


class Report:
    def __init__(
        self, world: World, journal: Journal, readers: list[Reader], judge: Judge, recoveries: Recoveries
    ) -> None:
        self._world = world
        self._journal = journal
        self._readers = readers
        self._judge = judge
        self._recoveries = recoveries

    def numbers(self) -> dict[str, int]:
        attempts = [attempt for post in self._journal.posts for attempt in post.attempts]
        tracks = [track for reader in self._readers for track in reader.tracks.values()]
        return {
            "faults": len(self._journal.faults),
            "posts": len(self._journal.posts),
            "acknowledged": sum(post.acknowledged is not None for post in self._journal.posts),
            "replies": sum(post.reply_to is not None for post in self._journal.posts),
            "replies refused": sum(post.refused for post in self._journal.posts),
            **self._changes(),
            "attempts": len(attempts),
            "repeats": len(attempts) - len(self._journal.posts),
            "unanswered": sum(attempt.status == 0 for attempt in attempts),
            "answered 503": sum(attempt.status == 503 for attempt in attempts),
            "answered 200": sum(attempt.status == 200 for attempt in attempts),
            "longest silence, s": round(self._journal.longest_silence()[0]),
            "readers' events": sum(len(track.seen) for track in tracks),
            "readers' messages judged": self._judge.compared,
            "streams of many rooms": sum(len(reader.tracks) > 1 for reader in self._readers),
            "connections": sum(reader.connections for reader in self._readers),
            "resumes": sum(reader.resumes for reader in self._readers),
            "resets": sum(len(track.resets) for track in tracks),
            "seen, lost, came again": self._came_again(),
            "changes lost, still shown": self._judge.lost_changes,
            "deleted, still quoted": self._judge.quotes,
            "voids": sum(entry.kind == "void" for room in self._judge.archived.values() for entry in room.events),
            "Redis failovers": self._world.redis.failovers,
            "chat starts": sum(chat.starts for chat in self._world.chats),
            "needless resets": len(self._judge.warnings),
            "violations": len(self._judge.violations),
        }

    def _changes(self) -> dict[str, int]:
        wishes = self._journal.wishes
        names = {"edits": "edited", "deletions": "deleted", "reactions": "reaction"}
        return {
            **{name: sum(wish.kind == kind for wish in wishes) for name, kind in names.items()},
            "changes acknowledged": sum(wish.acknowledged is not None for wish in wishes),
            "changes too late": sum(wish.acknowledged is None and wish.came_too_late for wish in wishes),
            "changes' attempts": sum(len(wish.attempts) for wish in wishes),
        }

    def json(self, options: dict[str, Any]) -> dict[str, Any]:
        return {
            "options": options,
            "seconds": self._journal.now(),
            "numbers": self.numbers(),
            "kinds": {kind: vars(each) for kind, each in self._recoveries.by_kind().items()},
            "usage": {name: [vars(each) for each in usage] for name, usage in self._judge.usage.items()},
            "plan": [vars(fault) | {"recovery": self._recoveries.of(fault)} for fault in self._journal.faults],
            "warnings": self._judge.warnings,
            "tracebacks": self.tracebacks(),
            "violations": [
                {"rule": each.rule, "text": each.text, "history": self.history(each)} for each in self._judge.violations
            ],
        }

    def table(self) -> str:
        lines = ["", f"{'fault':<24}{'count':>7}{'recovered':>11}{'median':>9}{'slowest':>9}  (seconds after its end)"]
        for kind, each in self._recoveries.by_kind().items():
            lines.append(f"  {kind:<22}{each.count:>7}{each.recovered:>11}{each.median:>9.1f}{each.slowest:>9.1f}")
        lines += ["what happened", *(f"  {name:<24}{count:>8,}" for name, count in self.numbers().items())]
        lines += ["what the chats held, before and after"]
        lines += [f"  {name}: {' -> '.join(map(str, usage))}" for name, usage in self._judge.usage.items()]
        rules = Counter(violation.rule for violation in self._judge.violations)
        if rules:
            lines += ["violations", *(f"  {rule:<24}{count:>8,}" for rule, count in rules.items())]
        if self._judge.warnings:
            lines += ["resets that were not needed", *(f"  {text}" for text in self._judge.warnings[:5])]
        if tracebacks := self.tracebacks():
            lines += ["tracebacks in the chats' logs", *(f"  {n:>4} × {text}" for text, n in tracebacks.items())]
        return "\n".join(lines)

    def tracebacks(self) -> dict[str, int]:
        """The last lines of what the chats logged as unexpected, counted."""
        found: Counter[str] = Counter()
        for chat in self._world.chats:
            inside = False
            for line in chat.log.read_text(errors="replace").splitlines() if chat.log.exists() else ():
                if line.startswith("Traceback"):
                    inside = True
                elif inside and line and not line.startswith((" ", "\t")):
                    inside = False
                    found[line[:200]] += 1
        return dict(found)

    def history(self, violation: Violation) -> list[str]:
        """Everything known about the message: what was asked and answered, the archive, what readers saw, faults."""
        post, track = violation.post, violation.track
        if post is None:
            return self._about_track(violation.reader, track) if violation.reader and track else []
        lines = [f"room {post.room}, user {post.user}, client id {post.client_id}, text {post.text}"]
        lines += [_attempt("POST", attempt) for attempt in post.attempts]
        for wish in post.wishes:
            lines += [f"  {wish}", *(_attempt("  asked", attempt) for attempt in wish.attempts)]
        lines += self._archived(post)
        for reader in self._readers:
            seen_by = reader.tracks.get(post.room)
            if seen_by is not None and (reader is violation.reader or violation.reader is None):
                lines += self._seen_by(reader, seen_by, post)
        if track is not None and post.acknowledged:
            lines += self._around(track, post.acknowledged.id)
        attempts = [*post.attempts, *(attempt for wish in post.wishes for attempt in wish.attempts)]
        start = min(attempt.at for attempt in attempts) - AROUND_SECONDS
        end = max(attempt.until for attempt in attempts) + AROUND_SECONDS
        return lines + self._faults_between(start, end)

    def _archived(self, post: Post) -> list[str]:
        ids, archived = self._ids(post), self._judge.archived.get(post.room)
        if archived is None:
            return []
        lines = []
        for index, entry in enumerate(archived.events):
            if entry.id in ids or entry.name == post.name:
                lines += [
                    f"  events {each.id} after {each.prev} {each.kind} {each.name}"
                    for each in archived.events[max(0, index - 2) : index + 3]
                ]
                lines.append("  --")
            if isinstance(entry.said, Change) and entry.said.message in ids:
                lines.append(f"  events {entry.id} {entry.said}")
        return lines + [f"  messages {each}" for each in archived.shown.values() if each.name == post.name]

    def _seen_by(self, reader: Reader, track: Track, post: Post) -> list[str]:
        ids = self._ids(post)
        return [
            f"  {seen.at:8.3f} reader {reader.number} saw {seen.id} {seen.said} ({seen.how})"
            for seen in track.seen
            if seen.name == post.name or (isinstance(seen.said, Change) and seen.said.message in ids)
        ]

    def _around(self, track: Track, id: str) -> list[str]:
        """What the reader got right before and after the place where the message belongs."""
        before = [seen for seen in track.seen if place(seen.id) < place(id)][-2:]
        after = [seen for seen in track.seen if place(seen.id) > place(id)][:2]
        lines = [f"  {seen.at:8.3f} near it: {seen.id} after {seen.prev} ({seen.how})" for seen in before + after]
        return lines + _resets(track)

    def _about_track(self, reader: Reader, track: Track) -> list[str]:
        return [f"{reader}, {len(track.seen)} events of room {track.room}", *_resets(track)]

    def _faults_between(self, start: float, end: float) -> list[str]:
        return [
            f"  fault {fault.kind} {fault.at:.3f}–{fault.until} {fault.what}"
            for fault in self._journal.faults
            if fault.touches(start, end)
        ]

    def _ids(self, post: Post) -> set[str]:
        tracks = (reader.tracks[post.room] for reader in self._readers if post.room in reader.tracks)
        return post.ids | {seen.id for track in tracks for seen in track.seen if seen.name == post.name}

    def _came_again(self) -> int:
        count = 0
        for track in (track for reader in self._readers for track in reader.tracks.values()):
            ids: dict[Name, set[str]] = {}
            for seen in track.seen:
                if seen.name is not None:
                    ids.setdefault(seen.name, set()).add(seen.id)
            count += sum(len(each) > 1 for each in ids.values())
        return count


def _attempt(what: str, attempt: Attempt) -> str:
    answer = f"{attempt.status} {attempt.id}" if attempt.status else f"no answer: {attempt.why}"
    return f"  {attempt.at:8.3f} {what} via {attempt.via}, {attempt.until:.3f}: {answer}"


def _resets(track: Track) -> list[str]:
    return [f"  {reset.at:8.3f} reset {reset.asked} -> {reset.given} ({reset.how})" for reset in track.resets]
