"""Engagement and adoption: how often users come, and what they take up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from travelsense._handle import Handle
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._question import Date, EngagementMetric, Event, Feature, Filter, Length, Period, Segment, Weekday
    from travelsense._result import Result


class Engagement(Handle):
    """The questions about how often users come, and which features they take up."""

    def engagement(
        self,
        *,
        start_date: Date,
        end_date: Date,
        metrics: Sequence[EngagementMetric] | None = None,
        event: Event = None,
        filters: Sequence[Filter] | None = None,
        period: Period | None = None,
        week_start: Weekday | None = None,
        min_events: int | None = None,
        session_timeout: Length | None = None,
        preset: Literal["exact", "posthog"] | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """How often do users come, and when?

        Active users by day, week and month; stickiness (on how many days, DAU/MAU); lifecycle (new, returning,
        resurrected, dormant); sessions; and a heat map by weekday and hour. Rows: `start`, `end`, `partial`,
        `complete`, `active_users`, `active`, `new`, `returning`, `resurrected`, `dormant`; the rest is in `to_dict()`.

        Args:
            start_date: the first day, or instant, of the range.
            end_date: the last day, included whole, or the instant before which it ends.
            metrics: the parts of the answer; all five by default.
            event: the events that are activity; any by default.
            filters: only events that meet all of these `Filter`s are seen.
            period: `daily` (the default), `weekly` or `monthly`: the period of lifecycle and stickiness.
            week_start: the first day of weeks; Monday by default.
            min_events: how many events a period needs for stickiness to count it; 1 by default.
            session_timeout: the longest pause within a session; 30 minutes by default.
            preset: whose rules to follow; `exact` by default.
            timezone: the IANA zone of dates and calendar; UTC by default.
            segment: only users of this segment.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     february = a.engagement(start_date="2026-02-01", end_date="2026-02-02")
            >>> [(row["active"], row["new"], row["dormant"]) for row in february]
            [(1, 1, 0), (0, 0, 1)]
        """
        asked = question(
            start_date=start_date,
            end_date=end_date,
            metrics=metrics,
            event=event,
            filters=filters,
            period=period,
            week_start=week_start,
            min_events=min_events,
            session_timeout=session_timeout,
            preset=preset,
            timezone=timezone,
            segment=segment,
            as_of=as_of,
        )
        return self._result("engagement", asked, timeout, progress)

    def adoption(
        self,
        features: Sequence[Feature] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        within: Length | None = None,
        min_uses: int | None = None,
        filters: Sequence[Filter] | None = None,
        period: Period | None = None,
        week_start: Weekday | None = None,
        frequencies: Sequence[int] | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """Which features do users take up, how soon and how many of them?

        Of the users active in the range after they were exposed to a feature (their first event ever or its release,
        whichever is later), those are adopters who use it often enough in time. Rows: `feature`, `exposed`,
        `adopters`, `rate`, `rate_low`, `rate_high`, `open`, `matured_rate`, `users`, `uses`,
        `median_seconds_to_adopt`, `kaplan_meier_median_seconds`.

        Args:
            features: names of features, or mappings with `name`, `event`, `where`, `released`; the catalogue's
                features where there are none.
            start_date: the first day, or instant, of the range.
            end_date: the last day, included whole, or the instant before which it ends.
            within: the time from exposure in which the uses must be; 30 days by default.
            min_uses: how many uses make an adopter; 1 by default.
            filters: only events that meet all of these `Filter`s are seen.
            period: by which first uses are counted; `weekly` by default.
            week_start: the first day of weeks; Monday by default.
            frequencies: from how many uses on each column of the breadth table counts; 1, 2, 5, 10, 20 by default.
            timezone: the IANA zone of dates and calendar; UTC by default.
            segment: only users of this segment.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "map", "ts": "2026-02-01T10:00:00Z"}])
            ...     map_, chat = a.adoption(["map", "chat"], start_date="2026-02-01", end_date="2026-02-28")
            >>> map_["adopters"], chat["adopters"], chat["exposed"]
            (1, 0, 1)
        """
        asked = question(
            features=features,
            start_date=start_date,
            end_date=end_date,
            within=within,
            min_uses=min_uses,
            filters=filters,
            period=period,
            week_start=week_start,
            frequencies=frequencies,
            timezone=timezone,
            segment=segment,
            as_of=as_of,
        )
        return self._result("adoption", asked, timeout, progress)
