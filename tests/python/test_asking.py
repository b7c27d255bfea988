"""How long a question may take, and who hears how far it is."""

import json
from datetime import timedelta

import pytest
import travelsense as ts
from conftest import FEBRUARY, NOW

QUESTION = {"steps": ["search", "book"], "startDate": "2026-02-01", "endDate": "2026-02-28"}


def questions(store):
    """Every question there is, to be asked with more arguments."""
    steps = ["search", "book"]
    return [
        lambda **how: store.funnel(steps, **FEBRUARY, **how),
        lambda **how: store.drop_off(steps, **FEBRUARY, **how),
        lambda **how: store.compare(steps, between=["new", "returning"], **FEBRUARY, **how),
        lambda **how: store.explain_difference(QUESTION, {**QUESTION, "window": "1h"}, **how),
        lambda **how: store.retention("daily", **FEBRUARY, **how),
        lambda **how: store.engagement(**FEBRUARY, **how),
        lambda **how: store.adoption(["book"], **FEBRUARY, **how),
        lambda **how: store.journey(**FEBRUARY, **how),
        store.realtime,
        lambda **how: store.anomalies("active_users", **FEBRUARY, **how),
        lambda **how: store.user_insights(**FEBRUARY, **how),
        lambda **how: store.query("funnel", QUESTION, **how),
        lambda **how: store.people("funnel", QUESTION, {"cell": "entered"}, **how),
    ]


def test_every_question_has_a_limit_of_its_own(store):
    for i, ask in enumerate(questions(store)):
        assert ask(timeout="1h") is not None, i
        for limit in (1e-6, timedelta(microseconds=1)):
            with pytest.raises(ts.Cancelled) as given_up:
                ask(timeout=limit)
            assert given_up.value.code == "timed_out", i
            assert isinstance(given_up.value, ts.TimedOut), i
            assert isinstance(given_up.value, TimeoutError), i
        with pytest.raises(ts.ValidationError) as wrong:
            ask(timeout=0)
        assert [error["field"] for error in wrong.value.errors] == ["timeout"], i


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """Asks a question that takes longer each time, until it is told how far it is, which is after a second."""
    path = tmp_path_factory.mktemp("asking") / "events.ndjson"
    with path.open("w") as lines:
        for i in range(100_000):
            ts_ = f"2026-01-{i % 28 + 1:02}T{i // 28 % 24:02}:{i % 60:02}:00Z"
            lines.write(json.dumps({"userId": f"u{i * 7919 % 999}", "name": "abc"[i % 3], "ts": ts_}) + "\n")

    def ask(store, heard):
        for steps in range(2, 65, 2):
            store.funnel([None] * steps, start_date="2026-01-01", end_date="2026-01-31", window="28d", progress=heard)
            apart = [None, *[{"event": None, "maxGap": "27d"}] * (steps - 1)]
            other = {"steps": apart, "startDate": "2026-01-01", "endDate": "2026-01-31"}
            store.query("funnel", {**other, "window": "28d", "unit": "totals"}, progress=heard)

    with ts.open(":memory:", now=NOW, threads=1) as store:
        assert store.import_(path, progress=False).accepted == 100_000
        yield lambda heard: ask(store, heard)


class Enough(Exception):
    """What a test raises when it has heard enough."""


def test_what_takes_over_a_second_is_told_how_far_it_is_and_an_exception_gives_it_up(slow):
    heard = []

    def hear(share):
        heard.append(share)
        raise Enough

    with pytest.raises(Enough):
        slow(hear)
    assert len(heard) == 1
    assert 0 < heard[0] <= 1
