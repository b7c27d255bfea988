"""Answers as tables to look at, in a terminal and in a notebook, light or dark."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_ROWS = 60
MOST_PERIODS = 31


@dataclass(frozen=True)
class Cell:
    """A cell: its text, what more there is to say of it, and a share that is drawn as a bar or as a shade."""

    text: str
    title: str = ""
    bar: float | None = None
    shade: float | None = None
    unfinished: bool = False


@dataclass(frozen=True)
class Table:
    """A table: its caption, its columns (the first `words` of them are not numbers), its rows, and notes to it."""

    caption: str
    header: list[str]
    rows: list[list[Cell]]
    words: int = 1
    notes: list[str] = field(default_factory=list)


def tables(word: str, answer: Any) -> list[Table]:
    """The tables that show an answer."""
    if word == "user_insights":
        return [_insight(insight) for insight in answer]
    if word == "retention":
        groups = answer.get("breakdown", {}).get("groups", [])
        return [_retention(answer), *(_retention({**answer, **group}, group["label"]) for group in groups)]
    shown: dict[str, Callable[[Any], Table]] = {
        "funnel": _funnel,
        "drop_off": _drop_off,
        "compare": _compare,
        "explain_difference": _difference,
        "engagement": _engagement,
        "adoption": _adoption,
        "journey": _journey,
        "realtime": _realtime,
    }
    if word in shown:
        return [shown[word](answer)]
    from travelsense import _display_foretold as foretold

    return [getattr(foretold, word)(answer)]


def _insight(insight: dict[str, Any]) -> Table:
    """The table of what an insight speaks of, under its words."""
    shown = {
        "engagement_patterns": _engagement,
        "drop_off_points": _drop_off,
        "feature_adoption": _adoption,
        "user_journeys": _journey,
    }
    table = shown.get(insight["insightType"], _funnel)(insight["data"])
    caption = table.caption.partition(", ")[2]
    return replace(table, caption=f"{insight['title']}, {caption}", notes=[insight["description"], *table.notes])


def plain(table: Table) -> str:
    """The table as text, its columns aligned."""
    rows = [table.header, *([_plain_text(cell) for cell in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if i < table.words else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([table.caption, *lines, *table.notes])


def html(table: Table) -> str:
    """The table as HTML for light and dark pages alike: it sets no colours but shades that let both through."""
    edge = "border-bottom:1px solid rgba(128,128,128,.35);padding:.25em .6em"
    align = ["left" if i < table.words else "right" for i in range(len(table.header))]
    head = "".join(
        f'<th scope="col" style="text-align:{side};{edge}">{escape(name)}</th>'
        for side, name in zip(align, table.header, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(_html_cell(cell, side, edge) for side, cell in zip(align, row, strict=True)) + "</tr>"
        for row in table.rows
    )
    notes = "".join(f'<p style="margin:.3em 0;opacity:.75">{escape(note)}</p>' for note in table.notes)
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;font-variant-numeric:tabular-nums">'
        f'<caption style="text-align:left;font-weight:600;padding:.3em 0">{escape(table.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}</div>"
    )


def _html_cell(cell: Cell, side: str, edge: str) -> str:
    style = f"text-align:{side};{edge}"
    text = escape(cell.text)
    if cell.shade is not None:
        # At most so opaque that dark text on a light page and light text on a dark one can be read.
        style += f";background:rgba(37,99,235,{0.5 * cell.shade:.3f})"
    if cell.unfinished:
        style += ";font-style:italic;opacity:.75;border:1px dashed rgba(128,128,128,.6)"
    if cell.bar is not None:
        text = (
            '<div style="width:10em;background:rgba(128,128,128,.2)" aria-hidden="true">'
            f'<div style="width:{100 * cell.bar:.1f}%;height:1em;background:rgba(37,99,235,.75)"></div></div>'
        )
    title = f' title="{escape(cell.title)}"' if cell.title else ""
    return f'<td style="{style}"{title}>{text}</td>'


def _plain_text(cell: Cell) -> str:
    return cell.text if cell.bar is None else ("█" * round(20 * cell.bar)).ljust(20)


def _funnel(answer: dict[str, Any]) -> Table:
    steps = answer["steps"]
    rows = [
        [
            Cell(str(step["step"])),
            Cell(_event(step["event"])),
            Cell(f"{step['count']:,}"),
            _rate(step["rate"]),
            _rate(step["rateFromPrevious"]) if step["step"] > 1 else Cell(""),
            Cell(f"{step['dropped']:,}" if step["step"] < len(steps) else ""),
            Cell(_length(step["timeFromPrevious"]["median"])),
            Cell("", bar=step["rate"]["value"] or 0.0),
        ]
        for step in steps
    ]
    notes = []
    if answer["open"]:
        notes.append(f"{answer['open']:,} have not converted but still can.")
    return Table(
        f"Funnel, {_span(answer)}, within {_length(answer['window'])}",
        ["step", "event", "users", "rate", "from previous", "dropped", "median time", ""],
        rows,
        words=2,
        notes=notes,
    )


def _drop_off(answer: dict[str, Any]) -> Table:
    rows = []
    for step in answer["steps"]:
        matured = step["matured"]
        after = step["next"][0]["event"] if step["next"] else ""
        factor = step["factors"]["factors"][0] if step["factors"]["factors"] else None
        rows.append(
            [
                Cell(str(step["step"])),
                Cell(_event(step["event"])),
                Cell(f"{matured['reached']:,}"),
                Cell(f"{matured['dropped']:,}"),
                _rate(matured["rate"]),
                Cell(after),
                _rate(step["exit"]),
                Cell(factor["label"] if factor else ""),
            ]
        )
    return Table(
        f"Drop-off points, {_span(answer)}, within {_length(answer['window'])}",
        ["step", "event", "users", "stopped", "share", "mostly did next", "nothing more", "what separates most"],
        rows,
        words=2,
    )


def _compare(answer: dict[str, Any]) -> Table:
    rows = []
    for group in answer["groups"]:
        for part in [{"step": "all", "event": "", **group["conversion"]}, *group["steps"]]:
            low, high, p = part["low"], part["high"], part["adjustedPValue"]
            interval = "" if low is None else f"{_points(low)} to {_points(high)}"
            rows.append(
                [
                    Cell(group["label"] if part["step"] == "all" else ""),
                    Cell(str(part["step"])),
                    Cell(_event(part["event"])),
                    _rate(part["with"]),
                    _rate(part["without"]),
                    Cell(_points(part["difference"]), title=f"95 % interval {interval}" if interval else ""),
                    Cell("–" if p is None else f"{p:.3g}"),
                ]
            )
    return Table(
        f"Groups compared, {_span(answer)}, within {_length(answer['window'])}",
        ["group", "step", "event", "rate", "of the rest", "difference", "adjusted p"],
        rows,
        words=3,
        notes=[f"{answer['shared']:,} are of several groups."] if answer["shared"] else [],
    )


def _difference(answer: dict[str, Any]) -> Table:
    rows = [
        [
            Cell(switch["switch"]),
            Cell(_json(switch["a"])),
            Cell(_json(switch["b"])),
            Cell(f"{switch['users']['b']:,}" if switch["users"] else "–"),
            Cell(f"-{switch['users']['onlyA']:,} +{switch['users']['onlyB']:,}" if switch["users"] else "–"),
            Cell(", ".join(switch["rules"]), title=switch["sentence"]),
        ]
        for switch in answer["switches"]
    ]
    users = answer["users"]
    counts = f"{users['a']:,} and {users['b']:,} users, {users['both']:,} of both"
    return Table(
        f"Why two {answer['word']} questions differ: {counts}",
        ["switch", "a", "b", "users with b's alone", "change", "rules"],
        rows,
        words=3,
        notes=[] if rows else ["No switch makes a difference."],
    )


def _json(value: object) -> str:
    return "–" if value is None else json.dumps(value, ensure_ascii=False)


def _points(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:+.1f} %"


_FIGURES = {
    "retention_rate": "Retention",
    "revenue": "Revenue per user",
    "engagement": "Return events per user",
    "feature_usage": "Features used per user",
}

_COLUMNS = {"24h": "day", "7d": "week", "30d": "30 days", "month_anniversary": "month"}


def _retention(answer: dict[str, Any], group: str = "") -> Table:
    unit = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}[answer["cohortPeriod"]]
    cohorts = answer["cohorts"]
    periods = max((len(cohort["retention"]) for cohort in cohorts), default=0)
    columns = min(periods, MOST_PERIODS)

    metric = answer["analysisMetric"]
    figures = [cell["value"] or 0.0 for cohort in cohorts for cell in cohort["retention"][:columns]]
    # A share is shaded as it is, any other figure as a share of the highest.
    most = 1.0 if metric == "retention_rate" else max(figures, default=0.0)

    def row(name: str, size: str, cells: list[dict[str, Any]]) -> list[Cell]:
        shown = [_cohort_cell(cell, metric, most) for cell in cells[:columns]]
        return [Cell(name), Cell(size), *shown, *[Cell("")] * (columns - len(shown))]

    rows = [
        row(
            _date(cohort["period"], answer["timezone"]) + ("†" if cohort["partial"] else ""),
            f"{cohort['size']:,}",
            cohort["retention"],
        )
        for cohort in cohorts[:MOST_ROWS]
    ]
    rows.append(row("all", "", [{**cell, "complete": True} for cell in answer["average"]]))
    notes = []
    if any(not cell["complete"] for cohort in cohorts for cell in cohort["retention"][1:]):
        notes.append("* not over yet: so many users have returned so far")
    if any(cohort["partial"] for cohort in cohorts):
        notes.append(f"† the range cuts this {unit}")
    if answer["leftCensored"] and answer["mode"] == "first_time":
        notes.append("The stored history begins within the range: some of these users may have started before it.")
    if periods > columns or len(cohorts) > MOST_ROWS:
        rest = max(0, len(cohorts) - MOST_ROWS), periods - columns
        notes.append(f"{rest[0]} more cohorts and {rest[1]} more periods are in the answer.")
    measured = f"{metric.removeprefix('property_')} of {answer.get('property')} per user".capitalize()
    title = _FIGURES.get(metric, measured)
    widest: list[dict[str, Any]] = max((cohort["retention"] for cohort in cohorts), key=len, default=[])
    column = _COLUMNS.get(answer.get("unit", ""), unit)
    return Table(
        f"{title} by {unit}, {_span(answer)}{f', {group}' if group else ''}",
        [f"{unit} of", "users", *(f"{column} {_periods(cell)}" for cell in widest[:columns])],
        rows,
        notes=notes,
    )


def _periods(cell: dict[str, Any]) -> str:
    last = cell.get("until", 0) - 1
    return f"{cell['period']}–{last}" if last > cell["period"] else f"{cell['period']}"


def _cohort_cell(cell: dict[str, Any], metric: str, most: float) -> Cell:
    if cell["value"] is None and cell["period"] and not cell["complete"]:
        return Cell(f"{cell['partialCount']:,}*", title="not over yet: users who have returned so far", unfinished=True)
    if cell["value"] is None:
        return Cell("–")
    count, of = (cell["k"], cell["n"]) if "k" in cell else (cell["count"], cell["eligible"])
    if metric != "retention_rate":
        title = f"{cell['total']} of {of:,} users, {count:,} of whom returned"
        shade = max(0.0, cell["value"] / most) if most > 0 else 0.0
        return Cell(_number(cell["value"]), title=title, shade=shade)
    return Cell(_percent(cell["value"]), title=f"{count:,} of {of:,}{_interval(cell)}", shade=cell["value"])


def _engagement(answer: dict[str, Any]) -> Table:
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
                Cell(_date(row["start"], answer["timezone"]) + mark, unfinished=not row["complete"]),
                Cell(f"{users:,}"),
                *(Cell(f"{lifecycle[i][state]:,}") for state in states),
                Cell("", bar=users / most if most else 0.0),
            ]
        )
    notes = []
    if ratio := answer.get("stickiness", {}).get("dauOverMau"):
        share = "–" if ratio["value"] is None else _percent(ratio["value"])
        notes.append(f"DAU/MAU {share}: {ratio['meanDailyUsers']:,.1f} of {ratio['users']:,} users a day.")
    if sessions := answer.get("sessions"):
        length = _length(sessions["seconds"]["median"])
        bounced = sessions["bounces"]["value"]
        notes.append(
            f"{sessions['count']:,} sessions"
            + (f", {length} at the median, {_percent(bounced)} of one event." if bounced is not None else ".")
        )
    if any(not row["complete"] for row in periods):
        notes.append("* not over yet")
    if any(row["partial"] for row in periods):
        notes.append(f"† the range cuts this {unit}")
    if (more := len(periods) - MOST_ROWS) > 0:
        notes.append(f"{more} more {unit}s are in the answer.")
    return Table(
        f"Engagement by {unit}, {_span(answer)}",
        [unit, "active users", *states, ""],
        rows,
        notes=notes,
    )


def _adoption(answer: dict[str, Any]) -> Table:
    rows = [
        [
            Cell(feature["feature"]),
            Cell(f"{feature['exposed']:,}"),
            Cell(f"{feature['adopters']:,}"),
            _rate(feature["rate"]),
            Cell(_length(feature["kaplanMeierMedian"]) or "–"),
            Cell(f"{feature['users']:,}"),
            Cell(f"{feature['uses']:,}"),
            Cell("", bar=feature["rate"]["value"] or 0.0),
        ]
        for feature in answer["features"]
    ]
    unused, active = answer["breadth"]["unused"], answer["activeUsers"]
    return Table(
        f"Adoption, {_span(answer)}, within {_length(answer['within'])}",
        ["feature", "exposed", "adopters", "rate", "median time", "users", "uses", ""],
        rows,
        notes=[f"{unused:,} of {active:,} active users used none of them."],
    )


def _journey(answer: dict[str, Any]) -> Table:
    noun = "sessions" if answer["switches"]["unit"] == "sessions" else "paths"
    notes = [f"{answer['paths']:,} {noun} of {answer['users']:,} users."]
    if "sequences" not in answer:
        return _links(answer, notes)
    sequences = answer["sequences"]
    rows = [
        [
            Cell(" → ".join(map(_node, way["nodes"]))),
            Cell(f"{way['occurrences']:,}"),
            Cell(f"{way['users']:,}"),
            _rate(way["share"]),
            Cell(_length(way["medianSeconds"])),
            Cell("", bar=way["share"]["value"] or 0.0),
        ]
        for way in sequences["top"]
    ]
    if sequences["truncated"]:
        rest = sequences["distinct"] - len(rows)
        notes.append(f"{rest:,} more ways, taken {sequences['other']['occurrences']:,} times.")
    return Table(
        f"Ways of {sequences['length']} steps, {_span(answer)}",
        ["way", "times", "users", "share", "median time", ""],
        rows,
        notes=notes,
    )


def _links(answer: dict[str, Any], notes: list[str]) -> Table:
    links = answer.get("sankey", {}).get("links", [])
    rows = [
        [
            Cell(str(link["step"])),
            Cell(_node(link["source"])),
            Cell(_node(link["target"])),
            Cell(f"{link['users']:,}"),
            Cell(f"{link['transitions']:,}"),
            Cell(_length(link["meanSeconds"])),
        ]
        for link in links[:MOST_ROWS]
    ]
    if len(links) > MOST_ROWS:
        notes.append(f"{len(links) - MOST_ROWS:,} more links are in the answer.")
    return Table(
        f"Links, {_span(answer)}",
        ["step", "from", "to", "users", "times", "mean time"],
        rows,
        words=3,
        notes=notes,
    )


def _node(node: str | dict[str, str]) -> str:
    return node if isinstance(node, str) else f"({node['reserved']})"


def _realtime(answer: list[dict[str, Any]]) -> Table:
    rows = []
    for metric in answer:
        metadata = metric["metadata"]
        change = metadata["change"]
        shown = _percent if metadata["unit"] == "share" else _number
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


def _event(event: str | list[str] | None) -> str:
    if event is None:
        return "any event"
    return event if isinstance(event, str) else " | ".join(event)


def _rate(rate: dict[str, Any]) -> Cell:
    if rate["value"] is None:
        return Cell("–")
    return Cell(_percent(rate["value"]), title=f"{rate['k']:,} of {rate['n']:,}{_interval(rate)}")


def _interval(rate: dict[str, Any]) -> str:
    if rate["low"] is None:
        return ""
    return f", 95 % interval {_percent(rate['low'])} to {_percent(rate['high'])}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def _length(seconds: float | None) -> str:
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


def _span(answer: dict[str, Any]) -> str:
    zone = answer["timezone"]
    start, end = _local(answer["startDate"], zone), _local(answer["endDate"], zone)
    if start is None or end is None:
        return f"{answer['startDate']} to before {answer['endDate']}"
    if end.time() == time():
        # People read a range of days with its last day in it.
        return f"{_date(answer['startDate'], zone)} to {end.date() - timedelta(days=1)} ({zone})"
    return f"{_date(answer['startDate'], zone)} to before {_date(answer['endDate'], zone)} ({zone})"


def _date(instant: str, zone: str) -> str:
    """The civil date of an instant in a zone, and the time where it is not midnight."""
    local = _local(instant, zone)
    if local is None:
        return instant
    return f"{local:%Y-%m-%d %H:%M}" if local.time() != time() else str(local.date())


def _local(instant: str, zone: str) -> datetime | None:
    """The civil time of an instant in a zone; nothing where Python does not know the zone."""
    try:
        return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return None
