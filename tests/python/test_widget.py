"""The widget: what it asks, and what its page is made of."""

import re
import sys

import pytest
import travelsense as ts
from conftest import FEBRUARY, ROOT

pytest.importorskip("anywidget", reason="anywidget is not installed")
PAGE = ROOT / "python" / "travelsense" / "_widget"


@pytest.fixture
def widget(store):
    return ts.explore(store, **FEBRUARY)


def test_it_begins_with_a_funnel_of_the_most_frequent_events(widget):
    assert widget.names == ["search", "view", "book"]
    assert widget.word == "funnel"
    assert [step["count"] for step in widget.answer["steps"]] == [3, 2]
    assert widget.result.to_dict() == widget.answer


def test_it_may_begin_with_steps_of_ones_own(store):
    widget = ts.explore(store, ["search", ["view", "book"]], **FEBRUARY)
    assert [step["count"] for step in widget.answer["steps"]] == [3, 2]


def test_without_dates_it_shows_the_last_ninety_days(store):
    widget = ts.explore(store)
    assert (widget.arguments["startDate"], widget.arguments["endDate"]) == ("2025-12-02", "2026-03-01")


def test_a_change_asks_anew(widget, store):
    widget.questions = {**widget.questions, "funnel": {**widget.questions["funnel"], "steps": ["search", "book"]}}
    assert [step["count"] for step in widget.answer["steps"]] == [3, 1]
    assert store.query(widget.word, widget.arguments)["converted"] == 1
    widget.word = "retention"
    assert widget.answer["cohorts"]
    assert widget.result.word == "retention"


def test_what_is_refused_is_said_and_can_be_mended(widget):
    good = widget.questions
    widget.questions = {**good, "funnel": {**good["funnel"], "startDate": "2026-03-01", "endDate": "2026-02-01"}}
    assert widget.answer == {}
    assert [error["field"] for error in widget.errors] == ["end_date"]
    widget.questions = good
    assert widget.errors == []
    assert widget.answer["steps"]


def test_a_store_without_events_has_nothing_to_choose_and_says_so(empty):
    widget = ts.explore(empty, **FEBRUARY)
    assert widget.names == []
    assert widget.errors


def test_it_works_offline_and_writes_no_html():
    code = (PAGE / "explorer.js").read_text() + (PAGE / "explorer.css").read_text()
    assert not re.search(r"https?://|import\s|fetch\(|@import|innerHTML|insertAdjacent|document\.write|eval\(", code)


def test_without_anywidget_the_extra_is_named(store, monkeypatch):
    monkeypatch.delitem(sys.modules, "travelsense._widget.explorer", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=re.escape("pip install travelsense[widget]")):
        ts.explore(store)
