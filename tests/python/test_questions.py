"""The forms in which dates and lengths may be written."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from travelsense import NotFound, ValidationError
from travelsense._names import camel, field_of, message_of

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-02-01", "2026-02-28"),
        (date(2026, 2, 1), date(2026, 2, 28)),
        (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2026, 2, 1, 1, tzinfo=PARIS), datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=1)))),
        (pd.Timestamp("2026-02-01", tz="UTC"), pd.Timestamp("2026-03-01T01:00", tz="Europe/Paris")),
        (datetime(2026, 2, 1), datetime(2026, 3, 1)),  # noqa: DTZ001 - civil times of the question's zone
    ],
)
def test_dates_may_be_written_in_many_ways(start, end, store):
    answer = store.funnel(["search"], start_date=start, end_date=end).to_dict()
    assert answer["startDate"] == "2026-02-01T00:00:00.000Z"
    assert answer["endDate"] == "2026-03-01T00:00:00.000Z"


@pytest.mark.parametrize("window", ["7d", "168h", 604_800, 604_800.0, timedelta(days=7), np.int64(604_800)])
def test_windows_may_be_written_in_many_ways(window, store):
    answer = store.funnel(["search"], start_date="2026-02-01", end_date="2026-02-28", window=window)
    assert answer.to_dict()["window"] == 604_800


def test_a_window_is_exact_to_the_microsecond(store):
    window = timedelta(days=3000, microseconds=1)
    answer = store.funnel(["search"], start_date="2026-02-01", end_date="2026-02-28", window=window)
    assert answer.to_dict()["window"] == 259_200_000.000001


def test_a_civil_time_is_one_of_the_questions_zone(store):
    start = datetime(2026, 2, 1)  # noqa: DTZ001 - as above
    answer = store.funnel(["search"], start_date=start, end_date="2026-02-28", timezone="Europe/Paris").to_dict()
    assert answer["startDate"] == "2026-01-31T23:00:00.000Z"


def test_the_clock_can_be_stopped(store):
    assert store.now() == "2026-03-01T00:00:00.000Z"
    assert store.funnel(["search"], start_date="2026-02-01", end_date="2026-02-28").to_dict()["asOf"] == store.now()


def test_a_figure_says_whether_it_is_as_usual_once_that_is_kept_up(empty):
    empty.ingest([{"userId": "ada", "name": "page_view", "ts": "2026-02-28T22:00:00Z"}])
    assert "anomaly" not in empty.realtime(metrics=["page_views"]).to_dict()[0]["metadata"]
    empty.judge_realtime()
    anomaly = empty.realtime(metrics=["page_views"]).to_dict()[0]["metadata"]["anomaly"]
    assert (anomaly["status"], anomaly["step"], anomaly["at"]) == ("learning", 300, "2026-02-28T23:50:00.000Z")
    assert (anomaly["expected"], anomaly["interval"]) == (None, None)
    past = empty.realtime(metrics=["page_views"], as_of=empty.now()).to_dict()[0]
    assert "anomaly" not in past["metadata"]


def test_names_go_to_the_core_and_come_back():
    for python, core in [("start_date", "startDate"), ("return_", "return"), ("as_of", "asOf"), ("steps", "steps")]:
        assert camel(python) == core
        assert field_of(core) == python
    assert message_of("must be after startDate, not `startDate`") == "must be after start_date, not `startDate`"


def test_somebody_has_a_profile(empty):
    empty.ingest(
        [
            {"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"},
            {
                "userId": "ada",
                "name": "payment",
                "ts": "2026-02-02T10:00:00Z",
                "properties": {"amount": 12.5, "currency": "EUR"},
            },
        ]
    )
    ada = empty.profile("ada", limit=1)
    assert (ada["person"]["events"], ada["total"], ada["hasMore"]) == (2, 2, True)
    assert [(e["name"], e["amount"]) for e in ada["events"]] == [("payment", "12.50")]
    assert [e["name"] for e in empty.profile("ada", as_of=datetime(2026, 2, 1, 12, tzinfo=UTC))["events"]] == ["search"]
    with pytest.raises(NotFound):
        empty.profile("ada", anonymous=True)
    with pytest.raises(ValidationError) as refused:
        empty.profile("ada", limit=0, offset=-1)
    assert [e["field"] for e in refused.value.errors] == ["limit", "offset"]


def test_fields_of_a_question_may_be_named_as_arguments(store):
    asked = {
        "steps": ["search", "view"],
        "startDate": "2026-02-01",
        "endDate": "2026-02-28",
        "asOf": "2026-02-20T00:00:00Z",
    }
    ours = {camel(name): value for name, value in asked.items()}
    theirs = {field_of(name): value for name, value in asked.items()}
    assert "start_date" in theirs
    assert store.query("funnel", theirs) == store.query("funnel", ours)
    cell = {"cell": "reached", "step": 2}
    assert store.people("funnel", theirs, cell) == store.people("funnel", ours, cell)
    assert len(store.explain_difference(theirs, {**ours, "window": "1h"})) == 1
    with pytest.raises(ValidationError) as refused:
        store.query("funnel", {**theirs, "windows": "7d"})
    assert [error["field"] for error in refused.value.errors] == ["windows"]
