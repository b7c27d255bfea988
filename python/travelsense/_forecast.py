"""Forecasts and backtests of any table of series, without a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from travelsense import _native
from travelsense._asking import ask
from travelsense._question import missing, question
from travelsense._result import Backtest, Forecast
from travelsense._source import readable

if TYPE_CHECKING:
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._question import Date
    from travelsense._source import ArrowArray, ArrowStream

Frame: TypeAlias = "ArrowStream | ArrowArray | Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]]"
"""A table of any library that speaks Arrow, a list of rows, or columns by name."""

Events: TypeAlias = "Mapping[str, Date | Sequence[Date]]"
"""Days, or one day, by the name of what happens on them."""

Gaps: TypeAlias = Literal["zero", "missing", "closed"]
Kind: TypeAlias = Literal["value", "count", "amount", "share"]


def forecast(
    frame: Frame,
    horizon: int,
    *,
    level: float | Sequence[float] = (80, 95),
    quantiles: Sequence[float] | None = None,
    freq: str | int | None = None,
    season_length: int | Sequence[int] | None = None,
    country: str | None = None,
    events: Events | None = None,
    regressors: Sequence[str] | None = None,
    future: Frame | None = None,
    gaps: Gaps | None = None,
    kind: Kind | None = None,
    as_of: str | datetime | int | None = None,
    id_col: str = "unique_id",
    time_col: str = "ds",
    target_col: str = "y",
    threads: int | None = None,
    progress: Watch = True,
) -> Forecast:
    """What comes next in each series of a table, and between which bounds?

    The default model is the mean of exponential smoothing and the dynamic optimised Theta model on what the calendar
    leaves; others join where rolling origins of the series itself say that they are better. Every series gets an
    answer. The table of the answer has `unique_id` and `ds` as they came, `mean`, and `lo-80`, `hi-80` and so on for
    each level; what was done and found in each series is in `to_dict()["series"]`.

    Args:
        frame: rows with `unique_id` (may be absent where there is one series), `ds` (dates, times or integers) and
            `y`: of pandas, polars, pyarrow or anything else with an Arrow interface, a list of dicts, or a dict of
            columns.
        horizon: how many periods ahead, 1 to 10,000.
        level: the central intervals in per cent, each above 0 and below 100.
        quantiles: probabilities above 0 and below 1 whose values are given too, as columns `q-0.1` and so on.
        freq: the distance of two periods: `D`, `W`, `M`, `Q`, `Y`, `h`, `15min`, `2W` and the like, or an integer where
            `ds` is one; inferred by default.
        season_length: the periods of a season, or of several; those of the frequency by default.
        country: the two letters of a country whose holidays count in daily series.
        events: days, past and to come, by the name of what happens on them.
        regressors: columns of the frame that explain `y`, in series of any frequency.
        future: `unique_id`, `ds` and the values of the regressors in the periods ahead.
        gaps: what a period without a row means: `zero`, `missing`, or `closed` for weekdays that never have one;
            inferred by default.
        kind: what values may be: any `value`, a `count` (whole, never negative), an `amount` (never negative), a
            `share` (0 to 1); the first three are inferred by default.
        as_of: later rows are not seen, nor is a period that ends later.
        id_col: the name of the column of series.
        time_col: the name of the column of times.
        target_col: the name of the column of values.
        threads: how many threads to use; all cores by default.
        progress: whether to show how far it is where it takes over a second and somebody may look; or a function to
            tell it, called with the share of the series that is done, 0 to 1. Its exception gives the forecast up.

    Raises:
        ValidationError: with everything wrong with the table and the options.

    Example:
        >>> import travelsense as ts
        >>> rows = [{"ds": f"2026-01-{day:02}", "y": 10 + day % 7} for day in range(1, 29)]
        >>> next_days = ts.forecast(rows, 2, level=80)
        >>> next_days.columns
        ['unique_id', 'ds', 'mean', 'lo-80', 'hi-80']
        >>> [str(row["ds"]) for row in next_days]
        ['2026-01-29', '2026-01-30']
    """
    asked = {
        "horizon": horizon,
        "level": [level] if isinstance(level, int | float) else level,
        "quantiles": quantiles,
        "freq": freq,
        "season_length": season_length,
        "country": country,
        "events": _events(events),
        "gaps": gaps,
        "kind": kind,
        "as_of": as_of,
    }
    names = Names(id_col, time_col, target_col, regressors)
    rows, ahead, text = asking(frame, future, names, asked)
    answer = ask("forecast", lambda how: _native.forecast(rows, ahead, text, threads, how), progress=progress)
    return Forecast(answer)


def backtest(
    frame: Frame,
    horizon: int,
    *,
    origins: int = 5,
    step: int | None = None,
    freq: str | int | None = None,
    season_length: int | Sequence[int] | None = None,
    country: str | None = None,
    events: Events | None = None,
    regressors: Sequence[str] | None = None,
    gaps: Gaps | None = None,
    kind: Kind | None = None,
    as_of: str | datetime | int | None = None,
    id_col: str = "unique_id",
    time_col: str = "ds",
    target_col: str = "y",
    threads: int | None = None,
    progress: Watch = True,
) -> Backtest:
    """How well would the same forecasts have done, beside the seasonal naive forecast?

    Each series is forecast from past origins, the last of them a horizon before its end, with nothing of what came
    later. The table of the answer has a row for each compared value: `unique_id`, `cutoff` (the last time that was
    known), `ds`, `y`, `mean`, `lo-80`, `hi-80`, `lo-95`, `hi-95` and `naive`. `scores` has MASE, WAPE, bias
    (forecast less value), and coverage and width at 80 and 95 % of each series; `to_dict()["overall"]` of all together.

    Args:
        frame: as `forecast`.
        horizon: as `forecast`.
        origins: from how many past origins.
        step: how many periods lie between two origins; the horizon by default.
        freq: as `forecast`.
        season_length: as `forecast`.
        country: as `forecast`.
        events: as `forecast`.
        regressors: as `forecast`.
        gaps: as `forecast`.
        kind: as `forecast`.
        as_of: as `forecast`.
        id_col: as `forecast`.
        time_col: as `forecast`.
        target_col: as `forecast`.
        threads: as `forecast`.
        progress: as `forecast`.

    Raises:
        ValidationError: with everything wrong with the table and the options.

    Example:
        >>> import travelsense as ts
        >>> rows = [{"ds": f"2026-01-{day:02}", "y": 10 + day % 7} for day in range(1, 32)]
        >>> tested = ts.backtest(rows, 3, origins=2)
        >>> len(tested), tested.scores.columns[:4]
        (6, ['unique_id', 'origins', 'points', 'mase'])
    """
    asked = {
        "horizon": horizon,
        "origins": origins,
        "step": step,
        "freq": freq,
        "season_length": season_length,
        "country": country,
        "events": _events(events),
        "gaps": gaps,
        "kind": kind,
        "as_of": as_of,
    }
    names = Names(id_col, time_col, target_col, regressors)
    rows, _, text = asking(frame, None, names, asked)
    answer = ask("backtest", lambda how: _native.backtest(rows, None, text, threads, how), progress=progress)
    return Backtest(answer)


class Names:
    """What the columns of a frame are called."""

    def __init__(self, ids: str, times: str, values: str, regressors: Sequence[str] | None) -> None:
        self.ids = ids
        self.times = times
        self.values = values
        self.regressors = list(regressors or ())

    def columns(self, frame: Any) -> dict[str, Any]:
        """Rows, or columns by name, in the core's JSON form."""
        if isinstance(frame, Mapping):
            columns = {name: list(values) for name, values in frame.items()}
        else:
            rows = list(frame)
            wanted = [self.ids, self.times, self.values, *self.regressors]
            columns = {name: [row.get(name) for row in rows] for name in wanted if any(name in row for row in rows)}
        read: dict[str, Any] = {"uniqueId": columns.get(self.ids), "ds": columns.get(self.times)}
        if self.values in columns:
            read["y"] = [_number(value) for value in columns[self.values]]
        known = [name for name in self.regressors if name in columns]
        read["regressors"] = {name: [_number(value) for value in columns[name]] for name in known}
        return {name: values for name, values in read.items() if values}


