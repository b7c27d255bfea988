"""Engagement, adoption, bookings by service and the figures of the moment, as tables."""

from __future__ import annotations

from typing import Any

from travelsense._display.table import MOST_ROWS, Cell, Table, rate
from travelsense._display.text import date, length, number, percent, span


def engagement(answer: dict[str, Any]) -> Table:
    unit = {"daily": "day", "weekly": "week", "monthly": "month"}[answer["period"]]
    series: list[dict[str, Any]] = answer.get("activeUsers", {}).get(answer["period"], [])
    lifecycle: list[dict[str, Any]] = answer.get("lifecycle", [])
    periods = series or lifecycle
    states = ["new", "returning", "resurrected", "dormant"] if lifecycle else []
    most = max((row.get("users", row.get("active", 0)) for row in periods), default=0)
    rows = []
    for i, row in enumerate(periods[:MOST_ROWS]):
        users = row["users"] if series else row["active"]
        mark = ("†" if row["partial"] else "") + ("" if row["complete"] else "*")
        rows.append(
            [
                Cell(date(row["start"], answer["timezone"]) + mark, unfinished=not row["complete"]),
                Cell(f"{users:,}"),
                *(Cell(f"{lifecycle[i][state]:,}") for state in states),
                Cell("", bar=users / most if most else 0.0),
            ]
        )
    notes = []
    if ratio := answer.get("stickiness", {}).get("dauOverMau"):
        share = "–" if ratio["value"] is None else percent(ratio["value"])
        notes.append(f"DAU/MAU {share}: {ratio['meanDailyUsers']:,.1f} of {ratio['users']:,} users a day.")
    if sessions := answer.get("sessions"):
        median = length(sessions["seconds"]["median"])
        bounced = sessions["bounces"]["value"]
        notes.append(
            f"{sessions['count']:,} sessions"
            + (f", {median} at the median, {percent(bounced)} of one event." if bounced is not None else ".")
        )
    if any(not row["complete"] for row in periods):
        notes.append("* not over yet")
    if any(row["partial"] for row in periods):
        notes.append(f"† the range cuts this {unit}")
    if (more := len(periods) - MOST_ROWS) > 0:
        notes.append(f"{more} more {unit}s are in the answer.")
    return Table(
        f"Engagement by {unit}, {span(answer)}",
        [unit, "active users", *states, ""],
        rows,
        notes=notes,
    )


def adoption(answer: dict[str, Any]) -> Table:
    rows = [
        [
            Cell(feature["feature"]),
            Cell(f"{feature['exposed']:,}"),
            Cell(f"{feature['adopters']:,}"),
            rate(feature["rate"]),
            Cell(length(feature["kaplanMeierMedian"]) or "–"),
            Cell(f"{feature['users']:,}"),
            Cell(f"{feature['uses']:,}"),
            Cell("", bar=feature["rate"]["value"] or 0.0),
        ]
        for feature in answer["features"]
    ]
    unused, active = answer["breadth"]["unused"], answer["activeUsers"]
    return Table(
        f"Adoption, {span(answer)}, within {length(answer['within'])}",
        ["feature", "exposed", "adopters", "rate", "median time", "users", "uses", ""],
        rows,
        notes=[f"{unused:,} of {active:,} active users used none of them."],
    )


def pickup(answer: dict[str, Any]) -> Table:
    """The bookings by the period of their service, and the books so many days before."""
    zone = answer["timezone"]
    before = [books["daysBefore"] for books in answer["total"]["pickup"]]
    most = max((books["count"] for period in answer["periods"] for books in period["pickup"]), default=0)
    rows = [
        _booked(date(period["start"], zone) + ("†" if period["partial"] else ""), period, most)
        for period in answer["periods"][:MOST_ROWS]
    ]
    rows.append(_booked("all", answer["total"], 0))
    notes = []
    if any(not books["complete"] for books in answer["total"]["pickup"]):
        notes.append("* that time has not come for all services yet")
    if any(period["partial"] for period in answer["periods"]):
        notes.append("† the range cuts this period")
    if (more := len(answer["periods"]) - MOST_ROWS) > 0:
        notes.append(f"{more} more periods are in the answer.")
    if missing := answer["withoutServiceDate"]:
        notes.append(f"{missing:,} bookings say no date of service.")
    header = ["service", "booked", "cancelled", "on the books", "median lead", *(f"{days} d before" for days in before)]
    return Table(f"Bookings by service, {span(answer)}", header, rows, notes=notes)


def _booked(name: str, figures: dict[str, Any], most: int) -> list[Cell]:
    """The figures of one period; the books are shaded against the `most` of any."""
    lead = figures["leadTime"]["median"]
    return [
        Cell(name),
        Cell(f"{figures['booked']:,}"),
        Cell(f"{figures['cancelled']:,}"),
        Cell(f"{figures['onTheBooks']:,}"),
        Cell("–" if lead is None else f"{lead:g} d"),
        *(
            Cell(
                f"{books['count']:,}" + ("" if books["complete"] else "*"),
                shade=books["count"] / most if most else None,
                unfinished=not books["complete"],
            )
            for books in figures["pickup"]
        ),
    ]


def realtime(answer: list[dict[str, Any]]) -> Table:
    rows = []
    for metric in answer:
        metadata = metric["metadata"]
        change = metadata["change"]
        shown = percent if metadata["unit"] == "share" else number
        rows.append(
            [
                Cell(metric["metricName"].replace("_", " ")),
                Cell(metadata["unit"]),
                Cell("–" if metric["value"] is None else shown(metric["value"]), title=metadata.get("exact") or ""),
                Cell("–" if metadata["previous"] is None else shown(metadata["previous"])),
                Cell("–" if change is None else f"{100 * change:+.1f} %"),
            ]
        )
    caption = "Real time"
    if answer:
        caption += f", {answer[0]['metadata']['timeRange'].replace('_', ' ')} to {answer[0]['timestamp']}"
    return Table(caption, ["metric", "unit", "value", "before", "change"], rows, words=2)


def anomalies(answer: dict[str, Any]) -> Table:
    """What was found: when it began, how much came instead of what was expected, and how bad it is."""
    shown = percent if answer["metric"] in {"conversion_rate", "error_rate"} else number
    zone = answer["timezone"]
    rows = [
        [
            Cell(date(found["since"], zone)),
            Cell(f"{found['shape'].replace('_', ' ')} {found['direction']}"),
            Cell(found["severity"]),
            Cell(shown(found["expected"])),
            Cell(shown(found["observed"])),
            Cell("–" if found["change"] is None else f"{100 * found['change']:+.1f} %"),
            Cell("lasts" if found["until"] is None else date(found["until"], zone)),
        ]
        for found in answer["findings"]
    ]
    buckets = f"{len(answer['series']):,} buckets of {length(answer['step'])} looked at."
    return Table(
        f"What was unusual of {answer['metric'].replace('_', ' ')}, {span(answer)}",
        ["since", "what", "severity", "expected", "came", "change", "until"],
        rows,
        words=3,
        notes=[buckets] if rows else ["Nothing was unusual.", buckets],
    )
