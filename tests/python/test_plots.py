"""What notebooks and other libraries make of answers."""

import json
import re
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
import travelsense as ts
from conftest import FEBRUARY

alt = pytest.importorskip("altair", reason="altair is not installed")


def answers(store):
    steps = ["search", "view", "book"]
    return {
        "funnel": store.funnel(steps, **FEBRUARY),
        "drop_off": store.drop_off(steps, **FEBRUARY),
        "compare": store.compare(steps, between=["new", "returning"], **FEBRUARY),
        "retention": store.retention("weekly", **FEBRUARY),
        "engagement": store.engagement(period="weekly", **FEBRUARY),
        "adoption": store.adoption(["book"], **FEBRUARY),
        "journey": store.journey(**FEBRUARY),
        "realtime": store.realtime(time_range="last_hour"),
        "anomalies": store.anomalies("active_users", **FEBRUARY),
    }


def test_every_word_is_plotted_and_its_data_stands_in_the_chart(store):
    for word, answer in answers(store).items():
        chart = answer.plot()
        assert isinstance(chart, alt.Chart | alt.LayerChart | alt.FacetChart), word
        spec = json.loads(chart.to_json())  # checked against the schema of Vega-Lite
        assert "vega-lite" in spec["$schema"]
        assert "http" not in json.dumps({name: part for name, part in spec.items() if name != "$schema"})


def test_forecasts_and_what_became_of_them_are_plotted():
    rows = [
        {"unique_id": name, "ds": f"2026-01-{day:02}", "y": size + day % 7}
        for name, size in (("a", 10), ("b", 90))
        for day in range(1, 29)
    ]
    ahead, past = ts.forecast(rows, 3), ts.backtest(rows, 3, origins=2)
    assert json.loads(ahead.plot().to_json())["layer"]
    spec = json.loads(past.plot().to_json())
    assert spec["facet"]["row"]["field"] == "series"
    (values,) = spec["datasets"].values() if "datasets" in spec else [spec["data"]["values"]]
    came = [(v["series"], v["ds"], v["value"]) for v in values if v["what"] == "came"]
    assert came == [(row["unique_id"], row["ds"].isoformat(), row["y"]) for row in past]
    assert {v["what"] for v in values} == {"came", "forecast", "naive"}


def test_people_at_risk_and_bookings_are_plotted(empty):
    days = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(59)]
    events = [
        {"userId": f"u{i}", "name": "pay", "ts": day, "properties": {"amount": 5 + i % 3, "currency": "EUR"}}
        for i in range(80)
        for day in days[i % 5 :: 3 + i % 7]
        if i % 4 or day.month == 1
    ]
    empty.set_catalogue(
        {**empty.catalogue(), "revenue": {"events": ["pay"], "amount": "amount", "currency": "currency"}}
    )
    assert empty.ingest(events).refused == 0
    for answer in (empty.churn(horizon_days=7), empty.value(horizon_days=7)):
        assert len(answer) == 80
        spec = answer.plot().to_dict()
        values = spec["data"]["values"] if "data" in spec else spec["layer"][0]["data"]["values"]
        assert [row["user_id"] for row in values] == [row["user_id"] for row in answer][:50]
    assert empty.pickup(start_date="2026-03-01", end_date="2026-03-07").plot().to_dict()["mark"]["type"] == "line"


def test_a_plotted_funnel_says_what_the_funnel_says(store):
    funnel = store.funnel(["search", "view", "book"], **FEBRUARY)
    values = funnel.plot().to_dict()["data"]["values"]
    assert [row["label"] for row in values] == ["1. search", "2. view", "3. book"]
    assert [row["rate"] for row in values] == [row["rate"] for row in funnel]


def test_groups_stand_side_by_side(empty):
    empty.ingest(
        [
            {"userId": who, "name": name, "ts": f"2026-02-0{day}", "properties": {"country": country}}
            for who, country, names in (("a", "FR", "sb"), ("b", "DE", "s"))
            for day, name in enumerate(names, 1)
        ]
    )
    spec = empty.funnel(["s", "b"], breakdown="country", **FEBRUARY).plot().to_dict()
    assert spec["layer"][0]["title"] == "Funnel by country"
    assert {(row["group"], row["label"], row["rate"]) for row in spec["data"]["values"]} == {
        ("FR", "1. s", 1.0),
        ("FR", "2. b", 1.0),
        ("DE", "1. s", 1.0),
        ("DE", "2. b", 0.0),
    }
    assert spec["layer"][0]["encoding"]["yOffset"]["field"] == "group"
    table = empty.retention("weekly", breakdown="country", **FEBRUARY).plot().to_dict()
    assert table["facet"]["row"]["field"] == "group"
    assert {row["group"] for row in table["data"]["values"]} == {"all together", "FR", "DE"}


