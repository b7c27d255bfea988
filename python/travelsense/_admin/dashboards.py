"""Dashboards, their rules and their data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from travelsense._asking import ask
from travelsense._handle import Handle
from travelsense._question import question, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from travelsense._asking import Watch
    from travelsense._question import Date, Length


class Dashboards(Handle):
    """The verbs of dashboards."""

    def dashboards(
        self,
        *,
        search: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
        sort_by: Literal["createdAt", "name"] | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
    ) -> dict[str, Any]:
        """The dashboards that are one's own, shared or public, page by page: `dashboards`, `total`, `hasMore`.

        Args:
            search: something in their name or description, taken literally.
            limit: at most so many, 1 to 50; 20 by default.
            offset: how many to leave out before.
            sort_by: by when they were made, or by name.
            sort_order: the latest first, or names from A to Z, by default.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     a.dashboards(search="exec")["total"]
            1
        """
        asked = question(search=search, limit=limit, offset=offset, sort_by=sort_by, sort_order=sort_order)
        listed: dict[str, Any] = json.loads(self._store.dashboards(asked))
        return listed

    def create_dashboard(
        self,
        name: str,
        widgets: Sequence[Mapping[str, Any]],
        *,
        description: str | None = None,
        is_public: bool | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Makes a dashboard and gives it as it is kept.

        Args:
            name: 1 to 100 characters.
            widgets: 1 to 20, each with `type`, `title`, `dataSource`, `visualization` and `config`.
            description: at most 500 characters.
            is_public: whether every admin may read it.
            idempotency_key: the same dashboard that is sent again with it within 24 hours is the one that was made.

        Raises:
            ValidationError: with everything wrong with it.

        Example:
            >>> import travelsense as ts
            >>> now = {"type": "metric", "title": "Now", "dataSource": "user_events", "visualization": "number"}
            >>> now["config"] = {"metric": "active_users", "timeRange": "last_hour"}
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard("Mine", [now])
            >>> board["name"], board["revision"], len(board["widgets"])
            ('Mine', 1, 1)
        """
        body = {"name": name, "widgets": list(widgets), "description": description, "isPublic": is_public}
        made: dict[str, Any] = json.loads(self._store.create_dashboard(to_json(body), idempotency_key))
        return made

    def create_dashboard_from(
        self,
        template: str,
        *,
        name: str | None = None,
        description: str | None = None,
        is_public: bool | None = None,
    ) -> dict[str, Any]:
        """Makes a dashboard of a template and gives it as it is kept.

        Args:
            template: the template's `key`.
            name: in the place of the template's own.
            description: in the place of the template's own.
            is_public: whether every admin may read it.

        Raises:
            NotFound: where there is no such template.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     template = a.dashboard_templates()[0]
            ...     board = a.create_dashboard_from(template["key"], name="Mine")
            ...     a.dashboard(board["_id"])["name"]
            'Mine'
        """
        changes = question(name=name, description=description, is_public=is_public)
        made: dict[str, Any] = json.loads(self._store.create_dashboard_from(template, changes))
        return made

    def dashboard_templates(self) -> list[dict[str, Any]]:
        """The templates that dashboards can be made of, each with `key`, `name`, `description` and `widgets`.

        Raises:
            Forbidden: who acts may not read dashboards.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.dashboard_templates()[0]["key"]
            'executive-overview'
        """
        templates: list[dict[str, Any]] = json.loads(self._store.dashboard_templates())
        return templates

    def dashboard(self, id: str) -> dict[str, Any]:  # noqa: A002 - the id of a dashboard
        """A dashboard.

        Args:
            id: the id of the dashboard.

        Raises:
            ValidationError: for what is no id.
            NotFound: where there is none of that id.
            Forbidden: for one that is neither one's own nor public, and not shared.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     a.dashboard(board["_id"]) == board
            True
        """
        found: dict[str, Any] = json.loads(self._store.dashboard(id))
        return found

    def update_dashboard(
        self,
        id: str,  # noqa: A002 - the id of a dashboard
        changes: Mapping[str, Any],
        *,
        revision: int | None = None,
    ) -> dict[str, Any]:
        """Changes a dashboard: what is left out stays as it is.

        Args:
            id: the dashboard's id.
            changes: any of `name`, `description`, `widgets`, `isPublic`.
            revision: change it only if it is still that one.

        Raises:
            Conflict: where somebody else was faster.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     a.update_dashboard(board["_id"], {"name": "Mine"}, revision=board["revision"])["name"]
            'Mine'
        """
        changed: dict[str, Any] = json.loads(self._store.update_dashboard(id, to_json(changes), revision))
        return changed

    def delete_dashboard(self, id: str, *, revision: int | None = None) -> None:  # noqa: A002 - as above
        """Removes a dashboard; with a revision, only if it is still that one.

        Args:
            id: the id of the dashboard.
            revision: remove it only if it is still that one.

        Raises:
            NotFound: where there is none of that id.
            Conflict: where somebody else was faster.
            Forbidden: for one that is not one's own.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     a.delete_dashboard(board["_id"])
            ...     a.dashboards()["total"]
            0
        """
        self._store.delete_dashboard(id, revision)

    def dashboard_data(
        self,
        id: str,  # noqa: A002 - the id of a dashboard
        *,
        start_date: Date | None = None,
        end_date: Date | None = None,
        timezone: str | None = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> list[dict[str, Any]]:
        """A dashboard's widgets with their data, over a range or as far back as each widget says.

        Args:
            id: the dashboard's id.
            start_date: where the range begins.
            end_date: where it ends; a date is included whole.
            timezone: the IANA zone of the dates.
            filters: what all widgets are narrowed to, for example `[{"property": "country", "value": "FR"}]`.
            timeout: as `funnel`.
            progress: as `funnel`.

        Returns:
            Each widget with its `title` and so on, and its `data`, of the `kind` that its type shows.

        Raises:
            ValidationError: with everything wrong with the range.
            NotFound: where there is none of that id.
            Forbidden: for one that is neither one's own nor public, and not shared.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     [widget["data"]["kind"] for widget in a.dashboard_data(board["_id"])]
            ['realtime', 'figure', 'figure', 'figure', 'series', 'funnel', 'rows']
        """
        asked = question(start_date=start_date, end_date=end_date, timezone=timezone, filters=filters)
        found = ask(
            "dashboard", lambda how: self._store.dashboard_data(id, asked, how), timeout=timeout, progress=progress
        )
        data: list[dict[str, Any]] = json.loads(found)
        return data

    def dashboard_sharing(self, id: str) -> dict[str, Any]:  # noqa: A002 - the id of a dashboard
        """With whom a dashboard is shared: `users` and `roles`, each with `access`.

        Args:
            id: the id of the dashboard.

        Raises:
            NotFound: where there is none of that id.
            Forbidden: for one that is not one's own.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     a.dashboard_sharing(board["_id"])
            {'users': [], 'roles': []}
        """
        sharing: dict[str, Any] = json.loads(self._store.dashboard_sharing(id))
        return sharing

    def share_dashboard(self, id: str, sharing: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - as above
        """Shares a dashboard with these users and roles and nobody else.

        Args:
            id: the dashboard's id.
            sharing: `{"users": [{"id": …, "access": "view"}], "roles": [{"role": …, "access": "edit"}]}`.

        Raises:
            ValidationError: with everything wrong with the sharing.
            NotFound: where there is none of that id.
            Forbidden: for one that is not one's own.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     board = a.create_dashboard_from("executive-overview")
            ...     shared = a.share_dashboard(board["_id"], {"users": [{"id": "vic", "access": "view"}], "roles": []})
            ...     a.acting("vic", "viewer").dashboard(board["_id"])["name"]
            'Executive overview'
        """
        shared: dict[str, Any] = json.loads(self._store.share_dashboard(id, to_json(sharing)))
        return shared
