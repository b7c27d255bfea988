"""Who did what, and who may no longer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from travelsense._asking import ask
from travelsense._handle import Handle
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._question import Outcome


class Access(Handle):
    """The verbs of the record and of access."""

    def audit(
        self,
        *,
        who: str | None = None,
        action: str | None = None,
        object: str | None = None,  # noqa: A002 - as the record names it
        outcome: Outcome | None = None,
        from_: str | datetime | None = None,
        to: str | datetime | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> dict[str, Any]:
        """The record of who did what, the latest entry first.

        Args:
            who: only of this principal.
            action: only such actions, for example `dashboard` or `dashboard.create`.
            object: only to what begins so.
            outcome: only what was `allowed`, `refused`, or `failed`.
            from_: only from this instant on.
            to: only before this instant.
            limit: at most so many.
            offset: how many to leave out before.

        Returns:
            `entries`, each with `seq`, `at`, `who`, `role`, `action`, `object`, `outcome`, `reason` and `hash`; `total`
            and `hasMore`.

        Raises:
            ValidationError: with everything wrong with the conditions.
            Forbidden: who acts may not read the record.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     [(entry["who"], entry["action"], entry["outcome"]) for entry in a.audit()["entries"]]
            [('owner', 'dashboard.create', 'allowed')]
        """
        asked = question(
            who=who, action=action, object=object, outcome=outcome, from_=from_, to=to, limit=limit, offset=offset
        )
        listed: dict[str, Any] = json.loads(self._store.audit(asked))
        return listed

    def permissions(self) -> list[str]:
        """What whoever this handle acts for may do, by name.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.acting("app", "collector").permissions()
            ['ingest_events']
        """
        names: list[str] = json.loads(self._store.permissions())
        return names

    def audit_anchor(self) -> dict[str, Any]:
        """Where the record ends now: `seq`, `hash` and `at`.

        Kept elsewhere, it shows later by `verify_audit(anchors=…)` that nothing up to here was rewritten.

        Raises:
            Forbidden: who acts may not read the record.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     a.audit_anchor()["seq"]
            1
        """
        anchor: dict[str, Any] = json.loads(self._store.audit_anchor())
        return anchor

    def verify_audit(
        self, *, anchors: Sequence[Mapping[str, Any]] | None = None, progress: Watch = True
    ) -> dict[str, Any]:
        """Checks the record: `entries`, `head`, and in `broken` the first entry that is not what it was.

        Args:
            anchors: what `audit_anchor` gave at other times and was kept elsewhere; they find a record that was made
                anew as a whole.
            progress: whether to show how far it is, where it takes over a second; or a function that hears the share.

        Raises:
            Forbidden: who acts may not read the record.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     found = a.verify_audit()
            >>> found["entries"], found["broken"]
            (1, None)
        """
        asked = question(anchors=anchors)
        text = ask("verifying the record", lambda how: self._store.verify_audit(asked, how), progress=progress)
        found: dict[str, Any] = json.loads(text)
        return found

    def revoke(
        self,
        *,
        jti: str | None = None,
        subject: str | None = None,
        issued_before: str | datetime | None = None,
        until: str | datetime | None = None,
    ) -> None:
        """Takes tokens of the HTTP server back before they expire: one by its id, or all of somebody.

        Args:
            jti: the id of one token; or
            subject: whose tokens, `"*"` for everybody's.
            issued_before: only those issued before this instant; now by default.
            until: from when on all of them have expired anyway, and need not be remembered.

        Raises:
            ValidationError: with everything wrong with it.
            Forbidden: who acts may not manage access.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.revoke(subject="vic")
            ...     a.audit(action="access")["entries"][0]["object"]
            'subject/vic'
        """
        self._store.revoke(question(jti=jti, subject=subject, issued_before=issued_before, until=until))
