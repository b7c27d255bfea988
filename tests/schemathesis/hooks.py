"""What JSON Schema cannot say of valid requests, so that the checks hold them to be valid with good reason.

Only valid requests are touched, after they are generated: ranges begin before they end and lie in the past, as the schema's
descriptions say, and dashboards that are exported exist. Everything that is generated to be wrong stays as it is.
"""

import os
from datetime import UTC, datetime, timedelta

import schemathesis
from hypothesis import strategies

DASHBOARD = os.environ["TRAVELSENSE_TEST_DASHBOARD"]
NOW = datetime.now(UTC)

schemathesis.openapi.format(
    "iana-time-zone",
    strategies.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)

# Regular expressions that are so in every language.
schemathesis.openapi.format("regex", strategies.sampled_from(["", "a", "^a.c$", "[0-9]+", "(x|y)*"]))


def past(text, days):
    """The same kind of date as `text`, so many days ago."""
    at = NOW - timedelta(days=days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ" if "T" in text.upper() else "%Y-%m-%d")


def mend(fields):
    """Brings the dates of one object into order."""
    # Ranges of a few days: a table by the hour has as many cells as the hours of its range times those until now.
    before = {"startDate": 7, "from": 7, "endDate": 3, "to": 3, "issuedBefore": 3_650, "asOf": 3}
    for name, days in before.items():
        if isinstance(fields.get(name), str):
            # How long ago depends on what was generated, so that ranges differ.
            fields[name] = past(fields[name], days - sum(map(ord, fields[name])) % 3)
    if isinstance(fields.get("until"), str):
        fields["until"] = (NOW + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if fields.get("predictionType", "feature_adoption") != "feature_adoption":
        fields.pop("feature", None)
    if isinstance(fields.get("below"), float | int) and isinstance(fields.get("above"), float | int):
        fields["above"] = fields["below"] + max(1, abs(fields["below"]))
    for bound in ("below", "above"):
        # Whatever recovers lies on the other side of its bound.
        if isinstance(fields.get("recover"), float | int) and isinstance(fields.get(bound), float | int):
            fields["recover"] = fields[bound]
    if isinstance(fields.get("filters"), str):
        # It is JSON.
        fields["filters"] = "[]"
    if isinstance(fields.get("atMost"), int):
        fields["atMost"] = max(fields["atMost"], fields.get("atLeast") or 1)


def within(value):
    """All objects of a body."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict):
        yield value
    for item in inner:
        yield from within(item)


# What a rule may look at, by what is looked for in it; which of them a rule has, only the server knows.
SOURCES = {"band": {"word": "retention", "question": {}, "value": "/value", "low": "/low"}}


def unlike(items, key):
    """The items whose key none before has."""
    first = {item[key]: item for item in reversed(items)}
    return [item for item in items if first[item[key]] is item]


@schemathesis.hook
def before_call(context, case, kwargs):
    """Mends a valid request."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.headers and "If-Match" in case.headers:
        case.headers["If-Match"] = "*"
    if case.query:
        mend(case.query)
        if case.operation.path.endswith("/data"):
            case.query = {"startDate": past("", 7), "endDate": past("", 3), **case.query}
    body = case.body
    if not isinstance(body, dict):
        return
    for fields in within(body):
        mend(fields)
    if case.operation.label == "PUT /api/analytics-dashboard/alerts/{id}":
        condition = body.get("condition") or {"type": "no_data"}
        if body.get("source") or body.get("condition"):
            body["condition"] = condition
            body["source"] = SOURCES.get(condition["type"], {"metric": "active_users"})
    if isinstance(body.get("dashboardId"), str):
        body["dashboardId"] = DASHBOARD
    if "exportType" in body and (body["exportType"] != "dashboard" or not body.get("dashboardId")):
        body.pop("filters", None)
        body.pop("ownRanges", None)
    if isinstance(body.get("users"), list) and case.operation.path.endswith("/sharing"):
        body["users"] = unlike(body["users"], "id")
    if isinstance(body.get("roles"), list):
        body["roles"] = unlike(body["roles"], "role")
