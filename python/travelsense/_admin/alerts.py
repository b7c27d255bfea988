"""Alerts and notifications: who is told when something is not as it should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from travelsense._handle import Handle
from travelsense._question import question, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime


class Alerts(Handle):
    """The verbs of alerts and notifications."""

    def alerts(
        self, *, search: str | None = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]:
        """The alert rules and where they stand, page by page: `alerts`, `total`, `hasMore`.

        Args:
            search: something in their name, taken literally.
            limit: at most so many; 20 by default.
            offset: how many to leave out before.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> with ts.open(":memory:") as a:
            ...     rule = a.create_alert(quiet)
            ...     [(kept["name"], kept["enabled"]) for kept in a.alerts()["alerts"]]
            [('Quiet', True)]
        """
        listed: dict[str, Any] = json.loads(self._store.alerts(question(search=search, limit=limit, offset=offset)))
        return listed

    def create_alert(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        """Makes an alert rule and gives it as it is kept; its questions are asked as whoever makes it.

        Args:
            rule: `name`, `source`, `condition` and, optionally, `severity`, `schedule`, `for`, `clearFor`, `coolDown`,
                `group`, `channels`, `maintenance`, `enabled`.

        Raises:
            ValidationError: with everything wrong with it.

        Example:
            >>> import travelsense as ts
            >>> quiet = {
            ...     "name": "Quiet",
            ...     "source": {"system": "freshness"},
            ...     "condition": {"type": "threshold", "above": 3600},
            ...     "channels": [{"type": "in_app", "roles": ["admin"]}],
            ... }
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     rule = a.create_alert(quiet)
            ...     a.alerts(search="qui")["total"]
            1
        """
        made: dict[str, Any] = json.loads(self._store.create_alert(to_json(rule)))
        return made

    def alert(self, id: str) -> dict[str, Any]:  # noqa: A002 - the id of an alert rule
        """An alert rule, and where it stands.

        Args:
            id: the id of the rule.

        Raises:
            ValidationError: for what is no id.
            NotFound: where there is none of that id.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> with ts.open(":memory:") as a:
            ...     rule = a.create_alert(quiet)
            ...     a.alert(rule["_id"])["name"]
            'Quiet'
        """
        found: dict[str, Any] = json.loads(self._store.alert(id))
        return found

    def update_alert(
        self,
        id: str,  # noqa: A002 - the id of an alert rule
        changes: Mapping[str, Any],
        *,
        revision: int | None = None,
    ) -> dict[str, Any]:
        """Changes an alert rule: what is left out stays as it is. With a revision, only if it is still that one.

        Args:
            id: the id of the rule.
            changes: any of the fields of `create_alert`.
            revision: change it only if it is still that one.

        Raises:
            ValidationError: with everything wrong with the changes.
            NotFound: where there is none of that id.
            Conflict: where somebody else was faster.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> with ts.open(":memory:") as a:
            ...     rule = a.create_alert(quiet)
            ...     a.update_alert(rule["_id"], {"enabled": False})["enabled"]
            False
        """
        changed: dict[str, Any] = json.loads(self._store.update_alert(id, to_json(changes), revision))
        return changed

    def delete_alert(self, id: str, *, revision: int | None = None) -> None:  # noqa: A002 - as above
        """Removes an alert rule; with a revision, only if it is still that one.

        Args:
            id: the id of the rule.
            revision: remove it only if it is still that one.

        Raises:
            NotFound: where there is none of that id.
            Conflict: where somebody else was faster.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> with ts.open(":memory:") as a:
            ...     rule = a.create_alert(quiet)
            ...     a.delete_alert(rule["_id"])
            ...     a.alerts()["total"]
            0
        """
        self._store.delete_alert(id, revision)

    def silence_alert(
        self,
        id: str,  # noqa: A002 - the id of an alert rule
        silence: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Tells nobody of an alert rule for a while.

        An incident that outlasts it is told then, and so is that one ended of which somebody was told before.

        Args:
            id: the rule's id.
            silence: `{"for": "2h"}` or `{"until": "2026-01-31T10:00:00Z"}`, with a `reason`; `{"until": None}` ends
                a silence.

        Raises:
            ValidationError: with everything wrong with the silence.
            NotFound: where there is none of that id.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> with ts.open(":memory:") as a:
            ...     rule = a.create_alert(quiet)
            ...     silent = a.silence_alert(rule["_id"], {"for": "2h", "reason": "we move"})
            >>> silent["silence"]
            'owner: we move'
        """
        silenced: dict[str, Any] = json.loads(self._store.silence_alert(id, to_json(silence)))
        return silenced

    def test_alert(self, id: str) -> dict[str, Any]:  # noqa: A002 - as above
        """Sends a test to all places that an alert rule tells: `reading`, `verdict`, `messages`.

        Args:
            id: the id of the rule.

        Raises:
            ValidationError: for what is no id.
            NotFound: where there is none of that id.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> quiet["channels"] = [{"type": "in_app", "roles": ["admin"]}]
            >>> with ts.open(":memory:") as a:
            ...     rule = a.create_alert(quiet)
            ...     a.test_alert(rule["_id"])["messages"]
            1
        """
        tested: dict[str, Any] = json.loads(self._store.test_alert(id))
        return tested

    def alert_history(
        self,
        id: str,  # noqa: A002 - as above
        *,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[dict[str, Any]]:
        """What became of an alert rule, the latest first: `at`, `event`, `details`.

        Args:
            id: the id of the rule.
            limit: at most so many, 1 to 100; 20 by default.
            offset: how many to leave out before.

        Raises:
            ValidationError: with everything wrong with the question.
            NotFound: where there is none of that id.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     rule = a.create_alert(quiet)
            ...     done = a.evaluate_alerts()
            ...     [event["event"] for event in a.alert_history(rule["_id"])]
            ['notified', 'firing']
        """
        asked = question(limit=limit, offset=offset)
        events: list[dict[str, Any]] = json.loads(self._store.alert_history(id, asked))
        return events

    def evaluate_alerts(self) -> dict[str, Any]:
        """Evaluates the alert rules that are due, each once for the same instant; a server does so by itself.

        Gives `evaluated`, `failed`, `opened` and `messages`.

        Raises:
            Forbidden: who acts may not manage alerts.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> with ts.open(":memory:") as a:
            ...     rule = a.create_alert(quiet)
            ...     done = a.evaluate_alerts()
            >>> done["evaluated"], done["failed"]
            (1, 0)
        """
        done: dict[str, Any] = json.loads(self._store.evaluate_alerts())
        return done

    def alert_news(
        self, *, since: str | datetime, limit: int | None = None, offset: int | None = None
    ) -> list[dict[str, Any]]:
        """What became of all alert rules from an instant on, the earliest first, for whoever looks again and again.

        Args:
            since: the instant, an aware `datetime` or ISO 8601 with an offset.
            limit: at most so many, 1 to 1,000; 100 by default.
            offset: how many to leave out before.

        Returns:
            Each with `alert`, the id of its rule, `at`, `event` and `details`.

        Raises:
            ValidationError: with everything wrong with the question.
            Forbidden: who acts may not read alerts.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 60}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     rule = a.create_alert(quiet)
            ...     done = a.evaluate_alerts()
            ...     [news["event"] for news in a.alert_news(since="2026-03-01T00:00:00Z")]
            ['firing', 'notified']
        """
        asked = question(since=since, limit=limit, offset=offset)
        told: list[dict[str, Any]] = json.loads(self._store.alert_news(asked))
        return told

    def deliver_notifications(
        self, send: Callable[[dict[str, Any]], str | None], *, limit: int = 8
    ) -> dict[Literal["delivered", "failed", "given_up"], int]:
        """Delivers notifications that are due by a function of yours; a server does so by itself.

        Args:
            send: gets each with `channel`, `title`, `body`, `createdAt` and `attempts`, and sends it: by e-mail, to a
                webhook or to Slack, as `channel` says. One for which it raises is tried again later, ten times over a
                day and a half; one for which it gives a reason to give up never is.
            limit: at most so many.

        Returns:
            How many were delivered, will be tried again, or were given up.

        Raises:
            Forbidden: who acts may not manage alerts.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 60}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> quiet["channels"] = [{"type": "email", "to": ["ops@example.com"]}]
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     rule = a.create_alert(quiet)
            ...     done = a.evaluate_alerts()
            ...     a.deliver_notifications(lambda due: print(due["channel"]["to"], due["title"]))
            ['ops@example.com'] Quiet: freshness is 2383200, expected at most 60
            {'delivered': 1, 'failed': 0, 'given_up': 0}
        """
        report: dict[Literal["delivered", "failed", "given_up"], int] = {"delivered": 0, "failed": 0, "given_up": 0}
        for letter in self._store.take_notifications(limit):
            try:
                reason = send(json.loads(letter.text))
            except Exception as error:  # noqa: BLE001 - whatever a mailer raises, it was not sent
                report["failed"] += 1
                self._store.attempted(letter, str(error) or type(error).__name__, lost=False)
            else:
                report["delivered" if reason is None else "given_up"] += 1
                self._store.attempted(letter, reason, lost=reason is not None)
        return report

    def notifications(
        self, *, unread: bool | None = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]:
        """One's notifications, the latest first: `notifications`, `total`, `unread`, `hasMore`.

        Args:
            unread: only those that were not read yet.
            limit: at most so many; 20 by default.
            offset: how many to leave out before.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> quiet["channels"] = [{"type": "in_app", "roles": ["admin"]}]
            >>> with ts.open(":memory:") as a:
            ...     rule = a.create_alert(quiet)
            ...     tested = a.test_alert(rule["_id"])
            ...     a.notifications(unread=True)["total"]
            1
        """
        asked = question(unread=unread, limit=limit, offset=offset)
        listed: dict[str, Any] = json.loads(self._store.notifications(asked))
        return listed

    def read_notification(self, id: str) -> None:  # noqa: A002 - the id of a notification
        """Marks a notification as read.

        Args:
            id: the id of the notification.

        Raises:
            NotFound: where one has none of that id.

        Example:
            >>> import travelsense as ts
            >>> stale = {"type": "threshold", "above": 3600}
            >>> quiet = {"name": "Quiet", "source": {"system": "freshness"}, "condition": stale}
            >>> quiet["channels"] = [{"type": "in_app", "roles": ["admin"]}]
            >>> with ts.open(":memory:") as a:
            ...     rule = a.create_alert(quiet)
            ...     tested = a.test_alert(rule["_id"])
            ...     a.read_notification(a.notifications()["notifications"][0]["_id"])
            ...     a.notifications()["unread"]
            0
        """
        self._store.read_notification(id)

    def deliveries(
        self, *, state: str | None = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]:
        """Notifications on their way out, the latest first: `deliveries`, `total`, `hasMore`.

        Args:
            state: only those `waiting`, `sent`, or `dead`, which were given up.
            limit: at most so many, 1 to 100; 20 by default.
            offset: how many to leave out before.

        Raises:
            ValidationError: with everything wrong with the question.
            Forbidden: who acts may not manage alerts.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.deliveries(state="dead")["total"]
            0
        """
        listed: dict[str, Any] = json.loads(self._store.deliveries(question(state=state, limit=limit, offset=offset)))
        return listed

    def retry_delivery(self, id: str) -> None:  # noqa: A002 - the id of a notification
        """Puts a notification that was given up on its way again.

        Args:
            id: the id of the notification.

        Raises:
            NotFound: where none of that id was given up.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     try:
            ...         a.retry_delivery("0123456789abcdef01234567")
            ...     except ts.NotFound as absent:
            ...         print(absent.code)
            not_found
        """
        self._store.retry_delivery(id)
