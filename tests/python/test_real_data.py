"""Real events, counted once more in plain Python."""

import csv
from collections import defaultdict
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
import travelsense as ts
from conftest import NOW

EVER = {"start_date": "2000-01-01", "end_date": "2020-01-01"}


def cases(path):
    """The events of each case, in order of time."""
    events = defaultdict(list)
    for row in pq.read_table(path).to_pylist():
        events[row["case"]].append((row["ts"].to_pydatetime(), row["activity"]))
    return {case: sorted(rows) for case, rows in events.items()}


def depth(rows, steps, window):
    """The most steps that any chain of distinct rows in order of time reaches within the window, by trying them all."""

    def deeper(step, used, last, entry):
        best = step
        for i, (at, name) in enumerate(rows):
            fits = name == steps[step] and i not in used and at >= last and at - entry <= window
            if fits:
                best = max(best, deeper(step + 1, used | {i}, at, entry) if step + 1 < len(steps) else step + 1)
            if best == len(steps):
                break
        return best

    entries = [(i, at) for i, (at, name) in enumerate(rows) if name == steps[0]]
    if len(steps) == 1:
        return int(bool(entries))
    return max((deeper(1, {i}, at, at) for i, at in entries), default=0)


@pytest.mark.parametrize("window", [timedelta(days=30), timedelta(days=365), timedelta(days=3650)])
def test_fines_are_paid_as_often_as_a_count_by_hand_says(data, window):
    steps = ["Create Fine", "Send Fine", "Payment"]
    with ts.open(":memory:", now=NOW) as store:
        report = store.import_(data / "traffic_fines.parquet", user="case", name="activity", time="ts")
        assert (report.sent, report.accepted) == (34_724, 34_724)
        funnel = store.funnel(steps, window=window, **EVER)
    depths = [depth(rows, steps, window) for rows in cases(data / "traffic_fines.parquet").values()]
    assert [row["count"] for row in funnel] == [sum(d >= k for d in depths) for k in (1, 2, 3)]


@pytest.mark.parametrize(
    "steps",
    [
        ["ER Registration", "IV Antibiotics", "Release A"],
        ["Leucocytes", "CRP", "Leucocytes"],
        ["CRP", "CRP", "CRP", "Release A"],
    ],
)
def test_repeats_and_ties_of_sepsis_are_counted_as_by_hand(data, steps):
    window = timedelta(days=7)
    with ts.open(":memory:", now=NOW) as store:
        store.import_(pq.read_table(data / "sepsis.parquet"), user="case", name="activity", time="ts")
        funnel = store.funnel(steps, window=window, **EVER)
    depths = [depth(rows, steps, window) for rows in cases(data / "sepsis.parquet").values()]
    assert [row["count"] for row in funnel] == [sum(d > k for d in depths) for k in range(len(steps))]


def test_cdnow_cohorts_are_those_of_a_count_by_hand(data):
    path = data / "customers_cdnow_transactions.csv"
    with ts.open(":memory:", now=NOW) as store:
        report = store.import_(path, user="customer_id", time="date", event="purchase")
        assert (report.sent, report.accepted, report.refused) == (69_659, 69_659, 0)
        cohorts = store.retention(
            "monthly", start_date="1997-01-01", end_date="1997-03-31", start="purchase", return_="purchase", periods=17
        )
    relation = [(row["cohort"], row["size"], row["period"], row["count"]) for row in cohorts if row["complete"]]

    months = defaultdict(set)
    with path.open() as file:
        for row in csv.DictReader(file):
            year, month, _ = row["date"].split("-")
            months[row["customer_id"]].add(12 * int(year) + int(month) - 1)
    first = 12 * 1997
    starts = {customer: min(of) for customer, of in months.items()}
    assert len(starts) == 23_570
    for cohort, size, period, count in relation:
        start = 12 * cohort.year + cohort.month - 1
        members = [customer for customer, began in starts.items() if began == start]
        assert size == len(members)
        assert count == (sum(start + period in months[c] for c in members) if period else size)
    assert len(relation) == 3 * 18
    assert [row[1] for row in relation[::18]] == [sum(s == first + m for s in starts.values()) for m in range(3)]
