"""Answers as people see them, in a terminal and in a notebook."""

import re
from html.parser import HTMLParser

import pytest
import travelsense as ts
from conftest import FEBRUARY


class Rows(HTMLParser):
    """The cells of the tables in a page; it fails where tags do not match."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.open, self.styles = [], [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.styles.append(dict(attrs).get("style", ""))
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += text


@pytest.fixture
def funnel(store):
    return store.funnel(["search", "view", "book"], window="7d", **FEBRUARY)


@pytest.fixture
def retention(store):
    return store.retention("weekly", start="search", start_date="2026-02-02", end_date="2026-02-28")


def test_a_funnel_is_a_table_in_a_terminal(funnel):
    lines = repr(funnel).splitlines()
    assert lines[0] == "Funnel, 2026-02-01 to 2026-02-28 (UTC), within 7 d"
    assert lines[1].split() == ["step", "event", "users", "rate", "from", "previous", "dropped", "median", "time"]
    assert re.split(r"\s{2,}", lines[4]) == ["3", "book", "1", "33.3 %", "50.0 %", "23 h 50 min", "███████"]
    assert lines[5:] == []


def test_who_can_still_convert_is_said():
    with ts.open(":memory:", now="2026-02-21T00:00:00Z") as other:
        other.ingest([{"userId": "cy", "name": "search", "ts": "2026-02-20"}])
        shown = repr(other.funnel(["search", "book"], start_date="2026-02-01", end_date="2026-02-20"))
    assert shown.splitlines()[-1] == "1 have not converted but still can."


def test_a_funnel_is_a_table_in_a_notebook(funnel):
    page = Rows(funnel._repr_html_())
    assert [row[:4] for row in page.rows] == [
        ["step", "event", "users", "rate"],
        ["1", "search", "3", "100.0 %"],
        ["2", "view", "2", "66.7 %"],
        ["3", "book", "1", "33.3 %"],
    ]
    assert "1 of 3, 95 % interval" in funnel._repr_html_()


def test_a_breakdown_is_a_second_table(empty):
    empty.ingest(
        [
            {"userId": "a", "name": "s", "ts": "2026-02-01T10:00:00Z", "properties": {"country": "<FR>"}},
            {"userId": "a", "name": "b", "ts": "2026-02-01T11:00:00Z"},
            {"userId": "b", "name": "s", "ts": "2026-02-02T10:00:00Z", "properties": {"country": "DE"}},
        ]
    )
    funnel = empty.funnel(["s", "b"], breakdown=["country", {"user": "plan"}], **FEBRUARY)
    shown = repr(funnel).split("\n\n")
    assert shown[0] == repr(empty.funnel(["s", "b"], **FEBRUARY))
    lines = shown[1].splitlines()
    assert lines[0] == "Funnel by country and plan, 2026-02-01 to 2026-02-28 (UTC), within 14 d"
    assert re.split(r"\s{2,}", lines[1]) == ["country and plan", "1 s", "2 b", "rate", "median time"]
    rows = {re.split(r"\s{2,}", line)[0].partition(",")[0]: re.split(r"\s{2,}", line)[1:] for line in lines[2:]}
    assert sorted(row[:3] for row in rows.values()) == [["1", "0", "0.0 %"], ["1", "1", "100.0 %"]]
    assert any("<FR>" in row[0] for row in Rows(funnel._repr_html_()).rows)


def test_cohorts_are_a_heat_map_with_unfinished_cells_marked(retention):
    page = Rows(retention._repr_html_())
    assert page.rows[0][:4] == ["week of", "users", "week 0", "week 1"]
    assert page.rows[1][:4] == ["2026-02-02", "1", "100.0 %", "100.0 %"]
    assert page.rows[3][0] == "2026-02-16"
    assert page.rows[3][3] == "0*"
    assert page.rows[-1][0] == "all"
    assert "not over yet" in retention._repr_html_()
    assert "week of" in repr(retention)


@pytest.mark.parametrize("name", ["funnel", "retention"])
def test_colours_let_light_and_dark_pages_through(name, request):
    page = Rows(request.getfixturevalue(name)._repr_html_())
    for style in page.styles:
        assert not re.search(r"(^|;)\s*color:", style)
        for red, green, blue, alpha in re.findall(r"rgba\((\d+),(\d+),(\d+),([\d.]+)\)", style):
            assert float(alpha) < 1, (red, green, blue)
        assert "#" not in style


@pytest.mark.parametrize("name", ["funnel", "retention"])
def test_notebooks_get_both_forms(name, request):
    result = request.getfixturevalue(name)
    bundle = result._repr_mimebundle_(include=None, exclude=None)
    forms = {"text/plain": repr(result), "text/html": result._repr_html_(), "image/svg+xml": result.to_svg()}
    assert bundle == forms


def test_names_of_events_are_text_and_never_html(empty):
    name = '<script>alert("x")</script>'
    empty.ingest([{"userId": "a", "name": name, "ts": "2026-02-01"}])
    shown = empty.funnel([name], **FEBRUARY)._repr_html_()
    assert "<script" not in shown
    assert Rows(shown).rows[1][1] == name


def test_long_tables_are_cut_and_say_so(store):
    table = store.retention("daily", start_date="2025-06-01", end_date="2026-02-28")
    assert "more cohorts" in repr(table)
    assert len(repr(table).splitlines()) < 80
    assert len(table) > 10_000


def test_ranges_are_shown_as_civil_dates_of_their_zone(store):
    shown = store.funnel(["search"], timezone="America/New_York", **FEBRUARY)
    assert repr(shown).startswith("Funnel, 2026-02-01 to 2026-02-28 (America/New_York)")
    shown = store.funnel(["search"], start_date="2026-02-01T08:00:00Z", end_date="2026-02-02T09:30:00Z")
    assert repr(shown).startswith("Funnel, 2026-02-01 08:00 to before 2026-02-02 09:30 (UTC)")


def test_insights_are_sentences_over_their_funnel(store):
    kind = "conversion_funnel"
    shown = repr(store.user_insights(steps=["search", "book"], insight_type=kind, **FEBRUARY))
    assert shown.startswith("Conversion from `search` to `book`, 2026-02-01 to 2026-02-28 (UTC)")
    assert "Of 3 users who began with `search`" in shown


def test_drop_off_points_are_a_row_a_step(store):
    shown = repr(store.user_insights(steps=["search", "book"], insight_type="drop_off_points", **FEBRUARY))
    assert shown.startswith("Most users stop after `search`, 2026-02-01 to 2026-02-28 (UTC)")
    assert "nothing more" in shown


def test_engagement_and_adoption_are_tables_and_insights(store):
    engagement = store.engagement(period="weekly", **FEBRUARY)
    page = Rows(engagement._repr_html_())
    assert page.rows[0][:4] == ["week", "active users", "new", "returning"]
    assert len(page.rows) == 1 + len(engagement)
    assert "DAU/MAU" in repr(engagement)
    assert repr(store.engagement(metrics=["lifecycle"], **FEBRUARY)).startswith("Engagement by day")
    assert repr(store.engagement(metrics=["sessions"], **FEBRUARY)).count("sessions") == 1
    adoption = store.adoption(["search", "book"], **FEBRUARY)
    page = Rows(adoption._repr_html_())
    assert [row[0] for row in page.rows] == ["feature", "search", "book"]
    assert "used none of them" in repr(adoption)
    shown = repr(store.user_insights(**FEBRUARY))
    for words in ("How often users come", "Conversion from", "Which features users take up"):
        assert words in shown


def test_journeys_are_tables_and_insights(store):
    ways = store.journey(length=2, **FEBRUARY)
    page = Rows(ways._repr_html_())
    assert page.rows[0][:4] == ["way", "times", "users", "share"]
    assert page.rows[1][0] == "search → view"
    assert ways.columns[:3] == ["step", "source", "source_kind"]
    assert repr(store.journey(parts=["sankey"], **FEBRUARY)).startswith("Links, 2026-02-01")
    nodes = repr(store.journey(parts=["nodes"], **FEBRUARY)).splitlines()
    assert nodes[0] == "Nodes, 2026-02-01 to 2026-02-28 (UTC)"
    assert [line.split()[:5] for line in nodes[2:5]] == [
        ["search", "3", "3", "3", "1"],
        ["view", "2", "2", "0", "1"],
        ["book", "1", "1", "0", "1"],
    ]
    ways = repr(store.journey(parts=["transitions"], limit=1, **FEBRUARY)).splitlines()
    assert ways[2].split()[:6] == ["(start)", "search", "3", "3", "100.0", "%"]
    assert ways[-1] == "5 more transitions."
    shown = repr(store.user_insights(insight_type="user_journeys", **FEBRUARY))
    assert shown.startswith("Ways that users take, 2026-02-01 to 2026-02-28 (UTC)")
    assert "Most sessions begin with `search`" in shown


def test_realtime_is_a_row_a_metric(empty):
    empty.ingest([{"userId": "a", "name": "search", "ts": "2026-02-28T23:59:00Z"}])
    result = empty.realtime(time_range="last_5_minutes")
    page = Rows(result._repr_html_())
    assert page.rows[0] == ["metric", "unit", "value", "before", "change"]
    assert page.rows[1][:3] == ["active users", "users", "1"]
    assert len(page.rows) == 7
    assert next(row["metric_name"] for row in result) == "active_users"


def test_a_store_shows_how_it_was_opened(empty):
    assert repr(empty) == "travelsense.open(':memory:')"


def test_why_two_funnels_differ_stands_between_what_each_counts(store):
    question = {"steps": ["search", "view"], "startDate": "2026-02-01", "endDate": "2026-02-28", "window": "30d"}
    shown = store.explain_difference(question, {**question, "window": "1h"})
    rows = [row[:6] for row in Rows(shown._repr_html_()).rows]
    assert rows == [
        ["switch", "a", "b", "users with b's alone", "gone", "come"],
        ["none", "", "", "2", "", ""],
        ["window", "30 d", "1 h", "1", "-1", ""],
        ["all", "", "", "1", "-1", ""],
    ]
    assert "No switch makes a difference." in repr(store.explain_difference(question, question))
