"""Forecasts and backtests of tables, and the predictions of a store."""

import datetime as dt
import json
import math
import zoneinfo

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import travelsense as ts

LEVELS = ["lo-80", "hi-80", "lo-95", "hi-95"]
START = dt.date(2025, 1, 1)


def rows(days=70, series=("a",)):
    """Daily series with weekdays."""
    return [
        {"unique_id": name, "ds": START + dt.timedelta(days=t), "y": 20.0 + 5 * (t % 7) + (t * 37 % 11) / 10}
        for name in series
        for t in range(days)
    ]


def columns(given):
    return {name: [row[name] for row in given] for name in given[0]}


def frames():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    given = columns(rows(series=("a", "b")))
    yield "pyarrow", pa.table(given)
    yield "batch", pa.RecordBatch.from_pydict(given)
    yield "pandas", pandas.DataFrame({**given, "ds": pandas.to_datetime(given["ds"])})
    yield "polars", polars.DataFrame(given)
    yield "columns", given


def test_every_frame_gives_the_same_forecasts():
    expected = ts.forecast(rows(series=("a", "b")), 3, progress=False)
    assert expected.columns == ["unique_id", "ds", "mean", *LEVELS]
    assert len(expected) == 6
    for name, frame in frames():
        made = ts.forecast(frame, 3, progress=False)
        assert made.columns == expected.columns, name
        for ours, theirs in zip(made, expected, strict=True):
            assert ours["unique_id"] == theirs["unique_id"], name
            assert str(ours["ds"])[:10] == str(theirs["ds"]), name
            assert [ours[c] for c in ["mean", *LEVELS]] == [theirs[c] for c in ["mean", *LEVELS]], name


def test_what_comes_in_goes_out_in_the_same_types():
    given = columns(rows())
    for kind in [pa.date32(), pa.timestamp("ns"), pa.timestamp("ms"), pa.timestamp("us", "Europe/Berlin")]:
        days = pa.array([dt.datetime.combine(day, dt.time()) for day in given["ds"]], pa.timestamp("us")).cast(kind)
        table = pa.table({"unique_id": pa.array([7] * len(days), pa.int32()), "ds": days, "y": given["y"]})
        made = ts.forecast(table, 2, progress=False).to_arrow()
        assert made.schema.field("ds").type == kind
        assert made.schema.field("unique_id").type == pa.int32()
    whole = pa.table({"ds": pa.array(range(40), pa.int16()), "y": [float(t % 4) for t in range(40)]})
    made = ts.forecast(whole, 2, freq="Q", progress=False)
    assert [row["ds"] for row in made] == [40, 41]
    assert made.to_dict()["series"][0]["seasons"] == [4]


def test_a_clock_that_changes_moves_no_midnight():
    zone = "Europe/Berlin"
    midnights = pa.array(
        [dt.datetime(2025, 3, 1, tzinfo=dt.UTC) + dt.timedelta(days=t, hours=-1) for t in range(29)],
        pa.timestamp("us", zone),
    )
    made = ts.forecast(pa.table({"ds": midnights, "y": [float(t) for t in range(29)]}), 3, progress=False)
    assert [row["ds"].isoformat() for row in made] == [
        "2025-03-30T00:00:00+01:00",
        "2025-03-31T00:00:00+02:00",
        "2025-04-01T00:00:00+02:00",
    ]


def test_columns_have_the_names_they_are_given():
    given = [{"shop": row["unique_id"], "day": row["ds"], "sales": row["y"]} for row in rows()]
    names = {"id_col": "shop", "time_col": "day", "target_col": "sales"}
    for frame in [given, pa.table(columns(given))]:
        made = ts.forecast(frame, 2, level=[50], quantiles=[0.1], progress=False, **names)
        assert made.columns == ["shop", "day", "mean", "lo-50", "hi-50", "q-0.1"]


