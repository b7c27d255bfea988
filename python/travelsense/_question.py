"""A question on its way to the core, as JSON; what is wrong with it is the core's to say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from math import isfinite
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from travelsense._errors import FieldError, ValidationError
from travelsense._names import argument, camel

Date: TypeAlias = str | date | datetime
"""A date, or an instant; one without an offset is a civil time in the question's `timezone`."""

Length: TypeAlias = str | float | timedelta
"""Elapsed time: `"7d"`, seconds, or a `timedelta`."""

Event: TypeAlias = str | Sequence[str] | Mapping[str, Any] | None
"""The name of an event, several names for any of them, or `None` for any event.

A mapping with `event` (one of these) and `where`, a list of `Filter`s, says what the event's properties are too.
"""

Segment: TypeAlias = Literal["all", "new", "returning", "active", "inactive", "premium", "free"]
Period: TypeAlias = Literal["daily", "weekly", "monthly"]
EngagementMetric: TypeAlias = Literal["active_users", "stickiness", "lifecycle", "sessions", "heat_map"]
Feature: TypeAlias = str | Mapping[str, Any]
"""The name of a feature and of the events that are its uses, or its `name`, `event`, `where` and `released`."""
CohortPeriod: TypeAlias = Literal["hourly", "daily", "weekly", "monthly"]
Mode: TypeAlias = Literal["first_time", "first_ever_then_filter", "recurring"]
ClockUnit: TypeAlias = Literal["calendar", "24h", "7d", "30d", "month_anniversary"]
ClockStart: TypeAlias = Literal["event", "hour", "day"]
Criterion: TypeAlias = Literal["on", "on_or_after", "on_or_before", "streak", "brackets"]
Maturity: TypeAlias = Literal["elapsed", "ignored"]
Pooling: TypeAlias = Literal["all", "common_cohorts"]
Preset: TypeAlias = Literal["exact", "posthog", "mixpanel", "amplitude", "clickhouse"]
CohortMetric: TypeAlias = Literal[
    "retention_rate", "revenue", "engagement", "feature_usage", "property_sum", "property_average"
]
Property: TypeAlias = str | Mapping[str, Any]
"""A property of events by its name, of users as `{"user": "plan"}`, or being in a cohort as `{"cohort": name}`.

Those of users and cohorts may say when it counts: `"at": "at_event"`, `"at_entry"` or `"as_of"`.
"""

Operator: TypeAlias = Literal[
    "is",
    "is_not",
    "contains",
    "not_contains",
    "matches",
    "not_matches",
    "exists",
    "not_exists",
    "lt",
    "lte",
    "gt",
    "gte",
]


class Filter(TypedDict):
    """A condition on one property. Each `not_…` is met wherever its counterpart is not, hence also where it is missing.

    Attributes:
        property: the name of a property of events, `{"user": name}` or `{"cohort": name}`.
        op: `is` by default. `is`, `contains` and `matches` (a regular expression) may be given several values and are
            met by any of them; `lt` to `gte` compare numbers with numbers and texts with texts; `exists` has no value.
        value: what it is compared with.
        ignoreCase: whether upper and lower case are the same; they are not by default.
        cast: reads both sides as `number` or as `text`; without it 10 and `"10"` differ.

    Example:
        >>> import travelsense as ts
        >>> french: ts.Filter = {"property": "country", "op": "is", "value": ["FR", "BE"]}
        >>> dear: ts.Filter = {"property": "price", "op": "gte", "value": 100}
        >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
        ...     properties = {"country": "FR", "price": 99}
        ...     report = a.ingest([{"userId": "ada", "name": "view", "ts": "2026-02-01", "properties": properties}])
        ...     february: ts.Range = {"start_date": "2026-02-01", "end_date": "2026-02-28"}
        ...     of_france = a.funnel(["view"], filters=[french], **february)
        ...     dear_ones = a.funnel([{"event": "view", "where": [french, dear]}], **february)
        >>> of_france.to_dict()["entered"], dear_ones.to_dict()["entered"]
        (1, 0)
    """

    property: Property
    op: NotRequired[Operator]
    value: NotRequired[Any]
    ignoreCase: NotRequired[bool]
    cast: NotRequired[Literal["number", "text"] | None]


Weekday: TypeAlias = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
JourneyPart: TypeAlias = Literal["nodes", "sequences", "transitions", "sankey", "matrix", "loops"]
Prediction: TypeAlias = Literal["user_growth", "revenue", "demand_forecast", "churn_rate", "feature_adoption"]
InsightType: TypeAlias = Literal[
    "engagement_patterns", "conversion_funnel", "drop_off_points", "feature_adoption", "user_journeys"
]
TimeRange: TypeAlias = Literal["last_5_minutes", "last_15_minutes", "last_hour"]
Metric: TypeAlias = Literal[
    "active_users", "page_views", "events_per_second", "conversion_rate", "error_rate", "revenue_per_minute"
]
ExportType: TypeAlias = Literal["dashboard", "report", "dataset"]
Bucket: TypeAlias = Literal["minute", "five_minutes", "quarter_hour", "hour"]
Outcome: TypeAlias = Literal["allowed", "refused", "failed"]
Format: TypeAlias = Literal["csv", "json", "xlsx", "pdf"]
Status: TypeAlias = Literal["pending", "processing", "completed", "failed"]
ExportMetric: TypeAlias = Metric | Literal["retention_rate"]


Order: TypeAlias = Literal["ordered", "strict", "any"]
Unit: TypeAlias = Literal["users", "sessions", "totals"]


class Range(TypedDict):
    """The range of a question, to be kept and given to several: `store.funnel(steps, **january)`.

    Example:
        >>> import travelsense as ts
        >>> january: ts.Range = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
        >>> with ts.open(":memory:") as a:
        ...     len(a.engagement(**january))
        31
    """

    start_date: Date
    end_date: Date
    timezone: NotRequired[str | None]


