"""Funnels, their drop-off points, their groups, and why two differ, as tables."""

from __future__ import annotations

from typing import Any

from travelsense._display.table import MOST_ROWS, Cell, Table, rate
from travelsense._display.text import event, length, points, property_, sampled, setting, span


def funnel(answer: dict[str, Any]) -> Table:
    steps = answer["steps"]
    rows = [
        [
            Cell(str(step["step"])),
            Cell(event(step["event"])),
            Cell(f"{step['count']:,}"),
            rate(step["rate"]),
            rate(step["rateFromPrevious"]) if step["step"] > 1 else Cell(""),
            Cell(f"{step['dropped']:,}" if step["step"] < len(steps) else ""),
            Cell(length(step["timeFromPrevious"]["median"])),
            Cell("", bar=step["rate"]["value"] or 0.0),
        ]
        for step in steps
    ]
    notes = []
    if answer["open"]:
        notes.append(f"{answer['open']:,} have not converted but still can.")
    if sample := answer.get("sample"):
        notes.append(sampled(sample))
    return Table(
        f"Funnel, {span(answer)}, within {_window(answer)}",
        ["step", "event", "users", "rate", "from previous", "dropped", "median time", ""],
        rows,
        words=2,
        notes=notes,
    )


def funnel_groups(answer: dict[str, Any]) -> Table:
    """A row for each group of a breakdown: how many got to each step, the share that converted, how long that took."""
    breakdown = answer["breakdown"]
    groups = breakdown["groups"]
    name = " and ".join(map(property_, breakdown["properties"]))
    rows = [
        [
            Cell(group["label"]),
            *(Cell(f"{step['count']:,}", title=rate(step["rate"]).text) for step in group["steps"]),
            rate(group["rate"]),
            Cell(length(group["timeToConvert"]["median"])),
            Cell("", bar=group["rate"]["value"] or 0.0),
        ]
        for group in groups[:MOST_ROWS]
    ]
    more = len(groups) - MOST_ROWS
    return Table(
        f"Funnel by {name}, {span(answer)}, within {_window(answer)}",
        [name, *(f"{step['step']} {event(step['event'])}" for step in answer["steps"]), "rate", "median time", ""],
        rows,
        notes=[f"{more} more groups are in the answer."] if more > 0 else [],
    )


def _window(answer: dict[str, Any]) -> str:
    days = answer["switches"]["windowCalendarDays"]
    if days is None:
        return length(answer["window"])
    return "1 calendar day" if days == 1 else f"{days} calendar days"


def drop_off(answer: dict[str, Any]) -> Table:
    rows = []
    for step in answer["steps"]:
        matured = step["matured"]
        after = step["next"][0]["event"] if step["next"] else ""
        factor = step["factors"]["factors"][0] if step["factors"]["factors"] else None
        rows.append(
            [
                Cell(str(step["step"])),
                Cell(event(step["event"])),
                Cell(f"{matured['reached']:,}"),
                Cell(f"{matured['dropped']:,}"),
                rate(matured["rate"]),
                Cell(after),
                rate(step["exit"]),
                Cell(factor["label"] if factor else ""),
            ]
        )
    return Table(
        f"Drop-off points, {span(answer)}, within {_window(answer)}",
        ["step", "event", "users", "stopped", "share", "mostly did next", "nothing more", "what separates most"],
        rows,
        words=2,
    )


def compare(answer: dict[str, Any]) -> Table:
    rows = []
    for group in answer["groups"]:
        for part in [{"step": "all", "event": "", **group["conversion"]}, *group["steps"]]:
            low, high, p = part["low"], part["high"], part["adjustedPValue"]
            interval = "" if low is None else f"{points(low)} to {points(high)}"
            rows.append(
                [
                    Cell(group["label"] if part["step"] == "all" else ""),
                    Cell(str(part["step"])),
                    Cell(event(part["event"])),
                    rate(part["with"]),
                    rate(part["without"]),
                    Cell(points(part["difference"]), title=f"95 % interval {interval}" if interval else ""),
                    Cell("–" if p is None else f"{p:.3g}"),
                ]
            )
    return Table(
        f"Groups compared, {span(answer)}, within {_window(answer)}",
        ["group", "step", "event", "rate", "of the rest", "difference", "adjusted p"],
        rows,
        words=3,
        notes=[f"{answer['shared']:,} are of several groups."] if answer["shared"] else [],
    )


def difference(answer: dict[str, Any]) -> Table:
    """What each switch that differs changes alone, between the users of the first question and those of the second."""
    users = answer["users"]
    most = max(users["a"], users["b"], *(switch["users"]["b"] for switch in answer["switches"] if switch["users"]), 1)

    def row(name: str, counted: dict[str, int] | None, *values: str, rules: Cell) -> list[Cell]:
        if counted is None:
            return [Cell(name), *map(Cell, values), *[Cell("–")] * 3, rules, Cell("")]
        moved = (f"{sign}{n:,}" if n else "" for sign, n in (("-", counted["onlyA"]), ("+", counted["onlyB"])))
        return [
            Cell(name),
            *map(Cell, (*values, f"{counted['b']:,}", *moved)),
            rules,
            Cell("", bar=counted["b"] / most),
        ]

    rows = [
        row(
            switch["switch"],
            switch["users"],
            setting(switch["switch"], switch["a"]),
            setting(switch["switch"], switch["b"]),
            rules=Cell(", ".join(switch["rules"]), title=switch["sentence"]),
        )
        for switch in answer["switches"]
    ]
    if rows:
        first = {"b": users["a"], "onlyA": 0, "onlyB": 0}
        rows = [row("none", first, "", "", rules=Cell("")), *rows, row("all", users, "", "", rules=Cell(""))]
    counts = f"{users['a']:,} and {users['b']:,} users, {users['both']:,} of both"
    return Table(
        f"Why two {answer['word']} questions differ: {counts}",
        ["switch", "a", "b", "users with b's alone", "gone", "come", "rules", ""],
        rows,
        words=3,
        notes=[] if rows else ["No switch makes a difference."],
    )