def test_a_regressor_explains_and_must_be_known_ahead():
    given = rows(60)
    for t, row in enumerate(given):
        row["promotion"] = float(t % 10 == 3)
        row["y"] *= 1 + row["promotion"]
    future = [{"unique_id": "a", "ds": START + dt.timedelta(days=60 + t), "promotion": float(t == 3)} for t in range(5)]
    for old, new in [(given, future), (pa.table(columns(given)), pa.table(columns(future)))]:
        made = [row["mean"] for row in ts.forecast(old, 5, regressors=["promotion"], future=new, progress=False)]
        assert made[3] == pytest.approx(2 * 20.5, rel=0.15)
    with pytest.raises(ts.ValidationError) as refused:
        ts.forecast(given, 5, regressors=["promotion"], future=future[:2], progress=False)
    assert refused.value.errors[0]["code"] == "regressor_too_short"
    assert "2 of the 5" in str(refused.value)


def test_all_that_is_wrong_is_told_at_once():
    table = pa.table({"ds": ["2025-01-01"], "y": ["much"]})
    with pytest.raises(ts.ValidationError) as refused:
        ts.forecast(table, 0, level=[100], freq="fortnight", country="XX", progress=False)
    faults = {(fault["field"], fault["code"]) for fault in refused.value.errors}
    assert faults == {
        ("y", "invalid_type"),
        ("horizon", "out_of_range"),
        ("level[0]", "out_of_range"),
        ("freq", "unknown_frequency"),
        ("country", "unknown_country"),
    }
    with pytest.raises(ts.ValidationError, match="is no column of the frame"):
        ts.forecast(pa.table({"when": ["2025-01-01"], "y": [1.0]}), 1, progress=False)
    with pytest.raises(ts.ValidationError, match="not an ISO 8601 date"):
        ts.forecast(pa.table({"ds": ["yesterday"], "y": [1.0]}), 1, progress=False)
    with pytest.raises(TypeError, match="a list of dicts"):
        ts.forecast("series.csv", 1, progress=False)


def test_repeated_and_future_rows_are_told():
    given = [*rows(30), {"unique_id": "a", "ds": START, "y": 1.0}]
    told = ts.forecast(given, 1, as_of="2025-01-25", progress=False).to_dict()["series"][0]
    assert told["repeated"] == 1
    assert told["future"] == 5


def test_a_backtest_scores_beside_the_naive_forecast():
    tested = ts.backtest(rows(series=("a", "b")), 7, origins=3, progress=False)
    assert len(tested) == 42
    assert tested.columns == ["unique_id", "cutoff", "ds", "y", "mean", *LEVELS, "naive"]
    assert all(row["cutoff"] < row["ds"] for row in tested)
    scores = tested.scores.to_dicts()
    assert [score["unique_id"] for score in scores] == ["a", "b"]
    by_hand = math.fsum(abs(row["y"] - row["mean"]) for row in tested if row["unique_id"] == "a")
    total = math.fsum(row["y"] for row in tested if row["unique_id"] == "a")
    assert scores[0]["wape"] == pytest.approx(by_hand / total)
    overall = tested.to_dict()["overall"]
    assert overall["points"] == 42
    assert overall["model"]["mase"] < overall["naive"]["mase"]
    assert "seasonal naive" in repr(tested)


def test_forecasts_are_pictures_and_tables():
    made = ts.forecast(rows(series=("a", "b")), 7, progress=False)
    assert made.to_svg().startswith("<svg")
    assert "Forecast of b" in made.to_svg("b")
    assert made.to_svg("c") is None
    assert repr(made).splitlines()[0] == "Forecast of 2 series"
    assert made.to_pandas()["mean"].notna().all()
    tested = ts.backtest(rows(), 7, progress=False)
    assert "MASE" in tested.to_svg()


def test_an_exception_of_progress_gives_a_forecast_up():
    def stop(_share):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        ts.forecast(rows(400, series=[str(i) for i in range(400)]), 30, progress=stop)


@pytest.fixture
def shop():
    """Forty users who come on some days, and buy on some of them."""
    begin = dt.datetime(2025, 10, 1, 9, tzinfo=dt.UTC)
    events = [
        {
            "userId": f"u{user}",
            "name": "complete_booking" if (user + day) % 5 == 0 else "search",
            "ts": (begin + dt.timedelta(days=day, minutes=user)).isoformat(),
            "properties": {"revenue": 10 + user % 3} if (user + day) % 5 == 0 else {},
        }
        for user in range(40)
        for day in range(user, 150)
        if (day * (user + 3)) % (2 + user % 5) == 0 and not (user % 4 == 0 and day > 90)
    ]
    with ts.open(":memory:", now="2026-02-28T00:00:00Z") as store:
        store.ingest(events)
        yield store


