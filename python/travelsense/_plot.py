"""Answers as Altair charts: their data stands in them, so that they need no other library and no network."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from travelsense._display.text import property_

if TYPE_CHECKING:
    from collections.abc import Callable

    from travelsense._result import Result

_SHARE = ".0%"
# Seen on bars, on light pages and on dark ones.
_GREY = "#8a93a1"
# More people than this are a list and no chart.
_MOST_PEOPLE = 50


def plot(alt: Any, result: Result) -> Any:
    """The chart that fits an answer.

    Raises:
        ValueError: where there is nothing to draw.
    """
    draw = _CHARTS.get(result.word)
    if draw is None:
        raise ValueError(f"an answer of {result.word} has no chart; its rows are in `to_polars()` and the like")
    rows = [_plain(row) for row in result]
    if not rows:
        raise ValueError("there is nothing to draw")
    return draw(alt, rows, result)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON holds it."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _chart(alt: Any, rows: list[dict[str, Any]], title: str) -> Any:
    return alt.Chart(alt.Data(values=rows), title=title)


def _rate(rate: dict[str, Any]) -> dict[str, Any]:
    return {name: rate[name] for name in ("value", "low", "high")}


def _bars(
    alt: Any,
    rows: list[dict[str, Any]],
    title: str,
    figure: tuple[str, str, str],
    axis: str,
    *,
    by: str | None = None,
) -> Any:
    """A share by category, with its interval; side by side for each group, where there are groups."""
    value, low, high = figure
    shared = {"y": alt.Y("label:N", sort=None, title=None)}
    colour, said = {}, ["label:N"]
    if by is not None:
        shared["yOffset"] = alt.YOffset(f"{by}:N", sort=None)
        colour = {"color": alt.Color(f"{by}:N", sort=None, legend=alt.Legend(title=None))}
        said = [f"{by}:N", *said]
    chart = _chart(alt, rows, title)
    bars = chart.mark_bar().encode(
        x=alt.X(f"{value}:Q", axis=alt.Axis(format=_SHARE), title=axis),
        tooltip=[*map(alt.Tooltip, said), *(alt.Tooltip(f"{name}:Q", format=".1%") for name in figure)],
        **shared,
        **colour,
    )
    whiskers = chart.mark_rule(color=_GREY).encode(x=f"{low}:Q", x2=f"{high}:Q", **shared)
    return bars + whiskers


def _funnel(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    for row in rows:
        row["label"] = f"{row['step']}. {row['event'] or 'any event'}"
    figure = ("rate", "rate_low", "rate_high")
    if (breakdown := result.to_dict().get("breakdown")) is None:
        return _bars(alt, rows, "Funnel", figure, "of those who entered")
    groups = [row for row in rows if row["group"] is not None]
    title = "Funnel by " + " and ".join(map(property_, breakdown["properties"]))
    return _bars(alt, groups, title, figure, "of those who entered", by="group")


def _drop_off(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    steps = zip(rows, result.to_dict()["steps"], strict=True)
    shown = [
        {"label": f"{row['step']}. {row['event'] or 'any event'}", **_rate(step["matured"]["rate"])}
        for row, step in steps
    ]
    return _bars(alt, shown, "Where they stop", ("value", "low", "high"), "of those who got here")


def _compare(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    del rows
    shown = [{"label": g["label"], **_rate(g["conversion"]["with"])} for g in result.to_dict()["groups"]]
    return _bars(alt, shown, "Conversion by group", ("value", "low", "high"), "converted")


def _difference(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    """How many users the first question counts, what each switch of the second makes of it alone, and all together."""
    del rows
    answer = result.to_dict()
    alone = [(f"{s['switch']} alone", s["users"]["b"]) for s in answer["switches"] if s["users"]]
    users = [("first question", answer["users"]["a"]), *alone, ("second question", answer["users"]["b"])]
    shown = [{"label": label, "users": count} for label, count in users]
    return (
        _chart(alt, shown, f"Why two {answer['word']} questions differ")
        .mark_bar()
        .encode(
            x=alt.X("users:Q", title="users counted"),
            y=alt.Y("label:N", sort=None, title=None),
            tooltip=["label:N", "users:Q"],
        )
    )


def _adoption(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    del result
    for row in rows:
        row["label"] = row["feature"]
    return _bars(alt, rows, "Features taken up", ("rate", "rate_low", "rate_high"), "of the exposed")


def _retention(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    metric = result.to_dict()["analysisMetric"]
    shown = _SHARE if metric == "retention_rate" else ".2~f"
    grouped = "group" in rows[0]
    cells = [row for row in rows if row["value"] is not None]
    if grouped:
        cells = [{**row, "group": row["group"] or "all together"} for row in cells]
    base = alt.Chart().encode(
        x=alt.X("period:O", title="periods later"), y=alt.Y("yearmonthdate(cohort):O", title=None)
    )
    shaded = base.mark_rect().encode(
        color=alt.Color("value:Q", scale=alt.Scale(scheme="blues"), legend=alt.Legend(format=shown, title=None)),
        tooltip=[
            alt.Tooltip("size:Q"),
            alt.Tooltip("count:Q"),
            alt.Tooltip("eligible:Q"),
            alt.Tooltip("value:Q", format=shown),
        ],
    )
    widest = max((row["value"] or 0 for row in rows), default=0)
    dark = alt.value("white")
    text = base.mark_text(fontSize=9).encode(
        text=alt.Text("value:Q", format=shown),
        color=alt.condition(alt.datum.value > widest / 2, dark, alt.value("#1b2230")),
    )
    chart = alt.layer(shaded, text, data=alt.Data(values=cells))
    if grouped:
        chart = chart.facet(row=alt.Row("group:N", sort=None, title=None))
    return chart.properties(title=metric.replace("_", " "))


def _engagement(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    del result
    name = "active_users" if rows[0].get("active_users") is not None else "active"
    return (
        _chart(alt, rows, "Active users")
        .mark_line(point=True)
        .encode(
            x=alt.X("start:T", title=None),
            y=alt.Y(f"{name}:Q", title="active users"),
            tooltip=["start:T", f"{name}:Q", "complete:N", "partial:N"],
        )
    )


def _journey(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    del result
    return (
        _chart(alt, rows, "From step to step")
        .mark_rect()
        .encode(
            x=alt.X("target:N", title="to"),
            y=alt.Y("source:N", title="from"),
            color=alt.Color("sum(transitions):Q", scale=alt.Scale(scheme="blues"), title="times"),
            tooltip=["source:N", "target:N", "sum(transitions):Q", "sum(users):Q"],
        )
    )


def _realtime(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    del rows
    shown = [
        {"metric": metric["metricName"].replace("_", " "), **point}
        for metric in result.to_dict()
        for point in metric["metadata"]["series"]
    ]
    lines = _chart(alt, shown, "").mark_line(point=True).encode(x=alt.X("timestamp:T", title=None), y="value:Q")
    return lines.properties(height=90).facet(row=alt.Row("metric:N", title=None)).resolve_scale(y="independent")


def _anomalies(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    chart = _chart(alt, rows, result.to_dict()["metric"].replace("_", " ")).encode(x=alt.X("start:T", title=None))
    band = chart.mark_area(opacity=0.25).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    line = chart.mark_line().encode(y="value:Q", tooltip=["start:T", "value:Q", "expected:Q", "unusual:N"])
    marks = chart.transform_filter("datum.unusual").mark_point(color="#b3361b", filled=True).encode(y="value:Q")
    return band + line + marks


def _detect_anomalies(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    """What came and what was expected of each series, one below the other."""
    series, time = result.columns[:2]
    shown = [{**row, "series": "" if row[series] is None else str(row[series]), "ds": row[time]} for row in rows]
    x = alt.X(f"ds:{'T' if isinstance(shown[0]['ds'], str) else 'Q'}", title=None)
    chart = alt.Chart().encode(x=x)
    band = chart.mark_area(opacity=0.25).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    line = chart.mark_line().encode(y="y:Q", tooltip=["series:N", x, "y:Q", "expected:Q", "unusual:N"])
    marks = chart.transform_filter("datum.unusual").mark_point(color="#b3361b", filled=True).encode(y="y:Q")
    facets = alt.layer(band, line, marks, data=alt.Data(values=shown)).properties(height=160)
    facets = facets.facet(row=alt.Row("series:N", title=None)).resolve_scale(y="independent")
    return facets.properties(title="What was unusual")


def _predictive(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    shown = [
        {
            **row,
            "expected": row["value"] if row["predicted"] else None,
            "came": None if row["predicted"] else row["value"],
        }
        for row in rows
    ]
    title = result.to_dict()["predictionType"].replace("_", " ")
    chart = _chart(alt, shown, title).encode(
        x=alt.X("date:T", title=None), color=alt.Color("segment:N", legend=alt.Legend(title=None))
    )
    band = chart.mark_area(opacity=0.25).encode(y=alt.Y("lower_bound:Q", title=None), y2="upper_bound:Q")
    came = chart.mark_line().encode(y="came:Q", tooltip=["segment:N", "date:T", "came:Q"])
    bounds = ["lower_bound:Q", "upper_bound:Q"]
    ahead = chart.mark_line(strokeDash=[5, 3]).encode(
        y="expected:Q", tooltip=["segment:N", "date:T", "expected:Q", *bounds]
    )
    return band + came + ahead


def _forecast(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    series, time = result.columns[:2]
    low = next((name for name in reversed(result.columns) if name.startswith("lo-")), None)
    shown = [
        {
            "series": "" if row[series] is None else str(row[series]),
            "ds": row[time],
            "mean": row["mean"],
            "low": row[low] if low else None,
            "high": row[low.replace("lo-", "hi-")] if low else None,
        }
        for row in rows
    ]
    kind = "T" if isinstance(shown[0]["ds"], str) else "Q"
    title = f"Forecast, {low.removeprefix('lo-')} %" if low else "Forecast"
    chart = _chart(alt, shown, title).encode(
        x=alt.X(f"ds:{kind}", title=None), color=alt.Color("series:N", legend=alt.Legend(title=None))
    )
    band = chart.mark_area(opacity=0.25).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    tooltip = ["series:N", f"ds:{kind}", "mean:Q", "low:Q", "high:Q"]
    return band + chart.mark_line().encode(y="mean:Q", tooltip=tooltip)


def _backtest(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    """What came, what had been forecast and what naively, one series below the other."""
    series, _, time = result.columns[:3]
    value = result.columns[3]
    shown = [
        {
            "series": "" if row[series] is None else str(row[series]),
            "ds": row[time],
            "low": row["lo-95"],
            "high": row["hi-95"],
            "what": what,
            "value": row[name],
        }
        for row in rows
        for what, name in (("came", value), ("forecast", "mean"), ("naive", "naive"))
    ]
    kind = "T" if isinstance(shown[0]["ds"], str) else "Q"
    x = alt.X(f"ds:{kind}", title=None)
    chart = alt.Chart()
    band = chart.mark_area(opacity=0.15).encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q")
    band = band.transform_filter("datum.what == 'forecast'")
    tooltip = ["series:N", f"ds:{kind}", "what:N", "value:Q"]
    what = alt.Color("what:N", legend=alt.Legend(title=None))
    lines = chart.mark_line().encode(x=x, y="value:Q", color=what, tooltip=tooltip)
    facets = alt.layer(band, lines, data=alt.Data(values=shown)).properties(height=160)
    facets = facets.facet(row=alt.Row("series:N", title=None)).resolve_scale(y="independent")
    return facets.properties(title="Backtest, 95 %")


def _churn(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    days = result.to_dict()["horizonDays"]
    shown = [{**row, "label": row["user_id"]} for row in rows[:_MOST_PEOPLE]]
    return _bars(alt, shown, "Risk of churn", ("probability", "low", "high"), f"within {days} days")


def _pickup(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    """The books of each period of service, as they stood so many days before."""
    del result
    return (
        _chart(alt, rows, "Bookings by service")
        .mark_line(point=True)
        .encode(
            x=alt.X("period:T", title=None),
            y=alt.Y("books:Q", title="on the books"),
            color=alt.Color("days_before:O", title="days before"),
            tooltip=["period:T", "days_before:O", "books:Q", "complete:N", "partial:N"],
        )
    )


def _value(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    answer = result.to_dict()
    return (
        _chart(alt, rows[:_MOST_PEOPLE], f"Expected value within {answer['horizonDays']} days")
        .mark_bar()
        .encode(
            x=alt.X("expected_value:Q", title=answer["currency"]),
            y=alt.Y("user_id:N", sort=None, title=None),
            tooltip=["user_id:N", "expected_value:Q", "expected_purchases:Q", "probability_alive:Q", "value:Q"],
        )
    )


def _next_action(alt: Any, rows: list[dict[str, Any]], result: Result) -> Any:
    del result
    together = [row for row in rows if row["user_id"] is None] or rows
    for row in together:
        row["label"] = row["event"]
    return _bars(alt, together, "What they will do next", ("probability", "low", "high"), "of next actions")


_CHARTS: dict[str, Callable[[Any, list[dict[str, Any]], Result], Any]] = {
    "funnel": _funnel,
    "drop_off": _drop_off,
    "compare": _compare,
    "explain_difference": _difference,
    "adoption": _adoption,
    "retention": _retention,
    "engagement": _engagement,
    "journey": _journey,
    "realtime": _realtime,
    "anomalies": _anomalies,
    "detect_anomalies": _detect_anomalies,
    "pickup": _pickup,
    "predictive": _predictive,
    "forecast": _forecast,
    "backtest": _backtest,
    "churn": _churn,
    "value": _value,
    "next_action": _next_action,
}
