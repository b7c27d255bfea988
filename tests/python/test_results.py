"""Answers: their text, their rows, and every library that takes them over."""

import builtins
import json
import sys
from datetime import UTC, datetime

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import travelsense as ts
from conftest import FEBRUARY

FUNNEL = [
    "step", "event", "count", "rate", "rate_low", "rate_high",
    "rate_from_previous", "rate_from_previous_low", "rate_from_previous_high", "dropped",
    "median_seconds_from_previous", "p90_seconds_from_previous", "median_seconds_from_entry", "p90_seconds_from_entry",
]  # fmt: skip
RETENTION = [
    "cohort", "cohort_partial", "size", "returned_in_start_period", "period",
    "value", "count", "eligible", "complete", "partial_count", "low", "high", "total", "per_returning",
]  # fmt: skip


@pytest.fixture
def funnel(store):
    return store.funnel(["search", "view", "book"], window="7d", **FEBRUARY)


@pytest.fixture
def retention(store):
    return store.retention("weekly", start="search", **FEBRUARY)


def test_a_funnel_counts_who_gets_how_far(funnel):
    assert funnel.columns == FUNNEL
    assert [(row["step"], row["event"], row["count"], row["dropped"]) for row in funnel] == [
        (1, "search", 3, 1),
        (2, "view", 2, 1),
        (3, "book", 1, 0),
    ]
    last = funnel.to_dicts()[2]
    assert last["rate"] == pytest.approx(1 / 3)
    assert last["rate_from_previous"] == 0.5
    assert last["median_seconds_from_previous"] == 86_400 - 600
    assert last["median_seconds_from_entry"] == 86_400


def test_steps_may_mean_any_event_or_one_of_several(store):
    rows = store.funnel(["search", None, ["book", "pay"]], window="7d", **FEBRUARY).to_dicts()
    assert [row["event"] for row in rows] == ["search", None, "book | pay"]
    assert [row["count"] for row in rows] == [3, 2, 1]


def test_a_breakdown_is_rows_of_all_together_and_then_of_each_group(empty):
    events = [
        {"userId": user, "name": name, "ts": f"2026-02-0{day}", "properties": {"country": country} if country else {}}
        for user, country, names in (("a", "FR", "sb"), ("b", "FR", "s"), ("c", "DE", "s"), ("d", None, "sb"))
        for day, name in enumerate(names, 1)
    ]
    assert empty.ingest(events).accepted == 6
    funnel = empty.funnel(["s", "b"], breakdown="country", **FEBRUARY)
    assert funnel.columns[:4] == ["group", "step", "event", "count"]
    rows = [(row["group"], row["step"], row["event"], row["count"], row["rate"]) for row in funnel]
    assert rows[:4] == [(None, 1, "s", 4, 1.0), (None, 2, "b", 2, 0.5), ("FR", 1, "s", 2, 1.0), ("FR", 2, "b", 1, 0.5)]
    assert set(rows[4:]) == {
        ("DE", 1, "s", 1, 1.0),
        ("DE", 2, "b", 0, 0.0),
        ("(not set)", 1, "s", 1, 1.0),
        ("(not set)", 2, "b", 1, 1.0),
    }
    assert funnel.to_polars().filter(pl.col("group") == "FR")["count"].to_list() == [2, 1]
    table = empty.retention("weekly", breakdown="country", start="s", return_="b", **FEBRUARY)
    sizes = {row["group"]: row["size"] for row in table if row["period"] == 0 and row["size"]}
    assert sizes == {None: 4, "FR": 2, "DE": 1, "(not set)": 1}
    groups = table.to_dict()["breakdown"]["groups"]
    cells = sum(len(cohort["retention"]) for of in (table.to_dict(), *groups) for cohort in of["cohorts"])
    assert len(table) == cells


def test_retention_is_a_row_a_cell(retention):
    rows = retention.to_dicts()
    assert retention.columns == RETENTION
    assert len(retention) == len(rows) == sum(len(c["retention"]) for c in retention.to_dict()["cohorts"])
    first = [row for row in rows if row["cohort"] == datetime(2026, 1, 26, tzinfo=UTC)]
    # The one who searched on Sunday 2026-02-01 booked the day after.
    assert [(row["period"], row["size"], row["count"]) for row in first][:3] == [(0, 1, 1), (1, 1, 1), (2, 1, 0)]
    assert all(row["cohort_partial"] for row in first)
    assert {row["value"] for row in rows if not row["complete"] and row["period"]} <= {None}


def test_the_table_says_what_the_json_says(funnel, retention):
    steps = funnel.to_dict()["steps"]
    assert [row["count"] for row in funnel] == [step["count"] for step in steps]
    assert [row["rate_low"] for row in funnel] == [step["rate"]["low"] for step in steps]
    assert [row["rate_from_previous_high"] for row in funnel] == [s["rateFromPrevious"]["high"] for s in steps]
    assert [row["p90_seconds_from_entry"] for row in funnel] == [s["timeFromEntry"]["p90"] for s in steps]
    cells = [(c, e) for c in retention.to_dict()["cohorts"] for e in c["retention"]]
    names = ["period", "value", "count", "eligible", "complete", "low", "high"]
    assert [[row[n] for n in names] for row in retention] == [[e[n] for n in names] for _, e in cells]
    assert [row["partial_count"] for row in retention] == [e["partialCount"] for _, e in cells]
    assert [row["cohort"] for row in retention] == [datetime.fromisoformat(c["period"]) for c, _ in cells]
    assert [row["size"] for row in retention] == [c["size"] for c, _ in cells]