def asking(frame: Any, future: Any, names: Names, asked: dict[str, Any]) -> tuple[object | None, object | None, str]:
    """The frame, that of the periods ahead, and the question; rows that are not in a frame are in the question."""
    if _exports(frame):
        frame = readable(frame)
        ahead = None if future is None else readable(future) if _exports(future) else _as_arrow(future, frame)
        named = {"id_col": names.ids, "time_col": names.times, "target_col": names.values}
        # A frame of one series need not name it.
        if names.ids == "unique_id":
            named.pop("id_col")
        return frame, ahead, question(**named, regressors=names.regressors or None, **asked)
    if future is not None:
        asked = {**asked, "future": names.columns(future)}
    named = {"id_col": names.ids, "time_col": names.times}
    return None, None, question(**named, **names.columns(frame), **asked)


def _exports(frame: object) -> bool:
    if hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__"):
        if type(frame).__name__ == "Series":
            raise TypeError("a table is needed, not a Series: one column says neither when nor what")
        return True
    if isinstance(frame, Mapping) or (isinstance(frame, Sequence) and not isinstance(frame, str | bytes)):
        return False
    given = type(frame).__name__
    raise TypeError(f"a table with an Arrow interface, a list of dicts or a dict of columns is needed, not {given}")


def _as_arrow(future: Any, frame: object) -> object:
    given, other = type(future).__name__, type(frame).__name__
    raise TypeError(f"`future` must be a table with an Arrow interface like the {other} it goes with, not {given}")


def _number(value: Any) -> Any:
    """JSON has no number for what is missing."""
    return None if missing(value) else value


def _events(events: Any) -> list[dict[str, Any]] | None:
    if events is None:
        return None
    if not isinstance(events, Mapping):
        raise TypeError(f"`events` are days by name, such as {{'sale': ['2026-11-27']}}, not {type(events).__name__}")
    one = str | date
    return [{"name": name, "days": [days] if isinstance(days, one) else list(days)} for name, days in events.items()]
