"""What is happening right now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from travelsense._handle import Handle
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._question import Bucket, Date, Length, Metric, TimeRange
    from travelsense._result import Result


class Realtime(Handle):
    """The questions about the moment, and about what is not as usual."""

    def realtime(
        self,
        *,
        metrics: Sequence[Metric | str] | None = None,
        time_range: TimeRange | str | None = None,
        refresh_interval: int | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """What is happening right now, and what happened in the window before?

        Rows: `metric_name`, `value`, `unit`, `timestamp`, `previous`, `change`; the series are in `to_dict()`.

        Args:
            metrics: the figures; all six by default. `events:search` counts the events of a name and `users:search`
                their users, `$page_views`, `$conversions`, `$errors`, `$features` and `$revenue` in the place of a name
                those of the catalogue.
            time_range: the window that ends now; 15 minutes by default, and any length up to `24h`.
            refresh_interval: how often whoever asks means to ask again, 5 to 300 seconds.
            as_of: the end of the window; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-28T23:58:00Z"}])
            ...     (now,) = a.realtime(metrics=["active_users"], time_range="last_5_minutes")
            >>> now["value"], now["unit"]
            (1.0, 'users')
        """
        asked = question(metrics=metrics, time_range=time_range, refresh_interval=refresh_interval, as_of=as_of)
        return self._result("realtime", asked, timeout, progress)

    def anomalies(
        self,
        metric: Metric,
        *,
        start_date: Date,
        end_date: Date,
        timezone: str | None = None,
        step: Bucket | None = None,
        alarms_per_week: float | None = None,
        min_change: float | None = None,
        min_volume: float | None = None,
        lateness: Length | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """What of a metric was not as usual for its hour of the week?

        Each bucket is compared with the same hour of the last four weeks. Rows, one a bucket: `start`, `value`,
        `expected`, `low`, `high` (the 95 % interval of what was expected), `score`, `status`, `unusual`; the findings,
        each with its severity and since when, are in `to_dict()`.

        Args:
            metric: the figure that is looked at.
            start_date: the first day, or instant, of the range.
            end_date: the last day, included whole, or the instant before which it ends.
            timezone: the IANA zone of hours and weekdays; UTC by default.
            step: the length of a bucket; an `hour` by default.
            alarms_per_week: how many false alarms a week are put up with.
            min_change: the least change that is told, as a share.
            min_volume: the least that must be expected of a stretch.
            lateness: how long after its end events may still come into a bucket; a minute by default.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     quiet = a.anomalies("active_users", start_date="2026-02-27", end_date="2026-02-28")
            >>> len(quiet), quiet.to_dict()["findings"]
            (48, [])
        """
        asked = question(
            metric=metric,
            start_date=start_date,
            end_date=end_date,
            timezone=timezone,
            step=step,
            alarms_per_week=alarms_per_week,
            min_change=min_change,
            min_volume=min_volume,
            lateness=lateness,
            as_of=as_of,
        )
        return self._result("anomalies", asked, timeout, progress)
