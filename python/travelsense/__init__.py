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

from travelsense._analytics import Analytics, open  # noqa: A004 - `travelsense.open` reads as what it does
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
    ValidationError,
)
from travelsense._forecast import backtest, forecast
from travelsense._native import __version__
from travelsense._result import Backtest, Forecast, Result

__all__ = [
    "Analytics",
    "Backtest",
    "Cancelled",
    "Conflict",
    "Corrupt",
    "Error",
    "Forbidden",
    "Forecast",
    "InternalError",
    "LimitExceeded",
    "Locked",
    "NotFound",
    "Result",
    "StorageError",
    "ValidationError",
    "__version__",
    "backtest",
    "forecast",
    "open",
]
