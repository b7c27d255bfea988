"""Cohorts as a heat map of numbers."""

from __future__ import annotations

from typing import Any

from travelsense._display.table import MOST_ROWS, Cell, Table, interval
from travelsense._display.text import date, number, percent, sampled, span

MOST_PERIODS = 31
_FIGURES = {
    "retention_rate": "Retention",
    "revenue": "Revenue per user",
    "engagement": "Return events per user",
    "feature_usage": "Features used per user",
}

_COLUMNS = {"24h": "day", "7d": "week", "30d": "30 days", "month_anniversary": "month"}


def retention(answer: dict[str, Any], group: str = "") -> Table:
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
            date(cohort["period"], answer["timezone"]) + ("†" if cohort["partial"] else ""),
            f"{cohort['size']:,}",
            cohort["retention"],
        )
        for cohort in cohorts[:MOST_ROWS]
    ]
    rows.append(row("all", "", [{**cell, "complete": True} for cell in answer["average"]]))
    notes = []
    if any(_open(cell) for cohort in cohorts for cell in cohort["retention"]):
        notes.append("* not over yet: so many users have returned so far")
    if sample := answer.get("sample"):
        notes.append(sampled(sample))
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
        f"{title} by {unit}, {span(answer)}{f', {group}' if group else ''}",
        [f"{unit} of", "users", *(f"{column} {_periods(cell)}" for cell in widest[:columns])],
        rows,
        notes=notes,
    )


def _periods(cell: dict[str, Any]) -> str:
    last = cell.get("until", 0) - 1
    return f"{cell['period']}–{last}" if last > cell["period"] else f"{cell['period']}"


def _open(cell: dict[str, Any]) -> bool:
    """Whether it is too early for a figure."""
    return cell["value"] is None and cell["period"] > 0 and not cell["complete"]


def _cohort_cell(cell: dict[str, Any], metric: str, most: float) -> Cell:
    if _open(cell):
        return Cell(f"{cell['partialCount']:,}*", title="not over yet: users who have returned so far", unfinished=True)
    if cell["value"] is None:
        return Cell("–")
    count, of = (cell["k"], cell["n"]) if "k" in cell else (cell["count"], cell["eligible"])
    if metric != "retention_rate":
        title = f"{cell['total']} of {of:,} users, {count:,} of whom returned"
        shade = max(0.0, cell["value"] / most) if most > 0 else 0.0
        return Cell(number(cell["value"]), title=title, shade=shade)
    return Cell(percent(cell["value"]), title=f"{count:,} of {of:,}{interval(cell)}", shade=cell["value"])
