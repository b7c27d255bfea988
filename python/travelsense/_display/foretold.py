"""Predictions, forecasts and backtests as tables to look at."""

from __future__ import annotations

from typing import Any

from travelsense._display.table import MOST_ROWS, Cell, Table
from travelsense._display.text import date, number, percent, span


def predictive(answer: dict[str, Any]) -> Table:
    """The buckets ahead with their bounds."""
    shown = percent if answer["predictionType"] == "churn_rate" else number
    figure = _figure(shown)
    zone = answer["timezone"]
    rows = [
        [
            Cell(date(row["date"], zone)),
            figure(row["value"]),
            figure(row["lowerBound"]),
            figure(row["upperBound"]),
        ]
        for row in answer["predictions"][:MOST_ROWS]
    ]
    name = answer["predictionType"].replace("_", " ")
    notes = [_models(answer["models"])] if answer["models"] else []
    tested = answer["backtest"]
    if tested:
        notes.append(f"From {tested['origins']} past origins: {_scores(tested)}.")
    if answer["notes"]["short"]:
        notes.append("The history is too short for more than a wide guess.")
    _more(answer["predictions"], notes)
    caption = f"Predicted {name} after {span(answer)}, intervals of {answer['confidenceLevel']:g} %"
    return Table(caption, ["date", "expected", "from", "to"], rows, notes=notes)


def churn(answer: dict[str, Any]) -> Table:
    """The users by their risk, with the reasons in words."""
    rows = [
        [
            Cell(user["userId"]),
            Cell(percent(user["probability"]), title=f"{percent(user['low'])} to {percent(user['high'])}"),
            Cell(f"{user['activeDays']:,}"),
            Cell(f"{user['daysSinceActive']:,}"),
            Cell("; ".join(reason["text"] for reason in user["reasons"][:2])),
        ]
        for user in answer["users"][:MOST_ROWS]
    ]
    summary = answer["summary"]
    notes = [f"{summary['expectedChurners']:,.0f} of {summary['users']:,} are expected to go."]
    quality = answer["quality"]
    if quality:
        auc = f"{quality['auc']['value']:.3f}" if quality["auc"] else "–"
        notes.append(
            f"At {quality['cutOff']}: AUC {auc}, Brier score {quality['brier']:.4f}, "
            f"calibration error {percent(quality['calibrationError'])}."
        )
    caption = f"Risk of churn within {answer['horizonDays']} days"
    return Table(caption, ["user", "risk", "active days", "days since", "why"], rows, notes=notes)


def value(answer: dict[str, Any]) -> Table:
    """The users by what they are expected to be worth."""
    rows = [
        [
            Cell(user["userId"]),
            _figure(number)(user["expectedValue"]),
            _figure(number)(user["expectedPurchases"]),
            Cell(f"{user['purchases']:,}"),
            _figure(number)(user["value"]),
        ]
        for user in answer["users"][:MOST_ROWS]
    ]
    summary = answer["summary"]
    notes = [f"{summary['expectedPurchases']:,.0f} purchases are expected of {summary['users']:,} users."]
    caption = f"Expected value within {answer['horizonDays']} days, in {answer['currency']}"
    return Table(caption, ["user", "value", "purchases", "purchases so far", "value so far"], rows, notes=notes)


def next_action(answer: dict[str, Any]) -> Table:
    """The likeliest next actions, of all together and of each user asked for."""
    together = [("all", action, "") for action in answer["actions"]]
    alone = [
        (user["userId"], action, f"{percent(action['low'])} to {percent(action['high'])}")
        for user in answer["users"]
        for action in user["next"]
    ]
    rows = [
        [Cell(who), Cell(action["event"]), Cell(percent(action["probability"]), title=interval)]
        for who, action, interval in [*together, *alone][:MOST_ROWS]
    ]
    how = f"their last {answer['order']} actions at most"
    if answer["method"] == "boosting":
        how += ", how long ago and how often they did what, and the hour of the week"
    notes = [f"{answer['segmentUsers']:,} users together, by {how}."]
    return Table("What users will do next", ["user", "action", "chance"], rows, words=2, notes=notes)


