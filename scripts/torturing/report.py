"""What is said in the end: a table for people, JSON for programs, and the whole history of what went wrong."""

from __future__ import annotations

from collections import Counter
from typing import Any

from torturing.journal import Journal, Post
from torturing.judge import Judge, Violation
from torturing.reader import Reader, place
from torturing.recovery import Recoveries
from torturing.world import World

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
        return {
            "faults": len(self._journal.faults),
            "posts": len(self._journal.posts),
            "acknowledged": sum(post.acknowledged is not None for post in self._journal.posts),
            "attempts": len(attempts),
            "repeats": len(attempts) - len(self._journal.posts),
            "unanswered": sum(attempt.status == 0 for attempt in attempts),
            "answered 503": sum(attempt.status == 503 for attempt in attempts),
            "answered 200": sum(attempt.status == 200 for attempt in attempts),
            "longest silence, s": round(self._journal.longest_silence()[0]),
            "readers' events": sum(len(reader.seen) for reader in self._readers),
            "connections": sum(reader.connections for reader in self._readers),
            "resumes": sum(reader.resumes for reader in self._readers),
            "resets": sum(len(reader.resets) for reader in self._readers),
            "seen, lost, came again": self._came_again(),
            "voids": sum(entry.kind == "void" for entries in self._judge.events.values() for entry in entries),
            "Redis failovers": self._world.redis.failovers,
            "chat starts": sum(chat.starts for chat in self._world.chats),
            "needless resets": len(self._judge.warnings),
            "violations": len(self._judge.violations),
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
        """Everything known about the message: posts and answers, the archive, what readers saw, faults around."""
        post = violation.post
        if post is None:
            return self._about_reader(violation.reader) if violation.reader else []
        lines = [f"room {post.room}, user {post.user}, client id {post.client_id}"]
        lines += [_attempt(attempt.__dict__) for attempt in post.attempts]
        ids = self._ids(post)
        for index, entry in enumerate(entries := self._judge.events.get(post.room, [])):
            if entry.id in ids or entry.name == post.name:
                lines += [
                    f"  events {each.id} after {each.prev} {each.kind} {each.name}"
                    for each in entries[index - 2 : index + 3]
                ]
                lines.append("  --")
        lines += [f"  messages {id}" for id, name in self._judge.shown.get(post.room, {}).items() if name == post.name]
        for reader in self._readers:
            if reader.room == post.room and (reader is violation.reader or violation.reader is None):
                lines += [
                    f"  {seen.at:8.3f} reader {reader.number} saw {seen.id} ({seen.how})"
                    for seen in reader.seen
                    if seen.name == post.name
                ]
        if violation.reader is not None and post.acknowledged:
            lines += self._around(violation.reader, post.acknowledged.id)
        start = min(attempt.at for attempt in post.attempts) - AROUND_SECONDS
        first = post.acknowledged
        end = (first.until if first else self._journal.now()) + AROUND_SECONDS
        return lines + self._faults_between(start, end)

    def _around(self, reader: Reader, id: str) -> list[str]:
        """What the reader got right before and after the place where the message belongs."""
        before = [seen for seen in reader.seen if place(seen.id) < place(id)][-2:]
        after = [seen for seen in reader.seen if place(seen.id) > place(id)][:2]
        lines = [
            f"  {seen.at:8.3f} reader {reader.number} near it: {seen.id} after {seen.prev} ({seen.how})"
            for seen in before + after
        ]
        return lines + [
            f"  {reset.at:8.3f} reset {reset.asked} -> {reset.given} ({reset.how})" for reset in reader.resets
        ]

    def _about_reader(self, reader: Reader) -> list[str]:
        resets = [f"  {reset.at:8.3f} reset {reset.asked} -> {reset.given} ({reset.how})" for reset in reader.resets]
        return [f"reader {reader.number}, room {reader.room}, {reader.style}, {len(reader.seen)} events", *resets]

    def _faults_between(self, start: float, end: float) -> list[str]:
        return [
            f"  fault {fault.kind} {fault.at:.3f}–{fault.until} {fault.what}"
            for fault in self._journal.faults
            if fault.touches(start, end)
        ]

    def _ids(self, post: Post) -> set[str]:
        return post.ids | {seen.id for reader in self._readers for seen in reader.seen if seen.name == post.name}

    def _came_again(self) -> int:
        count = 0
        for reader in self._readers:
            ids: dict[tuple[int, str], set[str]] = {}
            for seen in reader.seen:
                ids.setdefault(seen.name, set()).add(seen.id)
            count += sum(len(each) > 1 for each in ids.values())
        return count


def _attempt(attempt: dict[str, Any]) -> str:
    answer = f"{attempt['status']} {attempt['id']}" if attempt["status"] else f"no answer: {attempt['why']}"
    return f"  {attempt['at']:8.3f} POST via {attempt['via']}, {attempt['until']:.3f}: {answer}"
