"""The arithmetic of scripts/bench: what it says about a goal is what was measured. How fast anything is, no test asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import words
from bench.cases.fan_out import FanOut, Hot
from bench.cases.profile import shares
from bench.cores import Cores
from bench.plots import costs_and_delays, of_one_rate
from bench.publish import publish
from bench.report import goals_table
from bench.statistics import Figure, Goal, Results, ratio, short


def results(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> Results:
    found = Results()
    for sample in ours:
        found.add("20/s", "chat", sample)
    for sample in theirs:
        found.add("20/s", "nchan", sample)
    return found


def test_a_ratio_compares_what_was_measured_in_the_same_round() -> None:
    # In the second round the machine was busy with something else, for both.
    assert ratio([5.0, 50.0, 6.0], [10.0, 100.0, 10.0]) == Figure(0.5, 0.5, 0.6)


def test_a_round_in_which_one_failed_does_not_count_and_moves_no_other() -> None:
    found = results([{"cpu": 1.0}, {}, {"cpu": 4.0}], [{"cpu": 2.0}, {"cpu": 9.0}, {"cpu": 16.0}])
    assert found.ratio("cpu", ("20/s", "chat"), ("20/s", "nchan")) == Figure(0.375, 0.25, 0.5)


def test_what_is_not_here_has_no_figure_and_no_ratio() -> None:
    found = results([{"cpu": 1.0}], [])
    assert found.ratio("cpu", ("20/s", "chat"), ("20/s", "nchan")) is None
    assert found.figure("20/s", "nchan", "cpu") is None


def test_a_figure_is_the_median_and_the_spread() -> None:
    assert Figure.of([3.0, 1.0, 100.0]) == Figure(3.0, 1.0, 100.0)


@pytest.mark.parametrize(
    ("found", "limit", "at_least", "verdict"),
    [
        pytest.param(0.70, 0.70, False, "met", id="exactly at its limit"),
        pytest.param(0.71, 0.70, False, "missed", id="over its limit"),
        pytest.param(0.6, 0.6, True, "met", id="as much as wanted"),
        pytest.param(0.59, 0.6, True, "missed", id="less than wanted"),
        pytest.param(None, 0.6, True, "not measured", id="never measured"),
    ],
)
def test_a_goal_is_met_or_missed_by_its_median(found: float | None, limit: float, at_least: bool, verdict: str) -> None:
    figure = None if found is None else Figure(found, 0.0, 9.0)
    goal = Goal("1", "a goal", figure, limit, at_least)
    assert goal.verdict == verdict
    assert verdict in goals_table([goal]).splitlines()[1]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0.0"), (0.0023, "0.0023"), (0.7, "0.70"), (42.25, "42.2"), (1234.5, "1,234")]
)
def test_numbers_have_the_digits_that_matter(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize("size", [240, 1_000])
def test_everyone_is_given_a_frame_of_the_same_size(size: int) -> None:
    id_line, rest = b"id: 1795452475863-0\n", words.payload(size)
    assert len(id_line + b"data: " + rest + b"\n\n") == size
    assert rest.count(words.TIME.encode()) == rest.count(words.NUMBER.encode()) == 1


@pytest.mark.parametrize(
    ("cores", "served", "load", "stores"),
    [([0], {0}, {0}, {0}), ([0, 1], {0}, {1}, {1}), ([3, 4, 5, 6], {3}, {4}, {5, 6})],
)
def test_what_is_measured_has_a_core_of_its_own_where_there_are_two(
    cores: list[int], served: set[int], load: set[int], stores: set[int]
) -> None:
    assert Cores.among(cores) == Cores(frozenset(served), frozenset(load), frozenset(stores))


def test_what_was_found_is_put_between_the_marks_and_nowhere_else(tmp_path: Path) -> None:
    sample = {"posts/s": 4000.0, "p50": 21.5}
    found = {"median": 0.5, "low": 0.4, "high": 0.7}
    goal = {"row": "8", "text": "posts", "unit": "×", "limit": 0.6, "at_least": True, "found": found}
    run = {
        "at": "2026-01-02T03:04:05+00:00",
        "commit": "abc",
        "rounds": 1,
        "machine": {"cpu": "some", "cores": "2", "memory": "8 GB", "kernel": "6.1"},
        "versions": {"nginx": "1.22.1"},
        "left_out": {"Mercure": "not on PATH"},
        "goals": [goal],
        "cases": {"posting": [{"work": "100 in flight", "candidate": "chat", "rounds": [sample]}]},
    }
    (tmp_path / "bench.json").write_text(json.dumps(run))
    (tmp_path / "goals.svg").write_text("<svg/>")
    curves = {"backlog": [{"work": "10 behind", "candidate": "chat", "rounds": [{"seconds": 0.5}]}]}
    (tmp_path / "curves").mkdir()
    (tmp_path / "curves" / "bench.json").write_text(json.dumps(run | {"goals": [], "cases": curves, "commit": "def"}))
    document = tmp_path / "BENCHMARKS.md"
    document.write_text("before\n<!-- measured -->\nold\n<!-- /measured -->\nafter\n")
    for _ in range(2):
        publish([tmp_path, tmp_path / "curves"], document)
    text = document.read_text()
    assert text.startswith("before\n<!-- measured -->\n")
    assert text.endswith("<!-- /measured -->\nafter\n")
    assert "old" not in text
    assert "| 8 | posts | 0.50 [0.40–0.70] | ≥ 0.60 × | missed |" in text
    assert "| 100 in flight | chat | 4,000 [4,000–4,000] | 21.5 [21.5–21.5] |" in text
    assert "Left out: Mercure (not on PATH)." in text
    assert text.index("commit abc") < text.index("### posting") < text.index("commit def") < text.index("| 10 behind |")
    assert (tmp_path / "benchmarks" / "goals.svg").exists()


def test_a_profile_says_for_whom_the_time_was_spent() -> None:
    stacks = [
        "run (asyncio/runners.py:118);_round (chatserver/live/feed.py:200);_send_to_live (chatserver/live/feed.py:218) 50",
        "run (asyncio/runners.py:118);_execute (tornado/web.py:2004);post (chatserver/web/handlers/messages.py:30) 20",
        "run (asyncio/runners.py:118);publish (chatserver/archive/publisher.py:70) 10",
        "_worker (concurrent/futures/thread.py:81);insert (pymongo/synchronous/bulk.py:309) 15",
        "seed (random.py:1) 5",
        "run (threading.py:982);_worker (concurrent/futures/thread.py:81) 900",  # has nothing to do
    ]
    assert shares(stacks) == {
        "rounds": 50.0,
        "handlers": 20.0,
        "log, archive": 10.0,
        "MongoDB's driver": 15.0,
        "rest": 5.0,
        "samples": 100.0,
    }


def found_at(rate: int, candidate: str, *samples: dict[str, float]) -> Results:
    results = Results()
    for sample in samples:
        results.add(f"{rate}/s", candidate, sample)
    return results


def test_each_promise_of_promptness_stands_beside_one_of_cost() -> None:
    results = found_at(20, "chat", {"fan-out": 4.0, "cpu": 7.0, "p50": 6.0, "p99": 15.0})
    results.add("20/s", "nchan", {"fan-out": 8.0, "cpu": 8.0, "p50": 4.0, "p99": 15.0})
    goals = {goal.text: goal.verdict for goal in FanOut().goals(results) if goal.figure is not None}
    assert goals == {
        "20 messages/s, fan-out share : nchan": "met",
        "20 messages/s, latency p50 : nchan": "missed",
        "20 messages/s, latency p99 : nchan": "met",
        "20 messages/s, with durable posting : nchan": "met",
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        pytest.param(44.0, 10.0, "met", id="late, but not too late"),
        pytest.param(46.0, 10.0, "missed", id="too late, and nchan is not"),
        pytest.param(500.0, 520.0, "met", id="nchan is later"),
        pytest.param(530.0, 520.0, "missed", id="later than nchan"),
        pytest.param(44.0, None, "met", id="nchan is not here"),
    ],
)
def test_at_four_hundred_a_second_nobody_has_to_be_earlier_than_nchan(
    ours: float, theirs: float | None, verdict: str
) -> None:
    results = found_at(400, "chat", {"p99": ours})
    if theirs is not None:
        results.add("400/s", "nchan", {"p99": theirs})
    (goal,) = [goal for goal in Hot().goals(results) if "p99" in goal.text]
    assert goal.verdict == verdict


def test_the_picture_of_costs_and_delays_has_whoever_was_measured() -> None:
    fan_out = found_at(20, "chat", {"p99": 10.0, "fan-out": 4.0}, {"p99": 30.0, "fan-out": 6.0}, {})
    fan_out.add("2/s", "chat", {"p99": 5.0, "fan-out": -0.1})  # less than nothing can't be drawn
    everyone = found_at(20, "chat", {"p99": 10.0, "fan-out": 4.0})
    everyone.add("20/s", "C floor", {"p99": 8.0, "fan-out": 5.0})
    found = {"fan-out": fan_out, "peers": everyone}
    assert costs_and_delays(found, "chat") == [("20", 20.0, 5.0)]
    assert costs_and_delays(found, "nchan") == []
    assert of_one_rate(found, {"chat"}) == {"C floor": [("20", 8.0, 5.0)]}
