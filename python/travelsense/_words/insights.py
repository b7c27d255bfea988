"""What stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from travelsense._handle import Handle
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from travelsense._asking import Watch
    from travelsense._question import Date, Event, FunnelDetails, InsightType, Length
    from travelsense._result import Result


class Insights(Handle):
    """The question about what stands out in how users behave."""

    def user_insights(
        self,
        *,
        start_date: Date,
        end_date: Date,
        insight_type: InsightType | None = None,
        limit: int | None = None,
        steps: Sequence[Event] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
        **funnel: Unpack[FunnelDetails],
    ) -> Result:
        """What stands out in how users behave over a range, in words and with the numbers behind them?

        Rows: `insight_type`, `title`, `description`, `confidence`, `segment`; the numbers are in `to_dict()`.

        Args:
            start_date: as `funnel`.
            end_date: as `funnel`.
            insight_type: the only kind asked for; every available kind by default.
            limit: at most so many, 1 to 100; 20 by default.
            steps: as `funnel`.
            timeout: as `funnel`.
            progress: as `funnel`.
            funnel: any other option of a funnel, for example `window="7d"`.

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
            ...     insights = a.user_insights(steps=["search", "book"], insight_type="conversion_funnel", **february)
            >>> [row["title"] for row in insights]
            ['Conversion from `search` to `book`']
        """
        asked = question(
            start_date=start_date,
            end_date=end_date,
            insight_type=insight_type,
            limit=limit,
            steps=steps,
            **funnel,
        )
        return self._result("user_insights", asked, timeout, progress)
