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


def test_the_record_is_checked_against_anchors_that_were_kept(empty):
    empty.create_dashboard("Mine", [WIDGET])
    anchor = empty.audit_anchor()
    empty.create_dashboard("Yours", [WIDGET])
    assert empty.verify_audit(anchors=[anchor])["anchors"] == 1
    assert empty.verify_audit(anchors=[{**anchor, "hash": "0" * 64}])["broken"]["seq"] == anchor["seq"]
    with pytest.raises(ts.ValidationError) as refused:
        empty.verify_audit(anchors=[{"seq": -1}])
    assert {e["field"] for e in refused.value.errors} == {"anchors[0].seq", "anchors[0].hash", "anchors[0].at"}
    only_admins = {"manage_catalogue", "erase_people", "read_audit", "manage_access"}
    assert set(empty.permissions()) - set(empty.acting("ana", "analyst").permissions()) == only_admins


def test_what_is_sent_again_with_its_key_is_made_once(store):
    made = [store.create_dashboard("Mine", [WIDGET], idempotency_key="k")["_id"] for _ in range(2)]
    assert made[0] == made[1]
    assert store.dashboards()["total"] == 1
    range_ = {"start_date": "2026-02-01", "end_date": "2026-02-28"}
    jobs = [store.export("report", "csv", idempotency_key="k", **range_)["_id"] for _ in range(2)]
    assert jobs[0] == jobs[1]
    with pytest.raises(ts.Conflict) as reused:
        store.export("report", "json", idempotency_key="k", **range_)
    assert reused.value.code == "idempotency_key_reused"
    batch = [{"userId": "dee", "name": "search", "ts": "2026-02-20"}]
    reports = [store.ingest(batch, source="app", idempotency_key="k") for _ in range(2)]
    assert reports[0] == reports[1]
    assert store.ingest_status()["sources"]["app"]["accepted"] == 1


def test_who_may_only_look_is_refused_what_costs_much(people):
    with pytest.raises(ts.Forbidden):
        people["viewer"].rebuild()
    people["analyst"].rebuild()
