"""What notebooks and other libraries make of answers."""

import json
import re
import sys

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


def test_a_plotted_funnel_says_what_the_funnel_says(store):
    funnel = store.funnel(["search", "view", "book"], **FEBRUARY)
    values = funnel.plot().to_dict()["data"]["values"]
    assert [row["label"] for row in values] == ["1. search", "2. view", "3. book"]
    assert [row["rate"] for row in values] == [row["rate"] for row in funnel]


def test_what_has_nothing_to_draw_says_so(empty):
    with pytest.raises(ValueError, match="nothing to draw"):
        empty.journey(**FEBRUARY).plot()
    question = {"steps": ["a", "b"], "startDate": "2026-02-01", "endDate": "2026-02-28"}
    with pytest.raises(ValueError, match="has no chart"):
        empty.explain_difference(question, question).plot()


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