class FunnelOptions(TypedDict, total=False):
    """The options of a funnel beside its steps and its range; `Analytics.funnel` says what each means."""

    window: Length | None
    timezone: str | None
    segment: Segment | Mapping[str, str] | None
    filters: Sequence[Filter] | None
    order: Order | None
    strict_increase: bool | None
    anchor_first: bool | None
    universe: Literal["all"] | Mapping[str, Sequence[str]] | None
    window_calendar_days: int | None
    range: Literal["entry", "all_steps"] | None
    grace: Length | None
    exclusions: Sequence[Event] | None
    exclusion_mode: Literal["kill_chain", "remove_user"] | None
    hold_constant: Property | Sequence[Property] | None
    unit: Unit | None
    totals: Literal["attempts", "every_entry"] | None
    session_timeout: Length | None
    entry: Literal["earliest", "latest"] | None
    entries: Literal["every", "first"] | None
    preset: Preset | None
    as_of: str | datetime | None


class FunnelDetails(FunnelOptions, total=False):
    """The same with what a funnel can tell beside its steps."""

    breakdown: Property | Sequence[Property] | None
    trend: Period | None
    week_start: Weekday | None
    time_between: tuple[int, int] | None
    timed: Literal["converters", "reached"] | None
    histogram_bins: int | None
    revenue: bool | None
    sample: float | Mapping[str, Any] | None


def question(**given: object) -> str:
    """The JSON of a question; an argument that is `None` is not part of it."""
    return to_json({camel(name): value for name, value in given.items() if value is not None})


def named(question: Mapping[str, Any]) -> dict[str, Any]:
    """A question with its fields named as in JSON, whether they came so or as Python's arguments."""
    return {camel(name) if argument(name) else name: value for name, value in question.items()}


def to_json(value: object, field: str = "") -> str:
    """The JSON of what users write: dates, lengths and the numbers of other libraries included.

    Raises:
        ValidationError: for numbers that JSON does not have, text that UTF-8 does not, and what is nested very deep or
            holds itself; `field` is what the value is called.
    """
    try:
        text = _ENCODER.encode(value)
        if not text.isascii():
            text.encode()
    except (ValueError, RecursionError):
        found = islice(_unwritable(value, field), _LISTED)
        errors = list({(error["field"], error["code"]): error for error in found}.values())
        if not errors:
            raise
        said = "; ".join(f"{error['field']}: {error['message']}" for error in errors)
        raise ValidationError(said, code="validation_failed", errors=errors) from None
    return text


def each_to_json(values: Any, field: str) -> tuple[str, dict[int, list[FieldError]]]:
    """The JSON of a list; what cannot be written is `null` there, and what is wrong with it stands by its place."""
    try:
        return to_json(values, field), {}
    except ValidationError:
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise
    texts = []
    faults: dict[int, list[FieldError]] = {}
    for i, value in enumerate(values):
        try:
            texts.append(to_json(value))
        except ValidationError as refused:
            texts.append("null")
            faults[i] = [
                FieldError(field=error["field"] or "event", code=error["code"], message=error["message"])
                for error in refused.errors
            ]
    return f"[{','.join(texts)}]", faults


def missing(value: Any) -> bool:
    """Whether it stands for nothing: `None`, NaN and NaT, which are not themselves, and the NA of pandas."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value)  # noqa: PLR0124 - as it says


# So many faults of a value are named, and it is followed to such a depth, the deepest that properties may have.
_LISTED = 100
_DEEP = 100


def _unwritable(value: Any, path: str, depth: int = 0) -> Iterator[FieldError]:
    """Where numbers are that JSON does not have, text that UTF-8 does not, and what goes on very deep or for ever."""
    plain = value if isinstance(value, Mapping | list | tuple | str | int | float | None) else _plain(value)
    if depth > _DEEP and isinstance(plain, Mapping | list | tuple):
        shown = path if len(path) <= _DEEP else f"{path[:_DEEP]}…"
        yield {"field": shown, "code": "too_deep", "message": f"is nested more than {_DEEP} deep, or holds itself"}
    elif isinstance(plain, Mapping):
        for name, inner in plain.items():
            shown = str(name)
            if _is_cut(shown):
                shown = shown.encode(errors="replace").decode()
                where = f"{path}.{shown}" if path else shown
                yield {"field": where, "code": "invalid_text", "message": "has half a character in its name"}
            yield from _unwritable(inner, f"{path}.{shown}" if path else shown, depth + 1)
    elif isinstance(plain, list | tuple):
        for i, inner in enumerate(plain):
            yield from _unwritable(inner, f"{path}[{i}]", depth + 1)
    elif isinstance(plain, str):
        if _is_cut(plain):
            yield {"field": path, "code": "invalid_text", "message": "holds half a character, which is no Unicode"}
    elif isinstance(plain, float) and not isfinite(plain):
        yield {"field": path, "code": "not_finite", "message": "must be a finite number, or None"}


def _is_cut(text: str) -> bool:
    """Whether it holds half a character."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        seconds, rest = divmod(value, timedelta(seconds=1))
        return seconds if not rest else value / timedelta(seconds=1)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    # The numbers of numpy and the libraries built on it.
    if hasattr(value, "item"):
        return value.item()
    # Decimals and fractions, and a UUID.
    if hasattr(value, "__float__") or hasattr(value, "urn"):
        return float(value) if hasattr(value, "__float__") else str(value)
    raise TypeError(f"{type(value).__name__} is not something JSON can hold: {value!r}")


# Made once: a new one for each question would take longer than writing it.
_ENCODER = json.JSONEncoder(default=_plain, allow_nan=False, ensure_ascii=False)
