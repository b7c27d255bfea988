"""Alerts and notifications: the core's rules, met from Python."""

import json
from datetime import datetime, timedelta

import pytest
import travelsense as ts
from conftest import NOW, ROOT

FORETOLD = json.loads((ROOT / "tests/data/alerts/foretold.json").read_text())

RULE = {
    "name": "Quiet",
    "source": {"system": "freshness"},
    "condition": {"type": "threshold", "above": 60},
    "channels": [{"type": "in_app", "roles": ["admin"]}, {"type": "webhook", "url": "https://example.com/hook"}],
}


def test_a_rule_is_made_evaluated_once_and_told_once(store):
    made = store.create_alert(RULE)
    assert made["revision"] == 1
    done = store.evaluate_alerts()
    assert (done["evaluated"], done["opened"], done["messages"]) == (1, 1, 2)
    assert store.evaluate_alerts()["opened"] == 0
    assert store.alert(made["_id"])["phase"] == "firing"
    assert [e["event"] for e in store.alert_history(made["_id"])].count("notified") == 1
    listed = store.notifications(unread=True)
    assert listed["unread"] == 1
    store.read_notification(listed["notifications"][0]["_id"])
    assert store.notifications(unread=True)["total"] == 0
    deliveries = store.deliveries(state="waiting")["deliveries"]
    assert [d["channel"]["url"] for d in deliveries] == ["https://example.com/hook"]
    with pytest.raises(ts.Conflict):
        store.retry_delivery(deliveries[0]["_id"])


def test_a_rule_is_changed_silenced_tested_listed_and_removed(store):
    rule = store.create_alert(RULE)["_id"]
    assert store.update_alert(rule, {"severity": "critical"}, revision=1)["severity"] == "critical"
    with pytest.raises(ts.Conflict):
        store.update_alert(rule, {"severity": "info"}, revision=1)
    assert store.silence_alert(rule, {"for": "1h", "reason": "planned"})["silencedUntil"]
    assert store.silence_alert(rule, {"until": None})["silencedUntil"] is None
    assert store.test_alert(rule)["verdict"] == "breach"
    assert store.alerts(search="qui")["total"] == 1
    store.delete_alert(rule)
    with pytest.raises(ts.NotFound):
        store.alert(rule)


def test_who_may_not_is_refused_and_all_faults_are_told(store):
    with pytest.raises(ts.Forbidden):
        store.acting("vic", "viewer").create_alert(RULE)
    with pytest.raises(ts.ValidationError) as caught:
        store.create_alert({"name": ""})
    assert [e["field"] for e in caught.value.errors] == ["name", "source", "condition"]


def test_notifications_are_delivered_by_the_program_and_told_how_that_went(store):
    places = [
        {"type": "email", "to": ["ana@example.com"]},
        {"type": "webhook", "url": "https://example.com/a"},
        {"type": "slack", "url": "https://example.com/b"},
    ]
    rule = store.create_alert({**RULE, "channels": places})["_id"]
    store.evaluate_alerts()
    titles = []

    def send(due):
        titles.append(due["title"])
        assert due["attempts"] == 0
        if due["channel"]["type"] == "webhook":
            raise OSError("502")
        return "no such channel" if due["channel"]["type"] == "slack" else None

    assert store.deliver_notifications(send, limit=2) is not None
    store.deliver_notifications(send)
    assert len(titles) == 3
    states = sorted((d["channel"]["type"], d["state"], d.get("error")) for d in store.deliveries()["deliveries"])
    assert states == [("email", "sent", None), ("slack", "dead", "no such channel"), ("webhook", "waiting", "502")]
    news = store.alert_news(since="2026-02-28T00:00:00Z")
    assert {told["alert"] for told in news} == {rule}
    assert [told["event"] for told in news] == ["firing", "notified"]
    with pytest.raises(ts.Forbidden):
        store.acting("vic", "viewer").deliver_notifications(send)


@pytest.mark.parametrize("case", FORETOLD, ids=lambda case: case["rule"]["name"])
def test_what_came_is_held_against_what_was_foretold_and_against_what_was_before(empty, case):
    days = {back: 30 if back == 1 else 3 + back % 4 for back in range(1, 41)}
    at = {back: (datetime.fromisoformat(NOW) - timedelta(days=back)).isoformat() for back in days}
    users = [(back, n) for back, count in days.items() for n in range(count)]
    empty.ingest([{"userId": f"u{back}-{n}", "name": "complete_booking", "ts": at[back]} for back, n in users])
    tested = empty.test_alert(empty.create_alert(case["rule"])["_id"])
    assert (tested["verdict"], tested["reading"]["value"]) == ("breach", 30)
    assert tested["reading"].get("before") == case["before"]
    assert ("high" in tested["reading"]) == (case["before"] is None)


def test_the_age_of_one_source_is_a_rule_of_its_own(store):
    def verdict(**source):
        return store.test_alert(store.create_alert({**RULE, "source": source})["_id"])["verdict"]

    store.ingest([{"userId": "ada", "name": "search", "ts": NOW}], source="app")
    assert verdict(system="freshness", source="app") == "clear"
    assert verdict(system="freshness", source="embedded") == "breach"
    with pytest.raises(ts.ValidationError) as caught:
        verdict(system="export_failures", source="app")
    assert [(e["field"], e["code"]) for e in caught.value.errors] == [("source.source", "unsupported")]
