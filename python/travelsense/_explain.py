"""How the numbers of an answer come about, in words."""

from __future__ import annotations

import json
from textwrap import wrap
from typing import Any

from travelsense._native import rules

# What an answer is and what it was computed from, in the order in which it is told.
_IDENTITY = {
    "asOf": "nothing after it was seen",
    "dataVersion": "what was stored",
    "identityVersion": "who was who",
    "tzdb": "the time zones known",
    "resultHash": "equal numbers of equal questions have equal hashes",
}
_LENGTHS = {"window", "within", "grace", "sessionTimeout"}
_WIDTH, _COLUMN = 100, 48
# What it is called, and when it was made.
_NAMES = {"_id", "title", "description", "metricName", "timestamp", "createdAt", "updatedAt"}


def explain(word: str, answer: Any) -> str:
    """The switches of an answer with what each decides, and where its numbers come from."""
    if isinstance(answer, list):
        return "\n\n".join(explain(_title(word, part), part) for part in answer)
    known = {rule["field"]: rule for rule in json.loads(rules(word))}
    held = {name: value for name, value in answer.items() if not isinstance(value, list | dict)}
    told = {**held, **answer.get("switches", {}), **answer.get("metadata", {})}
    shown = [name for name in known if name in told]
    shown += [name for name in told if name not in known and name not in _IDENTITY and _is_setting(name, told)]
    lines = [word]
    for name in shown:
        rule = known.get(name)
        why = f"{rule['sentence']} ({', '.join(rule['rules'])})" if rule else ""
        lines += _line(name, _plain(name, told[name]), why)
    lines.append("computed from")
    for name, why in _IDENTITY.items():
        if answer.get(name):
            lines += _line(name, str(answer[name]), why)
    return "\n".join(lines)


def _title(word: str, part: dict[str, Any]) -> str:
    return f"{word}: {part.get('title') or part.get('metricName')}"


def _is_setting(name: str, told: dict[str, Any]) -> bool:
    """Whether it is how the answer was made and not what it says: names and flags are, counts are in the table."""
    value = told[name]
    return name not in _NAMES and (isinstance(value, str | bool) or name in _LENGTHS)


def _line(name: str, value: str, why: str) -> list[str]:
    said = wrap(why, _WIDTH - _COLUMN)
    head = f"  {name:<19} {value}"
    if said and len(head) < _COLUMN:
        head = f"{head:<{_COLUMN}}{said.pop(0)}"
    return [head, *(f"{'':{_COLUMN}}{more}" for more in said)]


def _plain(name: str, value: object) -> str:
    from travelsense._display.text import length

    if name in _LENGTHS and isinstance(value, int | float):
        return length(value) or "0 s"
    if isinstance(value, str):
        return value
    return "–" if value is None else json.dumps(value, ensure_ascii=False)
