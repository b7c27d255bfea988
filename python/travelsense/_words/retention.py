"""Retention: who comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from travelsense._handle import Handle
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._question import (
        ClockStart,
        ClockUnit,
        CohortMetric,
        CohortPeriod,
        Criterion,
        Date,
        Event,
        Filter,
        Length,
        Maturity,
        Mode,
        Pooling,
        Preset,
        Property,
        Segment,
        Weekday,
    )
    from travelsense._result import Result


class Retention(Handle):
    """The question about who comes back."""

    def retention(
        self,
        cohort_period: CohortPeriod,
        *,
        start_date: Date,
        end_date: Date,
        start: Event = None,
        return_: Event = None,
        analysis_metric: CohortMetric = "retention_rate",
        property: Property | None = None,  # noqa: A002 - as the question names it
        mode: Mode | None = None,
        unit: ClockUnit | None = None,
        clock_start: ClockStart | None = None,
        criterion: Criterion | None = None,
        brackets: Sequence[tuple[int, int]] | None = None,
        minimum_occurrences: int | None = None,
        maturity: Maturity | None = None,
        filters: Sequence[Filter] | None = None,
        hold_constant: Property | None = None,
        breakdown: Property | None = None,
        pooling: Pooling | None = None,
        week_start: Weekday | None = None,
        periods: int | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        sample: float | Mapping[str, Any] | None = None,
        preset: Preset | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """Who comes back, by the period in which they started?

        A cell counts the users of a cohort who returned in exactly that period, of those for whom it is over. Rows:
        `cohort`, `size`, `period`, `value`, `count`, `eligible`, `complete`, `partial_count`, `low`, `high`, `total`,
        `per_returning`. With a `breakdown` there is `group` in front: `None` for all together, whose cells come first,
        and then the groups.

        Args:
            cohort_period: `hourly`, `daily`, `weekly` or `monthly`, by the calendar of the zone.
            start_date: the first day, or instant, of the starts.
            end_date: the last day, included whole, or the instant before which they end.
            start: the event that starts a user; any by default.
            return_: the event that brings a user back; any by default.
            analysis_metric: the figure in the cells, for each eligible user: `retention_rate`, `revenue`, `engagement`
                (return events), `feature_usage` (distinct features), `property_sum` or `property_average`.
            property: the numeric property of the last two.
            mode: `first_time` (a user joins once, at the first start ever; the default), `first_ever_then_filter`
                (once, if the first event of the start's name meets its filters), or `recurring` (in every period with
                a start).
            unit: how columns count time: by the `calendar` (the default), or from each start by `24h`, `7d`, `30d` or
                `month_anniversary`.
            clock_start: from when on a unit of hours or days counts: the start's `event` (the default), its full
                `hour`, or its `day`.
            criterion: which returns a column counts: `on` the period (the default), `on_or_after`, `on_or_before`, or
                a `streak` of all periods up to it.
            brackets: columns of several periods, half-open pairs such as `[(0, 1), (1, 7)]`, in the place of a
                criterion.
            minimum_occurrences: the return events that a period needs to count one; 1 by default.
            maturity: whether a period counts users for whom it is not over: `elapsed` (no, the default) or `ignored`.
            filters: only events that meet all of these `Filter`s are seen.
            hold_constant: a return counts only with the start's value of this property.
            breakdown: the same table for each value that starts have of a property; `{"property": …, "limit": 10}` for
                at most so many groups.
            pooling: which cohorts the averages pool: `all`, or the `common_cohorts` of all columns.
            week_start: the first day of weeks; Monday by default.
            periods: how many periods after the first to show; all that have begun by default.
            timezone: the IANA zone of dates and calendar; UTC by default.
            segment: only users of this segment.
            sample: as `funnel`, for rates.
            preset: the peer whose switches stand where none are given; `exact` by default.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> february: ts.Range = {"start_date": "2026-02-01", "end_date": "2026-02-14"}
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest(
            ...         [
            ...             {"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"},
            ...             {"userId": "ada", "name": "book", "ts": "2026-02-02T10:00:00Z"},
            ...             {"userId": "bob", "name": "search", "ts": "2026-02-03T10:00:00Z"},
            ...         ]
            ...     )
            ...     weeks = a.retention("weekly", start="search", return_="book", **february)
            >>> [(row["period"], row["count"], row["eligible"]) for row in weeks if row["size"]][:2]
            [(0, 1, 1), (1, 1, 1)]
        """
        asked = question(
            cohort_period=cohort_period,
            start_date=start_date,
            end_date=end_date,
            start=start,
            return_=return_,
            analysis_metric=analysis_metric,
            property=property,
            mode=mode,
            unit=unit,
            clock_start=clock_start,
            criterion=criterion,
            brackets=brackets,
            minimum_occurrences=minimum_occurrences,
            maturity=maturity,
            filters=filters,
            hold_constant=hold_constant,
            breakdown=breakdown,
            pooling=pooling,
            week_start=week_start,
            periods=periods,
            timezone=timezone,
            segment=segment,
            sample=sample,
            preset=preset,
            as_of=as_of,
        )
        return self._result("retention", asked, timeout, progress)
