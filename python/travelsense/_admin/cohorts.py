"""Cohorts: named sets of users."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from travelsense._handle import Handle
from travelsense._question import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping


class Cohorts(Handle):
    """The verbs of cohorts."""

    def cohorts(self) -> list[dict[str, Any]]:
        """All cohorts, each with `name`, `definition` and `createdAt`.

        Raises:
            Forbidden: who acts may not ask questions.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.create_cohort("vips", {"users": ["ada"]})
            ...     [(cohort["name"], cohort["definition"]) for cohort in a.cohorts()]
            [('vips', {'users': ['ada']})]
        """
        cohorts: list[dict[str, Any]] = json.loads(self._store.cohorts())
        return cohorts

    def create_cohort(self, name: str, definition: Mapping[str, Any]) -> None:
        """Makes a cohort: a named set of users, which never changes its definition.

        It is a property of every question then: `{"property": {"cohort": name}, "value": True}`, which asks for its
        members as of the question, or with `"at": "at_event"` as of each event.

        Args:
            name: 1 to 100 characters.
            definition: `{"users": [id, …]}`, `{"did": event, "atLeast": 1, "last": "30d"}`, `{"profile": [filter, …]}`,
                `{"all": […]}`, `{"any": […]}` or `{"not": …}`.

        Raises:
            ValidationError: with everything wrong with the definition.
            Conflict: where there is a cohort of that name.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.create_cohort("searchers", {"did": "search", "atLeast": 1, "last": "30d"})
            ...     [cohort["name"] for cohort in a.cohorts()]
            ['searchers']
        """
        self._store.create_cohort(name, to_json(definition))

    def remove_cohort(self, name: str) -> None:
        """Removes a cohort.

        Args:
            name: the name of the cohort.

        Raises:
            NotFound: where there is none of that name.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.create_cohort("vips", {"users": ["ada"]})
            ...     a.remove_cohort("vips")
            ...     a.cohorts()
            []
        """
        self._store.remove_cohort(name)
