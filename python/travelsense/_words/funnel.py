"""Funnels: how far users get, where they stop, and whether groups differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from travelsense._handle import Handle
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Unpack

    from travelsense._asking import Watch
    from travelsense._question import (
        Date,
        Event,
        Filter,
        FunnelOptions,
        Length,
        Order,
        Period,
        Preset,
        Property,
        Segment,
        Unit,
        Weekday,
    )
    from travelsense._result import Result


class Funnels(Handle):
    """The questions about the steps of a funnel."""

    def funnel(
        self,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        window: Length | None = None,
        timezone: str | None = None,
        segment: Segment | Mapping[str, str] | None = None,
        filters: Sequence[Filter] | None = None,
        order: Order | None = None,
        strict_increase: bool | None = None,
        anchor_first: bool | None = None,
        universe: Literal["all"] | Mapping[str, Sequence[str]] | None = None,
        window_calendar_days: int | None = None,
        range: Literal["entry", "all_steps"] | None = None,  # noqa: A002 - as the question names it
        grace: Length | None = None,
        exclusions: Sequence[Event] | None = None,
        exclusion_mode: Literal["kill_chain", "remove_user"] | None = None,
        hold_constant: Property | Sequence[Property] | None = None,
        unit: Unit | None = None,
        totals: Literal["attempts", "every_entry"] | None = None,
        session_timeout: Length | None = None,
        entry: Literal["earliest", "latest"] | None = None,
        entries: Literal["every", "first"] | None = None,
        breakdown: Property | Sequence[Property] | None = None,
        trend: Period | None = None,
        week_start: Weekday | None = None,
        time_between: tuple[int, int] | None = None,
        timed: Literal["converters", "reached"] | None = None,
        histogram_bins: int | None = None,
        revenue: bool | None = None,
        sample: float | Mapping[str, Any] | None = None,
        preset: Preset | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """How far do the users of a range get through a series of steps?

        A user enters with the first step within the range, and has converted when all steps follow in order within the
        window; of several tries the deepest counts. Rows, one a step: `step`, `event`, `count` (users who got at least
        so far), `rate` (of those who entered) with its 95 % interval, `rate_from_previous`, `dropped`, and times in
        seconds. With a `breakdown` there is `group` in front: `None` for all together, whose steps come first, and then
        the groups. Trend, histogram, revenue, and what is still open are in `to_dict()`.

        Args:
            steps: 1 to 64 events in order; the catalogue's default funnel where there are none. A step may be a mapping
                with `event`, `where` (a list of `Filter`s), `optional`, `minGap` and `maxGap`.
            start_date: the first day, or instant, of the entries.
            end_date: the last day, included whole, or the instant before which they end.
            window: the time from the first step to the last, both ends included; 14 days by default.
            timezone: the IANA zone of the dates; UTC by default.
            segment: only users of this segment, or of `{"cohort": name}`.
            filters: only events that meet all of these `Filter`s are seen.
            order: whether steps come one after the other (`ordered`, the default), right after each other (`strict`),
                or in `any` order.
            strict_increase: whether a step must be later than the one before, and not only not earlier.
            anchor_first: in any order, whether the first step must come first.
            universe: which events break a strict order: `all` (the default), or all `{"except": [names]}`.
            window_calendar_days: how many local days a chain may touch, in the place of `window`.
            range: whether the range selects entries only (`entry`, the default), or `all_steps`.
            grace: how much earlier than the step before a step may be stamped.
            exclusions: events that may not come between steps; a mapping may also say between which (`from`, `to`).
            exclusion_mode: whether an excluded event ends the chain that it meets (`kill_chain`, the default), or
                removes the entry (`remove_user`).
            hold_constant: properties whose values all events of a chain share.
            unit: whether `users` (the default), `sessions` or `totals`, which are attempts, are counted.
            totals: whether attempts follow one another, or every first step is one.
            session_timeout: the longest pause within a session; 30 minutes by default.
            entry: which of equally deep chains is reported: the `earliest` (the default), or the `latest`.
            entries: whether `every` first step may begin a chain (the default), or only the `first`.
            breakdown: the same funnel for each value of a property; `{"property": …, "by": "entry", "limit": 25}`
                says whose value counts, and at most how many groups.
            trend: the same funnel by the period of the entry.
            week_start: the first day of weeks; Monday by default.
            time_between: the pair of steps, from 1, whose time is measured; first to last by default.
            timed: whether times are of `converters` (the default), or of all who `reached` both steps.
            histogram_bins: in how many bins the times are counted.
            revenue: whether the amounts of the chains' events are summed.
            sample: only this share of all users, or `{"rate": …, "salt": …}`, with what its counts say of all.
            preset: the peer whose switches stand where none are given; `exact` by default.
            as_of: nothing after this instant is seen; now by default.
            timeout: how long it may take before it is given up as `Cancelled`: seconds, `"30s"`, or a `timedelta`; as
                long as the store says by default.
            progress: whether to show how far it is where it takes over a second and somebody may look; or a function to
                tell it, called with the share of the pass at hand that is done, 0 to 1. Its exception gives the
                question up.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     funnel = a.funnel(["search", "book"], start_date="2026-01-01", end_date="2026-01-31", window="7d")
            >>> funnel.to_dict()["converted"]
            0
        """
        asked = question(
            steps=steps,
            start_date=start_date,
            end_date=end_date,
            window=window,
            timezone=timezone,
            segment=segment,
            filters=filters,
            order=order,
            strict_increase=strict_increase,
            anchor_first=anchor_first,
            universe=universe,
            window_calendar_days=window_calendar_days,
            range=range,
            grace=grace,
            exclusions=exclusions,
            exclusion_mode=exclusion_mode,
            hold_constant=hold_constant,
            unit=unit,
            totals=totals,
            session_timeout=session_timeout,
            entry=entry,
            entries=entries,
            breakdown=breakdown,
            trend=trend,
            week_start=week_start,
            time_between=time_between,
            timed=timed,
            histogram_bins=histogram_bins,
            revenue=revenue,
            sample=sample,
            preset=preset,
            as_of=as_of,
        )
        return self._result("funnel", asked, timeout, progress)

    def drop_off(
        self,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        properties: Sequence[str | Mapping[str, Any]] | None = None,
        properties_at: Literal["entry", "step"] | None = None,
        within: Length | None = None,
        min_support: int | None = None,
        limit: int | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
        **funnel: Unpack[FunnelOptions],
    ) -> Result:
        """Where do the users of a funnel stop, what do they do next, and what separates them from those who go on?

        For each step, and for the whole funnel, every event on the way and every value of the properties is tried: the
        shares with and without it, their difference with its interval, and a p-value adjusted for all that were tried.
        Only users whose window is over are compared.

        Args:
            steps: as `funnel`.
            start_date: as `funnel`.
            end_date: as `funnel`.
            properties: the properties whose values are tried: a name, `{"user": name}` or `{"cohort": name}`.
            properties_at: whether the value of the entry counts, as by default, or that of the step.
            within: events count for so long after the entry; for the whole window by default.
            min_support: what fewer users have, or lack, is not tried; 30 by default.
            limit: at most so many next events and factors of each step; 20 by default.
            timeout: as `funnel`.
            progress: as `funnel`.
            funnel: any other option of a funnel, for example `window="7d"` or `order="any"`.

        Rows, one a step: `step`, `event`, `reached`, `dropped`, `open`, `rate`, `exit_rate`, `next_event`, `factor` and
        more; all factors, and those of the whole funnel in `conversion`, are in `to_dict()`.

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
            ...     points = a.drop_off(["search", "book"], window="7d", **february)
            >>> [(row["event"], row["reached"], row["dropped"]) for row in points]
            [('search', 2, 1)]
        """
        asked = question(
            steps=steps,
            start_date=start_date,
            end_date=end_date,
            properties=properties,
            properties_at=properties_at,
            within=within,
            min_support=min_support,
            limit=limit,
            **funnel,
        )
        return self._result("drop_off", asked, timeout, progress)

    def compare(
        self,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        between: Sequence[Segment | Mapping[str, str]] | None = None,
        breakdown: str | Sequence[Any] | Mapping[str, Any] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
        **funnel: Unpack[FunnelOptions],
    ) -> Result:
        """Do the groups of a funnel differ, each from the rest, in the whole and at each step?

        Args:
            steps: as `funnel`.
            start_date: as `funnel`.
            end_date: as `funnel`.
            between: the groups: segments, and cohorts as `{"cohort": name}`.
            breakdown: the property whose groups are compared, in the place of `between`.
            timeout: as `funnel`.
            progress: as `funnel`.
            funnel: any other option of a funnel, for example `window="7d"`.

        Rows, of each group one for the whole funnel and one a step: `group`, `step`, `event`, `k`, `n`, `rate`,
        `rest_k`, `rest_n`, `rest_rate`, `difference` with its interval, `p_value`, and `adjusted_p_value` for all of
        them.

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
            ...     groups = a.compare(["search", "book"], between=["new", "returning"], window="7d", **february)
            >>> [(row["group"], row["k"], row["n"]) for row in groups if row["step"] is None]
            [('new', 1, 2), ('returning', 0, 0)]
        """
        asked = question(
            steps=steps,
            start_date=start_date,
            end_date=end_date,
            between=between,
            breakdown=breakdown,
            **funnel,
        )
        return self._result("compare", asked, timeout, progress)
