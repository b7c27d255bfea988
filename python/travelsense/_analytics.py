"""A store of events that answers questions about them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn, Self

from travelsense._admin.access import Access
from travelsense._admin.alerts import Alerts
from travelsense._admin.cohorts import Cohorts
from travelsense._admin.dashboards import Dashboards
from travelsense._admin.events import Events
from travelsense._admin.exports import Exports
from travelsense._admin.models import Models
from travelsense._asking import ask
from travelsense._native import Store
from travelsense._question import question
from travelsense._words.engagement import Engagement
from travelsense._words.funnel import Funnels
from travelsense._words.insights import Insights
from travelsense._words.journey import Journeys
from travelsense._words.pickup import Pickups
from travelsense._words.predictions import Predictions
from travelsense._words.query import Query
from travelsense._words.realtime import Realtime
from travelsense._words.retention import Retention

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from travelsense._asking import Watch
    from travelsense._question import Length


def open(  # noqa: A001 - `travelsense.open` reads as what it does
    path: str | os.PathLike[str],
    *,
    read_only: bool = False,
    threads: int | None = None,
    memory_limit: int | None = None,
    timeout: Length | None = None,
    now: str | datetime | None = None,
) -> Analytics:
    """Opens a file of events, creating it where it is absent, or `":memory:"` for a store that ends with its handle.

    Args:
        path: the file.
        read_only: leave the file as it is; several processes may do so at once.
        threads: how many threads to use; all cores by default.
        memory_limit: the most bytes to use; no limit by default.
        timeout: how long a behavioural question may take before it is given up as `Cancelled`: seconds, `"30s"`, or a
            `timedelta`; no limit by default.
        now: answers as if it were that instant, so that a notebook gives the same numbers tomorrow. An aware
            `datetime`, or ISO 8601 with an offset.

    Raises:
        Locked: somebody else has the file open for writing.
        NotFound: the folder does not exist, or for `read_only` the file.
        Corrupt: the file is damaged, is something else, or is from a newer version.
        StorageError: the file system refuses.

    Example:
        >>> import travelsense as ts
        >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
        ...     a.now()
        '2026-03-01T00:00:00.000Z'
    """
    where = os.fspath(path)
    options = question(
        path=where, read_only=read_only, threads=threads, memory_limit=memory_limit, timeout=timeout, now=now
    )
    return Analytics(Store(options), where)


class Analytics(
    Funnels,
    Retention,
    Journeys,
    Engagement,
    Realtime,
    Insights,
    Pickups,
    Predictions,
    Query,
    Events,
    Cohorts,
    Dashboards,
    Alerts,
    Models,
    Exports,
    Access,
):
    """A store of events; `travelsense.open` opens one.

    Threads may share it: questions run in parallel and without Python's lock. A fork of the process must open its own.
    """

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._path = path

    def acting(self, id: str, role: str) -> Analytics:  # noqa: A002 - the id of a principal
        """The same store for somebody else of a role.

        What they may not do is refused with `Forbidden`, and the record holds their name. The file is closed once every
        handle of it is.

        Args:
            id: the name that stands in the record.
            role: `admin`, `analyst`, `viewer` or `collector`; who has another may do nothing.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     try:
            ...         a.acting("vic", "viewer").erase(["ada"])
            ...     except ts.Forbidden as refused:
            ...         print(refused.code)
            forbidden
        """
        return Analytics(self._store.acting(id, role), self._path)

    def now(self) -> str:
        """What time it is for this store, in ISO 8601.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     a.now()
            '2026-03-01T00:00:00.000Z'
        """
        return self._store.now()

    def warm_up(self, *, progress: Watch = True) -> None:
        """Builds the timelines where they are not there yet, so that the first question does not wait for it.

        Args:
            progress: whether to show how far it is, where it takes over a second; or a function that hears the share.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.warm_up()
        """
        ask("building timelines", self._store.warm_up, progress=progress)

    def refresh_realtime(self) -> None:
        """Has the real-time figures take in what arrived, so that whoever asks next does not wait for it.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.refresh_realtime()
        """
        self._store.refresh_realtime()

    def judge_realtime(self) -> None:
        """Judges whether the real-time figures are as usual, each against its own rhythm, for `realtime` to tell.

        From then on each of the six has an `anomaly` in its `metadata`: a `status` (`learning`, `too_few`, `normal`,
        `unusual`), what was `expected` of the last complete bucket with its `interval`, and, where it is unusual,
        `severity`, `direction` and `since`. Whoever serves many does so once a minute. The first time it learns from
        the six weeks before this one, and so once a day.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T12:00:00Z") as a:
            ...     stored = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-03-01T10:00:00Z"}])
            ...     a.judge_realtime()
            ...     users = a.realtime(metrics=["active_users"]).to_dict()[0]
            >>> users["metadata"]["anomaly"]["status"]
            'learning'
        """
        self._store.judge_realtime()

    def rebuild(self, *, progress: Watch = True) -> None:
        """Throws the timelines away and builds them anew from the stored events; answers stay the same.

        Args:
            progress: whether to show how far it is, where it takes over a second; or a function that hears the share.

        Raises:
            Forbidden: who acts may not import events.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     before = a.funnel(["search"], start_date="2026-02-01", end_date="2026-02-28").to_json()
            ...     a.rebuild()
            ...     a.funnel(["search"], start_date="2026-02-01", end_date="2026-02-28").to_json() == before
            True
        """
        ask("rebuilding", self._store.rebuild, progress=progress)

    def close(self) -> None:
        """Closes the file; closing again does nothing. A call under way in another thread ends first.

        Example:
            >>> import travelsense as ts
            >>> a = ts.open(":memory:")
            >>> a.close()
            >>> a.close()
        """
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        # Its file is open in this process; another opens it by its path.
        raise TypeError("a store cannot be pickled: open its file again where it is needed, with `read_only=True`")

    def __repr__(self) -> str:
        return f"travelsense.open({self._path!r})"
