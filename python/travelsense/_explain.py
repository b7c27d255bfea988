"""How the numbers of an answer come about, in words."""

from __future__ import annotations

import json
from textwrap import wrap
from typing import Any

from travelsense._display.text import LENGTHS, setting
from travelsense._native import rules

# What an answer is and what it was computed from, in the order in which it is told.
_IDENTITY = {
    "asOf": "nothing after it was seen",
    "dataVersion": "what was stored",
    "identityVersion": "who was who",
    "tzdb": "the time zones known",
    "resultHash": "equal numbers of equal questions have equal hashes",
}
_WIDTH, _COLUMN = 100, 48
# Of a forecast.
_MOST_SERIES = 10
_FOUND = {"outliers": "left out where the models learn", "shifts": "where the level changed"}
# Of a backtest: each figure is of the forecast and of the seasonal naive one, from the same past origins.
_SCORES = {
    "mase": "mean absolute error ÷ that of the seasonal naive forecast one season ahead in the history",
    "wape": "sum of absolute errors ÷ sum of absolute values",
    "bias": "sum of errors, forecast less value ÷ sum of absolute values",
    "coverage_80, _95": "share of values within the interval of 80 % and of 95 %",
    "width_80, _95": "mean width of the interval ÷ mean absolute value",
}
# What a change is a share of, and what chance alone does.
_KINDS = {
    "count": "strays at least as independent arrivals do; a change is a share of what was expected",
    "amount": "a change is a share of what was expected",
    "share": "a change is a share of what was expected",
    "value": "its zero means nothing: a change is a share of what was expected above the least, and of the span",
}
# What it is called, and when it was made.
_NAMES = {"_id", "title", "description", "metricName", "timestamp", "createdAt", "updatedAt"}


def explain(word: str, answer: Any) -> str:
    """The switches of an answer with what each decides, and where its numbers come from."""
    if isinstance(answer, list):
        return "\n\n".join(explain(_title(word, part), part) for part in answer)
    if word in _OF_TABLES:
        return "\n".join([word, *_OF_TABLES[word](answer)])
    known = {rule["field"]: rule for rule in json.loads(rules(word))}
    held = {name: value for name, value in answer.items() if not isinstance(value, list | dict)}
    told = {**held, **answer.get("switches", {}), **answer.get("metadata", {})}
    shown = [name for name in known if name in told]
    shown += [name for name in told if name not in known and name not in _IDENTITY and _is_setting(name, told)]
    lines = [word]
    for name in shown:
        rule = known.get(name)
        why = f"{rule['sentence']} ({', '.join(rule['rules'])})" if rule else ""
        lines += _line(name, setting(name, told[name]), why)
    lines.append("computed from")
    for name, why in _IDENTITY.items():
        if answer.get(name):
            lines += _line(name, str(answer[name]), why)
    return "\n".join(lines)


def _found(answer: dict[str, Any]) -> list[str]:
    """What was done and found in each series of a forecast."""
    lines = []
    for series in answer["series"][:_MOST_SERIES]:
        lines.append(f"series {series['uniqueId']}".rstrip())
        models = ", ".join(f"{model['name']} {100 * model['share']:.0f} %" for model in series["models"])
        lines += _line("models", models or "–", "and how much each counts")
        lines += _line("kind", series["kind"], "what values are taken to be")
        lines += _line("seasons", ", ".join(map(str, series["seasons"])) or "none", "in periods")
        lines += _line("periods", f"{series['periods']:,}", f"of which {series['filled']:,} had no row")
        for name, why in _FOUND.items():
            lines += _line(name, ", ".join(series[name][:4]) or "none", why if series[name] else "")
        effects = sorted(series["effects"], key=lambda effect: -abs(effect["size"]))
        for effect in effects[:5]:
            size = f"{100 * effect['size']:+.1f} %" if effect["relative"] else f"{effect['size']:+,.4g}"
            lines += _line("effect", f"{effect['name']}: {size}", f"on {effect['days']} days of the history")
        if series["short"]:
            lines += _line("short", "true", "too few values for more than a wide guess")
    if (more := len(answer["series"]) - _MOST_SERIES) > 0:
        lines.append(f"and {more:,} more series")
    return lines


def _scored(_answer: dict[str, Any]) -> list[str]:
    return [line for name, why in _SCORES.items() for line in _line(name, "", why)]


def _judged(answer: dict[str, Any]) -> list[str]:
    """How each series of a table was read and judged."""
    lines = []
    for series in answer["series"][:_MOST_SERIES]:
        lines.append(f"series {series['uniqueId']}".rstrip())
        lines += _line("kind", series["kind"], _KINDS[series["kind"]])
        lines += _line("periods", f"{series['periods']:,}", f"of which {series['filled']:,} had no row")
        if series["partial"]:
            lines += _line("partial", "true", "the last period was not over, and left out")
    if (more := len(answer["series"]) - _MOST_SERIES) > 0:
        lines.append(f"and {more:,} more series")
    return lines


# What is asked of a table of one's own, and no store.
_OF_TABLES = {"forecast": _found, "backtest": _scored, "detect_anomalies": _judged}


def _title(word: str, part: dict[str, Any]) -> str:
    return f"{word}: {part.get('title') or part.get('metricName')}"


def _is_setting(name: str, told: dict[str, Any]) -> bool:
    """Whether it is how the answer was made and not what it says: names and flags are, counts are in the table."""
    value = told[name]
    return name not in _NAMES and (isinstance(value, str | bool) or name in LENGTHS)


def _line(name: str, value: str, why: str) -> list[str]:
    said = wrap(why, _WIDTH - _COLUMN)
    head = f"  {name:<19} {value}"
    if said and len(head) < _COLUMN:
        head = f"{head:<{_COLUMN}}{said.pop(0)}"
    return [head, *(f"{'':{_COLUMN}}{more}" for more in said)]