def test_the_predictions_of_a_store_are_tables_and_pictures(shop):
    growth = shop.predictive("user_growth", start_date="2025-10-01", end_date="2026-01-31", horizon=7)
    assert growth.columns == ["segment", "date", "value", "predicted", "lower_bound", "upper_bound"]
    assert [row["predicted"] for row in growth].count(True) == 7
    past = {"start_date": "2025-10-01", "end_date": "2026-01-31"}
    tested = shop.backtest("demand_forecast", **past, horizon=7, origins=4, segments=["active"])
    assert tested.columns[:3] == ["unique_id", "cutoff", "ds"]
    assert [(row["unique_id"], row["origins"], row["points"]) for row in tested.scores] == [
        ("all", 4, 28),
        ("active", 4, 28),
    ]
    assert tested.to_svg("active").startswith("<svg")
    with pytest.raises(ts.ValidationError, match="origins"):
        shop.backtest("demand_forecast", **past, origins=0)
    churn = shop.churn(horizon_days=14, limit=5)
    assert [row["user_id"] for row in churn] == [user["userId"] for user in churn.to_dict()["users"]]
    assert all(0 <= row["low"] <= row["probability"] <= row["high"] <= 1 for row in churn)
    value = shop.value(activity="complete_booking", horizon_days=30)
    assert len(value) > 0
    following = shop.next_action(users=["u1"], top=2)
    assert {row["user_id"] for row in following} == {None, "u1"}
    for answer in [growth, churn, following, ts.forecast(rows(), 7, progress=False)]:
        assert "vega-lite" in json.loads(answer.plot().to_json())["$schema"]
    for answer in [growth, churn, value, following]:
        assert answer.to_svg().startswith("<svg")
        assert repr(answer)
        assert json.loads(answer.to_json()) == answer.to_dict()


def test_wrong_questions_of_prediction_are_refused_by_name(shop):
    with pytest.raises(ts.ValidationError) as refused:
        shop.predictive("weather", start_date="2025-10-01", end_date="2026-01-31", confidence_level=101)
    assert {fault["field"] for fault in refused.value.errors} == {"prediction_type", "confidence_level"}
    with pytest.raises(ts.ValidationError):
        shop.churn(horizon_days=0)


def test_mistakes_with_frames_are_named():
    with pytest.raises(TypeError, match="not a Series"):
        ts.forecast(pd.Series([1.0, 2.0], name="y"), 2)
    with pytest.raises(TypeError, match="`events` are days by name"):
        ts.forecast(rows(), 2, events=["2026-01-05"])


def test_one_day_need_not_be_a_list():
    one, several = (ts.forecast(rows(), 2, events={"sale": days}) for days in ("2025-01-05", ["2025-01-05"]))
    assert one.to_json() == several.to_json()


def test_what_is_missing_may_be_written_as_libraries_do():
    holes = [{**row, "y": None if i % 6 == 0 else row["y"]} for i, row in enumerate(rows())]
    wanted = ts.forecast(holes, 2).to_dict()["forecasts"]["mean"]
    for missing in (pd.NA, float("nan")):
        written = [{**row, "y": missing if row["y"] is None else row["y"]} for row in holes]
        assert ts.forecast(written, 2).to_dict()["forecasts"]["mean"] == wanted
    frame = pl.DataFrame(holes).with_columns(unique_id=None, note=None)
    assert ts.forecast(frame, 2).to_dict()["forecasts"]["mean"] == wanted


