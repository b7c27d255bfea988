"""Dashboards, their rules and the record, through the Python door."""

import pytest
import travelsense as ts

WIDGET = {
    "type": "metric",
    "title": "Users",
    "dataSource": "user_events",
    "visualization": "number",
    "config": {"x": 1},
}


@pytest.fixture
def people(empty):
    """Somebody of every role, by name."""
    return {name: empty.acting(name, name.rstrip("2")) for name in ("admin", "admin2", "analyst", "viewer", "nobody")}


def test_a_dashboard_is_made_found_changed_and_removed(empty):
    made = empty.create_dashboard("Mine", [WIDGET], description="50% off")
    assert len(made["_id"]) == 24
    assert (made["ownerId"], made["isPublic"], made["revision"]) == ("owner", False, 1)
    assert made["widgets"] == [WIDGET]
    assert empty.dashboard(made["_id"]) == made
    assert empty.dashboards(search="0% O")["total"] == 1
    assert empty.dashboards(search="5_")["total"] == 0
    changed = empty.update_dashboard(made["_id"], {"name": "Other"}, revision=1)
    assert (changed["name"], changed["description"], changed["revision"]) == ("Other", "50% off", 2)
    with pytest.raises(ts.Conflict):
        empty.update_dashboard(made["_id"], {"name": "Late"}, revision=1)
    empty.delete_dashboard(made["_id"])
    with pytest.raises(ts.NotFound):
        empty.dashboard(made["_id"])


def test_everything_wrong_is_said_at_once(empty):
    with pytest.raises(ts.ValidationError) as raised:
        empty.create_dashboard("", [{**WIDGET, "visualization": "map"}, {**WIDGET, "type": "pie"}])
    assert [(e["field"], e["code"]) for e in raised.value.errors] == [
        ("name", "invalid_length"),
        ("widgets[0].visualization", "not_appropriate"),
        ("widgets[1].type", "not_in_list"),
    ]


def test_rights_are_those_of_the_one_who_acts(people):
    private = people["analyst"].create_dashboard("Private", [WIDGET])["_id"]
    public = people["admin"].create_dashboard("Public", [WIDGET], is_public=True)["_id"]
    with pytest.raises(ts.Forbidden):
        people["viewer"].create_dashboard("No", [WIDGET])
    with pytest.raises(ts.Forbidden):
        people["admin"].dashboard(private)
    with pytest.raises(ts.Forbidden):
        people["viewer"].dashboard(public)
    assert people["admin2"].dashboard(public)["name"] == "Public"
    with pytest.raises(ts.Forbidden):
        people["admin2"].update_dashboard(public, {"name": "x"})
    with pytest.raises(ts.Forbidden):
        people["nobody"].dashboards()
    sharing = {"users": [{"id": "viewer", "access": "view"}], "roles": []}
    assert people["analyst"].share_dashboard(private, sharing) == sharing
    assert people["viewer"].dashboard(private)["name"] == "Private"
    assert [d["name"] for d in people["viewer"].dashboards()["dashboards"]] == ["Private"]


def test_templates_make_dashboards_that_are_answered(store):
    for template in store.dashboard_templates():
        made = store.create_dashboard_from(template["key"])
        for widget in store.dashboard_data(made["_id"], start_date="2026-02-01", end_date="2026-02-28"):
            assert "error" not in widget
            assert widget["data"]["kind"] in {"figure", "series", "rows", "funnel", "realtime"}


def test_the_record_holds_it_all(empty, people):
    made = people["analyst"].create_dashboard("Mine", [WIDGET])
    with pytest.raises(ts.Forbidden):
        people["admin"].dashboard(made["_id"])
    entries = empty.audit(action="dashboard")["entries"]
    assert [(e["who"], e["action"], e["outcome"]) for e in entries] == [
        ("admin", "dashboard.read", "refused"),
        ("analyst", "dashboard.create", "allowed"),
    ]
    assert empty.verify_audit()["broken"] is None
    with pytest.raises(ts.Forbidden):
        people["analyst"].audit()