def test_the_text_is_the_cores_and_stays_the_same(store, funnel):
    again = store.funnel(["search", "view", "book"], window=7 * 86_400, **FEBRUARY)
    assert again.to_json() == funnel.to_json()
    assert json.dumps(json.loads(funnel.to_json()), separators=(",", ":"), ensure_ascii=False) == funnel.to_json()
    assert funnel.to_json().startswith('{"_id":"')


@pytest.mark.parametrize("name", ["funnel", "retention"])
def test_every_library_gets_the_same_rows(name, request):
    result = request.getfixturevalue(name)
    rows = result.to_dicts()
    assert pa.table(result).to_pylist() == result.to_arrow().to_pylist() == rows
    assert pl.DataFrame(result).to_dicts() == result.to_polars().to_dicts() == rows
    frame = result.to_pandas()
    assert list(frame.columns) == result.columns
    assert len(frame) == len(rows)
    assert pa.schema(result) == result.to_arrow().schema


def test_duckdb_reads_an_answer_by_its_name(retention):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    sizes = duckdb.connect().execute("select any_value(size) from retention group by cohort order by cohort").fetchall()
    assert [size for (size,) in sizes] == [cohort["size"] for cohort in retention.to_dict()["cohorts"]]


def test_pandas_gets_numbers_and_instants_as_such(funnel, retention):
    kinds = funnel.to_pandas().dtypes.astype(str).to_dict()
    assert kinds["count"] == "int64"
    assert kinds["rate"] == kinds["median_seconds_from_entry"] == "float64"
    frame = retention.to_pandas()
    assert str(frame["cohort"].dtype) == "datetime64[us, UTC]"
    assert frame["complete"].dtype == bool
    assert frame["cohort"][0] == pd.Timestamp("2026-01-26", tz="UTC")


def test_an_empty_answer_is_an_empty_table(store):
    kind = "conversion_funnel"
    insights = store.user_insights(steps=["search", "book"], insight_type=kind, **FEBRUARY)
    assert len(insights) == 1
    assert insights.to_dicts()[0]["insight_type"] == "conversion_funnel"
    assert insights.to_dict()[0]["data"]["entered"] == 3


@pytest.mark.parametrize(
    ("method", "library", "extra"),
    [("to_arrow", "pyarrow", "arrow"), ("to_pandas", "pandas", "pandas"), ("to_polars", "polars", "polars")],
)
def test_a_missing_library_is_named_with_what_brings_it(method, library, extra, funnel, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"pip install travelsense\[{extra}\]") as raised:
        getattr(funnel, method)()
    assert raised.value.name == library


def test_the_package_needs_no_other(monkeypatch):
    wanted = []
    real = builtins.__import__

    def spy(name, *args, **kwargs):
        wanted.append(name.partition(".")[0])
        return real(name, *args, **kwargs)

    for name in [n for n in sys.modules if n.startswith("travelsense") and n != "travelsense._native"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", spy)
    real("travelsense")
    assert not {"pandas", "polars", "pyarrow", "numpy", "duckdb", "tqdm"} & set(wanted)


def test_the_version_is_that_of_the_crate():
    manifest = (ts.__file__, ts.__version__)
    assert manifest[1].count(".") == 2


def test_where_users_stop_and_what_separates_them(store):
    asked = store.drop_off(["search", "book"], min_support=1, properties=["p"], window="1d", **FEBRUARY)
    step = asked.to_dict()["steps"][0]
    assert (step["reached"], step["dropped"]) == (3, 2)
    assert [factor["label"] for factor in step["factors"]["factors"]] == ["view"]
    (row,) = asked
    assert (row["step"], row["reached"], row["dropped"], row["factor"]) == (1, 3, 2, "view")
    groups = store.compare(["search", "book"], between=["new", "returning"], window="1d", **FEBRUARY)
    assert [(row["group"], row["step"]) for row in groups] == [
        ("new", None),
        ("new", 2),
        ("returning", None),
        ("returning", 2),
    ]
    assert (groups.to_dicts()[0]["k"], groups.to_dicts()[0]["n"]) == (1, 3)
    question = {"steps": ["search", "book"], "startDate": "2026-02-01", "endDate": "2026-02-28"}
    explained = store.explain_difference(question, {**question, "window": "1h"})
    assert [(row["switch"], row["users_a"], row["only_a"]) for row in explained] == [("window", 1, 1)]
    for answer in (asked, groups, explained):
        assert len(repr(answer).splitlines()) > len(answer)
        assert "<table" in answer._repr_html_()
    who = store.people("explain_difference", {"a": question, "b": {**question, "window": "1h"}}, {"users": "only_a"})
    assert who["total"] == explained.to_dict()["users"]["onlyA"] == 1