def test_hours_where_clocks_change_are_as_many_as_pass():
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    for start in [dt.datetime(2026, 3, 15, tzinfo=zone), dt.datetime(2026, 10, 11, tzinfo=zone)]:
        hours = [start.astimezone(dt.UTC) + dt.timedelta(hours=t) for t in range(312 + 48)]
        times = pa.array(hours[:312], pa.timestamp("us", "Europe/Berlin"))
        table = pa.table({"ds": times, "y": [100.0 + t % 24 for t in range(312)]})
        made = ts.forecast(table, 48, progress=False)
        # Of an hour that comes twice Python says that it is none in another zone.
        assert [row["ds"].astimezone(dt.UTC) for row in made] == hours[312:]
        notes = made.to_dict()["series"][0]
        assert (notes["repeated"], notes["filled"]) == (0, 0)
        # Days go by the clock all the same.
        days = pa.array([start + dt.timedelta(days=t) for t in range(20)], pa.timestamp("us", "Europe/Berlin"))
        daily = ts.forecast(pa.table({"ds": days, "y": [1.0] * 20}), 2, progress=False)
        assert [row["ds"].astimezone(zone).hour for row in daily] == [0, 0]
    # A whole autumn of hours: the one that comes twice is two.
    hours = [dt.datetime(2026, 10, 11, tzinfo=dt.UTC) + dt.timedelta(hours=t) for t in range(505)]
    table = pa.table(
        {"ds": pa.array(hours, pa.timestamp("us", "Europe/Berlin")), "y": [200.0 + t % 24 for t in range(505)]}
    )
    assert ts.forecast(table, 3, progress=False).to_dict()["series"][0]["repeated"] == 0


def test_an_event_lies_on_the_day_that_its_clock_shows():
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    given = rows(60)
    sales = [day for t, day in enumerate(row["ds"] for row in given) if t % 10 == 3]
    for row in given:
        row["y"] *= 2 if row["ds"] in sales else 1
    aware = [dt.datetime.combine(day, dt.time(), zone) for day in sales]
    plain = ts.forecast(given, 3, events={"sale": sales}, progress=False).to_dict()
    assert ts.forecast(given, 3, events={"sale": aware}, progress=False).to_dict() == plain
    effect = plain["series"][0]["effects"][0]
    assert effect["name"] == "sale"
    assert effect["size"] > 0.8


def test_what_was_not_as_usual_in_a_table_is_the_same_from_every_frame():
    days = [dt.date(2026, 1, 5) + dt.timedelta(days=n) for n in range(84)]
    table = [
        {"unique_id": name, "ds": str(day), "y": 1000 + 10 * (n % 7)} for name in "ab" for n, day in enumerate(days)
    ]
    table[80]["y"] = 200
    expected = ts.detect_anomalies(table, progress=False)
    (found,) = expected.findings
    told = {name: found[name] for name in ("uniqueId", "since", "direction", "severity", "observed")}
    assert told == {
        "uniqueId": "a",
        "since": str(days[80]),
        "direction": "down",
        "severity": "critical",
        "observed": 200,
    }
    assert expected.columns == ["unique_id", "ds", "y", "expected", "low", "high", "score", "status", "unusual"]
    assert [row["ds"] for row in expected if row["unusual"]] == [days[80]]
    columns = {name: [row[name] for row in table] for name in ("unique_id", "ds", "y")}
    for frame in [columns, pa.table(columns), pl.DataFrame(table), pd.DataFrame(table)]:
        assert ts.detect_anomalies(frame, progress=False).findings == expected.findings, type(frame)
    renamed = pd.DataFrame(table).rename(columns={"unique_id": "shop", "ds": "day", "y": "sold"})
    named = ts.detect_anomalies(renamed, id_col="shop", time_col="day", target_col="sold", progress=False)
    assert named.columns[:2] == ["shop", "day"]
    assert named.findings == expected.findings
    assert "What was unusual of b" in expected.to_svg("b")
    assert expected.to_svg("c") is None
    assert repr(expected).splitlines()[0] == "What was unusual of 2 series, 168 periods"
    assert "a change is a share of what was expected" in " ".join(expected.explain().split())
    assert expected.plot().to_dict()["title"] == "What was unusual"
    with pytest.raises(ts.ValidationError) as caught:
        ts.detect_anomalies(table, kind="money", alarms_per_week=0, progress=False)
    assert [e["field"] for e in caught.value.errors] == ["kind", "alarms_per_week"]
