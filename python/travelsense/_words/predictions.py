"""Predictions: what comes next, who is about to go away, what users will be worth and do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from travelsense._asking import ask
from travelsense._handle import Handle
from travelsense._question import question
from travelsense._result import Backtest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._question import Date, Event, Length, Prediction, Property, Segment
    from travelsense._result import Result


class Predictions(Handle):
    """The verbs of prediction, which every open store has."""

    def predictive(
        self,
        prediction_type: Prediction,
        *,
        start_date: Date,
        end_date: Date,
        confidence_level: float | None = None,
        horizon: int | None = None,
        segment: Segment | None = None,
        segments: Sequence[Segment] | None = None,
        feature: str | None = None,
        country: str | None = None,
        feedback: str | None = None,
        timezone: str | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """What comes after the history of a range?

        Rows: `segment`, `date`, `value`, `predicted`, `lower_bound`, `upper_bound`: the history, and the buckets
        after it with their bounds. The models, the backtest beside the seasonal naive forecast, and what was found
        in the history are in `to_dict()`.

        Args:
            prediction_type: `user_growth` (new users a day), `revenue` (a day), `demand_forecast` (bookings a day),
                `churn_rate` (of the users of a week, the share not active in the next four) or `feature_adoption`
                (first uses a day).
            start_date: the first day, or instant, of the history.
            end_date: the last day, included whole, or the instant before which it ends.
            confidence_level: the central interval in per cent, 0 to 100; 95 by default.
            horizon: how many days (weeks for `churn_rate`) ahead, 1 to 365; a quarter of the history by default, at
                most 90.
            segment: only users of this segment.
            segments: segments that are predicted beside it, each by itself.
            feature: the one feature of `feature_adoption`; every feature of the catalogue by default.
            country: the two letters of a country whose holidays count.
            feedback: a name under which it is kept, so that its intervals learn from what comes.
            timezone: the IANA zone of the dates; UTC by default.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question, and where there is too little history.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-03T10:00:00Z"}])
            ...     growth = a.predictive("user_growth", start_date="2026-02-01", end_date="2026-02-14", horizon=2)
            >>> [row["predicted"] for row in growth].count(True)
            2
        """
        asked = question(
            prediction_type=prediction_type,
            start_date=start_date,
            end_date=end_date,
            confidence_level=confidence_level,
            horizon=horizon,
            segment=segment,
            segments=segments,
            feature=feature,
            country=country,
            feedback=feedback,
            timezone=timezone,
            as_of=as_of,
        )
        return self._result("predictive", asked, timeout, progress)

    def backtest(
        self,
        prediction_type: Prediction,
        *,
        start_date: Date,
        end_date: Date,
        horizon: int | None = None,
        origins: int | None = None,
        step: int | None = None,
        segment: Segment | None = None,
        segments: Sequence[Segment] | None = None,
        feature: str | None = None,
        country: str | None = None,
        timezone: str | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Backtest:
        """How well would the predictions of a range have done, beside the seasonal naive forecast?

        From each of the past origins the metric is predicted with nothing of what came later. Rows are as those of
        `travelsense.backtest`, with the segment as `unique_id`; so are `scores`: MASE, WAPE, bias (forecast less
        value), and coverage and width of the intervals at 80 and 95 %.

        Args:
            prediction_type: as `predictive`.
            start_date: as `predictive`.
            end_date: as `predictive`.
            horizon: as `predictive`, of each origin.
            origins: from how many past origins, 1 to 100; 10 by default. The last of them is a horizon before the end.
            step: how many days (weeks for `churn_rate`) lie between two origins; the horizon by default.
            segment: as `predictive`.
            segments: as `predictive`.
            feature: as `predictive`.
            country: as `predictive`.
            timezone: as `predictive`.
            as_of: as `predictive`.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-03T10:00:00Z"}])
            ...     test = a.backtest("user_growth", start_date="2026-02-01", end_date="2026-02-28", horizon=2)
            >>> len(test), [score["origins"] for score in test.scores]
            (14, [7])
        """
        asked = question(
            prediction_type=prediction_type,
            start_date=start_date,
            end_date=end_date,
            horizon=horizon,
            origins=origins,
            step=step,
            segment=segment,
            segments=segments,
            feature=feature,
            country=country,
            timezone=timezone,
            as_of=as_of,
        )
        answer = ask(
            "backtest", lambda how: self._store.answer("backtest", asked, how), timeout=timeout, progress=progress
        )
        return Backtest(answer)

    def churn(
        self,
        *,
        horizon_days: int | None = None,
        activity: Event = None,
        active_within_days: int | None = None,
        attributes: Sequence[Property] | None = None,
        segment: Segment | None = None,
        users: Sequence[str] | None = None,
        next_actions: int | None = None,
        confidence_level: float | None = None,
        limit: int | None = None,
        offset: int | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """Which users are about to go away, how sure is that, and why?

        Rows, those with the highest risk first: `user_id`, `probability`, `low`, `high`, `expected_active_days`,
        `active_days`, `days_since_active`, `days_known`, `reasons`; the summary, and how good such probabilities
        have been, are in `to_dict()`.

        Args:
            horizon_days: a user churns who has no activity in so many days from `as_of` on; 30 by default.
            activity: the events that are activity; all by default.
            active_within_days: only users active in so many days before count; all known ones by default.
            attributes: what events (`"country"`), or profiles and cohorts at them (`{"user": "plan"}`), say of users
                that may tell who goes, at most 8. Boosted trees decide where they lose less than the regression.
            segment: only users of this segment are listed.
            users: only these users are listed.
            next_actions: how many next actions are told of each user listed, 0 to 10, in `to_dict()`; none by default.
            confidence_level: the level of intervals in per cent; 95 by default.
            limit: at most so many users, 0 to 10,000; 100 by default.
            offset: how many to leave out before.
            as_of: only what happened strictly before is used; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question, and where there is too little history.

        Example:
            >>> import travelsense as ts
            >>> from datetime import UTC, datetime, timedelta
            >>> new_year = datetime(2026, 1, 1, tzinfo=UTC)
            >>> visits = [
            ...     {"userId": f"u{user}", "name": "visit", "ts": new_year + timedelta(days=day)}
            ...     for user in range(60)
            ...     for day in range(user % 5, 20 if user % 3 else 59, 2 + user % 4)
            ... ]
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest(visits)
            ...     churn = a.churn(horizon_days=7, active_within_days=21)
            >>> churn.to_dict()["summary"]["users"]
            20
            >>> all(row["low"] <= row["probability"] <= row["high"] for row in churn)
            True
        """
        asked = question(
            horizon_days=horizon_days,
            activity=activity,
            active_within_days=active_within_days,
            attributes=None if attributes is None else list(attributes),
            segment=segment,
            users=users,
            next_actions=next_actions,
            confidence_level=confidence_level,
            limit=limit,
            offset=offset,
            as_of=as_of,
        )
        return self._result("churn", asked, timeout, progress)

    def value(
        self,
        *,
        horizon_days: int | None = None,
        activity: Event = None,
        segment: Segment | None = None,
        users: Sequence[str] | None = None,
        limit: int | None = None,
        offset: int | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """How often are customers expected to buy, and for how much?

        Rows, those of the highest expected value first: `user_id`, `expected_value`, `expected_purchases`,
        `value_per_purchase`, `probability_alive`, `purchases`, `value`, `days_since_purchase`; the models and what they
        foretold a horizon ago are in `to_dict()`.

        Args:
            horizon_days: how many days from `as_of` on; 365 by default.
            activity: the events that are purchases; the catalogue's events with money by default.
            segment: only users of this segment are listed.
            users: only these users are listed.
            limit: at most so many users, 0 to 10,000; 100 by default.
            offset: how many to leave out before.
            as_of: only what happened strictly before is used; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question, and where nobody bought twice.

        Example:
            >>> import travelsense as ts
            >>> paid = [
            ...     {"userId": f"u{user}", "name": "payment", "ts": f"2026-02-{day:02}T10:00:00Z", "amount": 10 + user}
            ...     for user in range(30)
            ...     for day in range(1 + user % 7, 28, 3 + user % 5)
            ... ]
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{**payment, "currency": "EUR"} for payment in paid])
            ...     value = a.value(horizon_days=28)
            >>> value.columns[:3]
            ['user_id', 'expected_value', 'expected_purchases']
            >>> len(value), value.to_dict()["currency"]
            (30, 'EUR')
        """
        asked = question(
            horizon_days=horizon_days,
            activity=activity,
            segment=segment,
            users=users,
            limit=limit,
            offset=offset,
            as_of=as_of,
        )
        return self._result("value", asked, timeout, progress)

    def next_action(
        self,
        *,
        users: Sequence[str] | None = None,
        activity: Event = None,
        segment: Segment | None = None,
        order: int | None = None,
        top: int | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """What will users do next?

        Rows: `user_id` (`None` for the segment together, whose rows come first), `event`, `probability`, `low`, `high`.
        In `to_dict()` is what gave the chances: `method` is `markov`, a chain of the last actions, or `boosting`, trees
        that mend its chances by how long ago and how often a user did what and by the hour of the week, where they lost
        less on what users did later; `backtest` has the scores of both, `quality` those of chains action by action.

        Args:
            users: whose next actions are told one by one; nobody by default.
            activity: the events that are actions; all by default.
            segment: the users whose next actions are told together.
            order: how many of a user's last actions are looked at, at most; 3 by default.
            top: how many actions are told, the likeliest first; 10 by default.
            as_of: nothing after this instant is seen; now by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     names = ["search", "view", "search", "view", "book"]
            ...     report = a.ingest([
            ...         {"userId": f"u{user}", "name": name, "ts": f"2026-02-{10 + i}T10:00:00Z"}
            ...         for user in range(20)
            ...         for i, name in enumerate(names)
            ...     ])
            ...     actions = a.next_action(order=1, top=3)
            >>> round(sum(row["probability"] for row in actions), 6) <= 1
            True
        """
        asked = question(users=users, activity=activity, segment=segment, order=order, top=top, as_of=as_of)
        return self._result("next_action", asked, timeout, progress)
