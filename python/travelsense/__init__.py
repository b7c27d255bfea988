"""Behavioural analytics inside your own process.

Example:
    >>> import travelsense as ts
    >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
    ...     report = a.ingest([
    ...         {"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"},
    ...         {"userId": "ada", "name": "book", "ts": "2026-02-02T09:00:00Z"},
    ...         {"userId": "bob", "name": "search", "ts": "2026-02-01T11:00:00Z"},
    ...     ])
    ...     funnel = a.funnel(["search", "book"], start_date="2026-02-01", end_date="2026-02-07")
    >>> [(row["event"], row["count"]) for row in funnel]
    [('search', 2), ('book', 1)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from travelsense._analytics import Analytics, open  # noqa: A004 - `travelsense.open` reads as what it does
from travelsense._detect import detect_anomalies
from travelsense._errors import (
    Cancelled,
    Conflict,
    Corrupt,
    Error,
    Forbidden,
    InternalError,
    LimitExceeded,
    Locked,
    NotFound,
    StorageError,
    TimedOut,
    ValidationError,
)
from travelsense._forecast import backtest, forecast
from travelsense._native import __version__
from travelsense._question import Filter, Range
from travelsense._result import Anomalies, Backtest, Forecast, Result

if TYPE_CHECKING:
    from travelsense._async import AsyncAnalytics, aopen
    from travelsense._report import ImportReport, IngestReport
    from travelsense._widget import explore

__all__ = [
    "Analytics",
    "Anomalies",
    "AsyncAnalytics",
    "Backtest",
    "Cancelled",
    "Conflict",
    "Corrupt",
    "Error",
    "Filter",
    "Forbidden",
    "Forecast",
    "ImportReport",
    "IngestReport",
    "InternalError",
    "LimitExceeded",
    "Locked",
    "NotFound",
    "Range",
    "Result",
    "StorageError",
    "TimedOut",
    "ValidationError",
    "__version__",
    "aopen",
    "backtest",
    "detect_anomalies",
    "explore",
    "forecast",
    "open",
]

# What is not always wanted is read when it is: `import travelsense` is quick.
_LATER = {
    "AsyncAnalytics": "_async",
    "ImportReport": "_report",
    "IngestReport": "_report",
    "aopen": "_async",
    "explore": "_widget",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'travelsense' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"travelsense.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LATER])