def test_what_has_nothing_to_draw_says_so(empty):
    with pytest.raises(ValueError, match="nothing to draw"):
        empty.journey(**FEBRUARY).plot()
    with pytest.raises(ValueError, match="has no chart"):
        empty.user_insights(steps=["a", "b"], **FEBRUARY).plot()


def test_why_two_questions_differ_is_plotted(store):
    question = {"steps": ["search", "view"], "startDate": "2026-02-01", "endDate": "2026-02-28", "window": "30d"}
    values = store.explain_difference(question, {**question, "window": "1h"}).plot().to_dict()["data"]["values"]
    assert [(row["label"], row["users"]) for row in values] == [
        ("first question", 2),
        ("window alone", 1),
        ("second question", 1),
    ]


def test_without_altair_the_extra_is_named(store, monkeypatch):
    funnel = store.funnel(["search"], **FEBRUARY)
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(ImportError, match=re.escape("pip install travelsense[plot]")):
        funnel.plot()


def test_every_word_with_a_picture_shows_it_above_its_table(store):
    for word, answer in answers(store).items():
        page = answer._repr_html_()
        assert page.index("<svg ") < page.index("<table"), word
        assert "<script" not in page
        assert answer.to_svg().startswith("<svg ")
        # A notebook that says it is dark is believed, whatever the machine prefers.
        assert '[data-jp-theme-light="false"] .travelsense' in page
        assert re.search(r"--travelsense-ground:#1b1f26", page)


def test_insights_have_a_chart_each(store):
    insights = store.user_insights(steps=["search", "book"], **FEBRUARY)
    assert insights._repr_html_().count("<svg ") == len(insights) == insights._repr_html_().count("<table")


def test_an_answer_explains_itself(store):
    asked = {"steps": ["search", "book"], **FEBRUARY}
    funnel = store.funnel(window="7d", **asked)
    said = funnel.explain()
    answer = funnel.to_dict()
    lines = [line for line in said.splitlines() if re.match(r"  \S", line)]
    told = {line.split()[0]: re.split(r"\s{2,}", line.strip())[1] for line in lines}
    assert told["window"] == "7 d"
    assert told["order"] == "ordered"
    assert told["resultHash"].startswith(answer["resultHash"][:20])
    assert set(answer["switches"]) <= set(told)
    assert "Steps come one after the other" in said
    assert "(F2)" in said
    assert funnel.explain() != store.funnel(window="1h", **asked).explain()
    for word, other in answers(store).items():
        assert other.explain().startswith(word)
    insights = store.user_insights(steps=["search", "book"], **FEBRUARY).explain()
    assert insights.count("computed from") == len(store.user_insights(steps=["search", "book"], **FEBRUARY))


def test_forecasts_explain_themselves():
    days = [date(2026, 1, 1) + timedelta(days=day) for day in range(120)]
    sales, mistake = days[20::25], days[9]
    usual = {day: 100 + 5 * day.weekday() for day in days}
    rows = [{"ds": day, "y": 900 if day == mistake else usual[day] * (1 + (day in sales))} for day in days]
    ahead = ts.forecast(rows, 2, events={"sale": [*sales, "2026-05-01"]})
    said, series = ahead.explain(), ahead.to_dict()["series"][0]
    assert said.startswith("forecast\nseries\n")
    assert all(f"{model['name']} {100 * model['share']:.0f} %" in said for model in series["models"])
    assert series["outliers"] == ["2026-01-10"]
    assert re.search(r"outliers +2026-01-10 +left out where the models learn", said)
    assert re.search(r"effect +sale: \+\d+\.\d % +on 4 days", said)
    scores = ts.backtest(rows, 2).explain()
    for name in ts.backtest(rows, 2).scores.columns[3:10]:
        assert name.partition("_")[0] in scores


def test_answers_and_stores_are_not_pickled(store):
    import pickle

    with pytest.raises(TypeError, match="to_arrow"):
        pickle.dumps(store.funnel(["search"], **FEBRUARY))
    with pytest.raises(TypeError, match="open its file again"):
        pickle.dumps(store)


def test_what_came_unusually_is_a_table(store):
    answer = store.anomalies("active_users", start_date="2026-02-01", end_date="2026-02-07")
    assert answer.columns == ["start", "value", "expected", "low", "high", "score", "status", "unusual"]
    assert len(answer) == 7 * 24
    assert repr(answer).startswith("What was unusual of active users, 2026-02-01 to 2026-02-07 (UTC)")
    rows = answer.to_dicts()
    assert [row["value"] for row in rows] == [point["value"] for point in answer.to_dict()["series"]]


@pytest.mark.parametrize("name", ["explore", "aopen", "AsyncAnalytics"])
def test_what_is_read_later_is_there(name):
    assert name in dir(ts)
    assert getattr(ts, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = ts.nothing
