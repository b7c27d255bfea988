"""What was not as usual in any table of series, without a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from travelsense import _native
from travelsense._asking import ask
from travelsense._forecast import Names, asking
from travelsense._result import Anomalies

if TYPE_CHECKING:
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._forecast import Frame, Gaps, Kind


def detect_anomalies(
    frame: Frame,
    *,
    freq: str | int | None = None,
    gaps: Gaps | None = None,
    kind: Kind | None = None,
    alarms_per_week: float | None = None,
    min_change: float | None = None,
    min_volume: float | None = None,
    as_of: str | datetime | int | None = None,
    id_col: str = "unique_id",
    time_col: str = "ds",
    target_col: str = "y",
    threads: int | None = None,
    progress: Watch = True,
) -> Anomalies:
    """What was not as usual in each series of a table?

    Each period is judged by what came before it: hours and shorter ones by the same hour of the last four weeks, days
    by the same weekday of the last eight, longer ones and those of an axis of integers by the 26 before. The table of
    the answer has a row for each period: `unique_id` and `ds` as they came, `y`, `expected`, `low`, `high` (the 95 %
    interval of what was expected), `score`, `status`, `unusual`. The findings, each with what was expected, what came,
    its severity and since when, are `findings`; what was done to each series is in `to_dict()["series"]`.

    Args:
        frame: as `forecast`.
        freq: as `forecast`.
        gaps: as `forecast`.
        kind: what values may be: a `count`, an `amount` or a `share` are told by how far they are off as a share; any
            other `value`, whose zero means nothing, by how far it is off beside what the series spans. A `count`
            strays at least as chance has independent arrivals stray. Inferred by default, but for `share`.
        alarms_per_week: how many false alarms a week are put up with.
        min_change: the least change that is told, as a share.
        min_volume: the least that must be expected of a stretch; of counts 20 by default. Not for a `value`.
        as_of: later rows are not seen, nor is a period that ends later.
        id_col: as `forecast`.
        time_col: as `forecast`.
        target_col: as `forecast`.
        threads: as `forecast`.
        progress: as `forecast`.

    Raises:
        ValidationError: with everything wrong with the table and the options.

    Example:
        >>> import travelsense as ts
        >>> rows = [{"ds": f"2026-{n // 28 + 1:02}-{n % 28 + 1:02}", "y": 1000 + n % 7} for n in range(84)]
        >>> rows[80]["y"] = 300
        >>> [(found["since"], found["direction"], found["observed"]) for found in ts.detect_anomalies(rows).findings]
        [('2026-03-25', 'down', 300.0)]
    """
    asked = {
        "freq": freq,
        "gaps": gaps,
        "kind": kind,
        "alarms_per_week": alarms_per_week,
        "min_change": min_change,
        "min_volume": min_volume,
        "as_of": as_of,
    }
    rows, _, text = asking(frame, None, Names(id_col, time_col, target_col, None), asked)
    answer = ask("detect_anomalies", lambda how: _native.detect_anomalies(rows, text, threads, how), progress=progress)
    return Anomalies(answer)
