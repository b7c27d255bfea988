"""Numbers, lengths of time and dates as people read them."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def event(event: str | list[str] | None) -> str:
    if event is None:
        return "any event"
    return event if isinstance(event, str) else " | ".join(event)


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def points(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:+.1f} %"


def number(value: float) -> str:
    """Four figures of a number, and all of those before the point."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.4g}"  # noqa: PLR2004


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def length(seconds: float | None) -> str:
    """A length of time in its two largest units."""
    if seconds is None:
        return ""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:g} s"
    rest = round(seconds)
    parts = []
    for length, unit in _UNITS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def span(answer: dict[str, Any]) -> str:
    zone = answer["timezone"]
    start, end = civil(answer["startDate"], zone), civil(answer["endDate"], zone)
    if start is None or end is None:
        return f"{answer['startDate']} to before {answer['endDate']}"
    if end.time() == time():
        # People read a range of days with its last day in it.
        return f"{date(answer['startDate'], zone)} to {end.date() - timedelta(days=1)} ({zone})"
    return f"{date(answer['startDate'], zone)} to before {date(answer['endDate'], zone)} ({zone})"


def date(instant: str, zone: str) -> str:
    """The civil date of an instant in a zone, and the time where it is not midnight."""
    local = civil(instant, zone)
    if local is None:
        return instant
    return f"{local:%Y-%m-%d %H:%M}" if local.time() != time() else str(local.date())


def civil(instant: str, zone: str) -> datetime | None:
    """The civil time of an instant in a zone; nothing where Python does not know the zone."""
    try:
        return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return None


# Switches that are lengths of time, in seconds.
LENGTHS = {"window", "within", "grace", "sessionTimeout"}


def setting(name: str, value: object) -> str:
    """How a switch stands."""
    if name in LENGTHS and isinstance(value, int | float):
        return length(value) or "0 s"
    if isinstance(value, str):
        return value
    return "–" if value is None else json.dumps(value, ensure_ascii=False)


def property_(property_: str | dict[str, str]) -> str:
    """A property by its name, whether it is one of events, of users or a cohort."""
    if isinstance(property_, str):
        return "session" if property_ == "$session" else property_
    return property_.get("user") or property_.get("cohort", "")


def node(node: str | dict[str, str]) -> str:
    return node if isinstance(node, str) else f"({node['reserved']})"


def sampled(sample: dict[str, Any]) -> str:
    """What whoever reads numbers of a sample must know."""
    return f"Numbers are those of a sample: {100 * sample['rate']:g} % of all users."