def forecast(answer: dict[str, Any]) -> Table:
    """The periods ahead with their bounds, series by series."""
    given = answer["forecasts"]
    figure = _figure(number)
    bounds = [(f"{level['level']:g} %", level["lower"], level["upper"]) for level in given["intervals"]]
    rows = []
    for i, (series, ds, mean) in enumerate(zip(given["uniqueId"], given["ds"], given["mean"], strict=True)):
        if i >= MOST_ROWS:
            break
        ends = [figure(side[i]) for _, low, high in bounds for side in (low, high)]
        rows.append([Cell(str(series)), Cell(str(ds)), figure(mean), *ends])
    header = ["series", "ds", "mean", *(f"{side} {name}" for name, _, _ in bounds for side in ("from", "to"))]
    told = answer["series"]
    notes = [_models(told[0]["models"])] if len(told) == 1 and told[0]["models"] else []
    notes += [
        f"{one['uniqueId'] or 'The series'} is too short for more than a wide guess." for one in told if one["short"]
    ][:5]
    _more(given["ds"], notes)
    return Table(f"Forecast of {len(told):,} series", header, rows, words=2, notes=notes)


def detect_anomalies(answer: dict[str, Any]) -> Table:
    """What was found in each series: when it began, how much came instead of what was expected, and how bad it is."""
    figure = _figure(number)
    rows = [
        [
            Cell(found["uniqueId"]),
            Cell(str(found["since"])),
            Cell(f"{found['shape'].replace('_', ' ')} {found['direction']}"),
            Cell(found["severity"]),
            figure(found["expected"]),
            figure(found["observed"]),
            Cell("–" if found["change"] is None else f"{100 * found['change']:+.1f} %"),
            Cell("lasts" if found["until"] is None else str(found["until"])),
        ]
        for found in answer["findings"][:MOST_ROWS]
    ]
    notes = [] if rows else ["Nothing was unusual."]
    _more(answer["findings"], notes)
    periods = sum(one["periods"] for one in answer["series"])
    header = ["series", "since", "what", "severity", "expected", "came", "change", "until"]
    caption = f"What was unusual of {len(answer['series']):,} series, {periods:,} periods"
    return Table(caption, header, rows, words=4, notes=notes)


def backtest(answer: dict[str, Any]) -> Table:
    """The scores of each series beside those of the seasonal naive forecast."""
    rows = []
    for one in answer["series"][:MOST_ROWS]:
        for who in ("model", "naive"):
            score = one[who]
            rows.append(
                [
                    Cell(one["id"] if who == "model" else ""),
                    Cell("forecast" if who == "model" else "seasonal naive"),
                    _figure(lambda x: f"{x:.3f}")(score["mase"]),
                    _figure(percent)(score["wape"]),
                    _figure(percent)(score["bias"]),
                    _figure(percent)(score["coverage80"]),
                    _figure(percent)(score["coverage95"]),
                    _figure(percent)(score["width95"]),
                ]
            )
    notes = [f"All together: {_scores(answer['overall'])}."]
    _more(answer["series"], notes)
    header = ["series", "", "MASE", "WAPE", "bias", "in 80 %", "in 95 %", "width 95 %"]
    caption = f"Backtest of {len(answer['series']):,} series, {answer['overall']['points']:,} values"
    return Table(caption, header, rows, words=2, notes=notes)


def _scores(tested: dict[str, Any]) -> str:
    def mase(score: dict[str, Any]) -> str:
        return "–" if score["mase"] is None else f"{score['mase']:.3f}"

    held = tested["model"]["coverage95"]
    coverage = "" if held is None else f", {percent(held)} within 95 %"
    return f"MASE {mase(tested['model'])}, seasonal naive {mase(tested['naive'])}{coverage}"


def _models(models: list[dict[str, Any]]) -> str:
    return "By " + ", ".join(f"{model['name']} {100 * model['share']:.0f} %" for model in models[:4]) + "."


def _more(all_rows: list[Any], notes: list[str]) -> None:
    if len(all_rows) > MOST_ROWS:
        notes.append(f"{len(all_rows) - MOST_ROWS:,} more are in the answer.")


def _figure(shown: Any) -> Any:
    return lambda number: Cell("–" if number is None else shown(number))
