"""Names on the way to the core and back: Python writes `start_date`, the core's JSON `startDate`."""

from __future__ import annotations

import re
from functools import lru_cache

_HUMP = re.compile(r"(?<=[a-z0-9])[A-Z]")
_CAMEL = re.compile(r"\b[a-z]+(?:[A-Z][a-z0-9]*)+\b")
_ARGUMENT = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*_?")
_QUOTED = re.compile(r"(`[^`]*`)")


def argument(name: str) -> bool:
    """Whether it is written as Python's arguments are and not as the core's names."""
    return _ARGUMENT.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def camel(name: str) -> str:
    """The core's name of a Python argument: `return_` is `return`, `start_date` is `startDate`."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.capitalize() for part in rest)


def field_of(path: str) -> str:
    """The Python argument that a field of the core is: `return` is `return_`, `timeBetween[0]` is `time_between[0]`.

    What the core has within a range is an argument of its own: `dateRange.endDate` is `end_date`.
    """
    path = path.removeprefix("dateRange.")
    return path + "_" if path in {"return", "from"} else _HUMP.sub(lambda hump: "_" + hump[0].lower(), path)


def message_of(message: str) -> str:
    """A sentence of the core with its field names as Python has them; what it quotes stays as it is."""
    parts = _QUOTED.split(message)
    return "".join(part if i % 2 else _CAMEL.sub(lambda name: field_of(name[0]), part) for i, part in enumerate(parts))
