"""Answers as charts and as files."""

import csv
import json

import pytest
import travelsense as ts
from conftest import FEBRUARY


def test_notebooks_see_funnels_and_retention_as_charts(store):
    funnel = store.funnel(["search", "view", "book"], window="7d", **FEBRUARY)
    shown = funnel._repr_mimebundle_()
    assert list(shown) == ["text/plain", "text/html", "image/svg+xml"]
    assert shown["image/svg+xml"] == funnel.to_svg()
    assert "<title>From search to book</title>" in funnel.to_svg()
    assert "prefers-color-scheme:dark" in funnel.to_svg()
    assert store.retention("weekly", **FEBRUARY).to_svg().startswith("<svg ")
    assert store.realtime(metrics=["active_users"]).to_svg().startswith("<svg ")
    assert store.realtime()._repr_html_().count("<svg ") == 6


@pytest.mark.parametrize("kind", ["csv", "json", "xlsx", "pdf"])
def test_a_report_becomes_a_file(store, tmp_path, kind):
    job = store.export("report", kind, **FEBRUARY)
    assert job["status"] == "completed"
    path = tmp_path / f"report.{kind}"
    assert store.save_export(job["_id"], path) == job["fileSize"] == path.stat().st_size


def test_events_come_in_the_order_of_time(store, tmp_path):
    job = store.export("dataset", "csv", **FEBRUARY)
    store.save_export(job["_id"], tmp_path / "events.csv")
    with (tmp_path / "events.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["event"] for row in rows] == ["search", "view", "book", "search", "view", "search"]
    assert job["rows"] == len(rows)


def test_an_export_may_hold_some_metrics_of_a_zone(store, tmp_path):
    job = store.export("report", "json", metrics=["active_users"], timezone="Europe/Paris", **FEBRUARY)
    store.save_export(job["_id"], tmp_path / "a.json")
    report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [section["name"] for section in report["sections"]] == ["figures"]
    assert report["timezone"] == "Europe/Paris"


def test_exports_are_listed_and_one_that_is_over_cannot_be_cancelled(store):
    job = store.export("report", "csv", **FEBRUARY)
    assert store.exports(status="completed")["exports"] == [job]
    assert store.export_job(job["_id"]) == job
    with pytest.raises(ts.Conflict):
        store.cancel_export(job["_id"])
    with pytest.raises(ts.NotFound):
        store.export_job("507f1f77bcf86cd799439011")


def test_an_export_is_its_creators_and_of_those_who_manage_access(store, tmp_path):
    ana, bob, boss = store.acting("ana", "analyst"), store.acting("bob", "analyst"), store.acting("boss", "admin")
    job = ana.export("report", "csv", **FEBRUARY)
    for other in (bob, store.acting("nobody", "nobody")):
        for ask in (other.export_job, other.cancel_export, lambda key, o=other: o.save_export(key, tmp_path / "x.csv")):
            with pytest.raises(ts.Forbidden):
                ask(job["_id"])
    assert bob.exports()["exports"] == []
    assert boss.save_export(job["_id"], tmp_path / "a.csv") == job["fileSize"]
    widget = {"type": "metric", "title": "Users", "dataSource": "user_events", "visualization": "number"}
    private = ana.create_dashboard("Private", [{**widget, "config": {}}])["_id"]
    with pytest.raises(ts.Forbidden):
        bob.export("dashboard", "csv", dashboard_id=private, **FEBRUARY)
    with pytest.raises(ts.ValidationError) as caught:
        bob.export("dashboard", "csv", dashboard_id="507f1f77bcf86cd799439011", **FEBRUARY)
    assert [(e["field"], e["code"]) for e in caught.value.errors] == [("dashboard_id", "not_found")]


def test_a_disc_is_of_the_whole_range_and_filters_compare_what_values_are(store, tmp_path):
    pie = {"type": "chart", "title": "Kinds", "dataSource": "user_events", "visualization": "pie"}
    made = store.create_dashboard("Round", [{**pie, "config": {"groupBy": "name", "mine": 1}}])
    data = store.dashboard_data(made["_id"], **FEBRUARY)[0]["data"]
    assert len(data["buckets"]) == 1
    asked = {line["group"]: line["values"] for line in data["series"]}
    job = store.export("dashboard", "json", dashboard_id=made["_id"], **FEBRUARY)
    store.save_export(job["_id"], tmp_path / "a.json")
    (row,) = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["sections"][0]["rows"]
    assert {name: [row[name]] for name in asked} == asked
    for kind in ("pdf", "xlsx"):
        assert store.export("dashboard", kind, dashboard_id=made["_id"], **FEBRUARY)["status"] == "completed"


def test_everything_wrong_with_a_request_is_told_under_pythons_names(store):
    with pytest.raises(ts.ValidationError) as caught:
        store.export("all", "xls", start_date="2026-02-01", end_date="2030-01-01", metrics=["speed"])
    found = {(error["field"], error["code"]) for error in caught.value.errors}
    assert found == {
        ("export_type", "not_in_list"),
        ("format", "not_in_list"),
        ("end_date", "in_future"),
        ("metrics[0]", "not_in_list"),
    }
