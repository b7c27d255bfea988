"""Journeys: which ways users take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from travelsense._handle import Handle
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._question import Date, Event, Filter, JourneyPart, Length, Segment
    from travelsense._result import Result


class Journeys(Handle):
    """The question about the ways that users take."""

    def journey(
        self,
        *,
        start_date: Date,
        end_date: Date,
        start: Event = None,
        end: Event = None,
        occurrence: Literal["first", "last", "each"] | None = None,
        unit: Literal["users", "sessions"] | None = None,
        session_timeout: Length | None = None,
        filters: Sequence[Filter] | None = None,
        include: Sequence[Event] | None = None,
        exclude: Sequence[Event] | None = None,
        node_by: str | Mapping[str, Any] | None = None,
        rename: Sequence[str | Mapping[str, str]] | None = None,
        collapse: bool | None = None,
        collapsed_at: Literal["first", "last"] | None = None,
        max_steps: int | None = None,
        steps_from: Literal["first", "last"] | None = None,
        length: int | None = None,
        limit: int | None = None,
        nodes_per_step: int | None = None,
        around: Event = None,
        parts: Sequence[JourneyPart] | None = None,
        medians: bool | None = None,
        next_actions: int | None = None,
        preset: Literal["exact", "posthog"] | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """Which ways do users take?

        A path is the nodes of a user, or of a session, in the order of their events, between START and END; where the
        question cuts it, by its range or by `max_steps`, TRUNCATED stands in the place of either. Rows are the links of
        the Sankey: `step`, `source`, `source_kind`, `target`, `target_kind`, `users`, `transitions`, `mean_seconds`;
        nodes, sequences, transitions, the matrix, neighbours and loops are in `to_dict()`.

        Args:
            start_date: the first day, or instant, of the events.
            end_date: the last day, included whole, or the instant before which they end.
            start: the event that paths begin at; anywhere by default.
            end: the event that paths end at.
            occurrence: whether the `first`, the `last` or `each` such event of a unit begins or ends a path.
            unit: whether a path is of all events of a user (the default) or of those of a session.
            session_timeout: the longest pause within a session; 30 minutes by default.
            filters: only events that meet all of these `Filter`s are nodes.
            include: only these events are nodes; all by default.
            exclude: these events are no nodes.
            node_by: the property whose value names a node; the event's name by default.
            rename: names taken for one, where `*` stands for any text: `"/trip/*"`, or `{"match": "/trip/*", "as":
                "trip"}`.
            collapse: whether consecutive events of one node are one.
            collapsed_at: whether such a node stands at the time of its first event (the default) or its last.
            max_steps: the most nodes of a path in the Sankey and the matrix; 10 by default.
            steps_from: which node is step 1; the last where paths end at an event, otherwise the first.
            length: how many nodes the sequences have; 3 by default.
            limit: the most nodes, sequences and transitions shown; 20 by default.
            nodes_per_step: the most nodes shown of a step, the rest being Other; 10 by default.
            around: the event whose neighbours are counted.
            parts: the parts of the answer; all by default.
            medians: whether medians are computed; they are by default.
            next_actions: how many nodes are told in `to_dict()` that are likely to come next after each node and
                sequence shown, 0 to 10; none by default.
            preset: the rules that the switches are set by.
            timezone: the IANA zone of the dates; UTC by default.
            segment: only users of this segment.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest(
            ...         [
            ...             {"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"},
            ...             {"userId": "ada", "name": "book", "ts": "2026-02-01T10:05:00Z"},
            ...         ]
            ...     )
            ...     ways = a.journey(start_date="2026-02-01", end_date="2026-02-28")
            >>> [(row["source"], row["target"]) for row in ways]
            [('(start)', 'search'), ('search', 'book'), ('book', '(end)')]
        """
        asked = question(
            start_date=start_date,
            end_date=end_date,
            start=start,
            end=end,
            occurrence=occurrence,
            unit=unit,
            session_timeout=session_timeout,
            filters=filters,
            include=include,
            exclude=exclude,
            node_by=node_by,
            rename=rename,
            collapse=collapse,
            collapsed_at=collapsed_at,
            max_steps=max_steps,
            steps_from=steps_from,
            length=length,
            limit=limit,
            nodes_per_step=nodes_per_step,
            around=around,
            parts=parts,
            medians=medians,
            next_actions=next_actions,
            preset=preset,
            timezone=timezone,
            segment=segment,
            as_of=as_of,
        )
        return self._result("journey", asked, timeout, progress)
