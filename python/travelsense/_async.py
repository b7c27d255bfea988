"""The same store for `asyncio`: every method is awaited, and the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self

from travelsense._analytics import Analytics
from travelsense._analytics import open as _open
from travelsense._asking import STOP
from travelsense._native import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class AsyncAnalytics:
    """A store of events whose questions are awaited; `travelsense.aopen` opens one.

    It has the methods of `Analytics` with the same arguments and answers. Each runs on a thread of its own, without
    Python's lock; cancelling the task that awaits one gives the question up.

    Example:
        >>> import asyncio
        >>> import travelsense as ts
        >>> async def ask():
        ...     async with ts.aopen(":memory:", now="2026-03-01T00:00:00Z") as a:
        ...         await a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
        ...         funnel, who = await asyncio.gather(
        ...             a.funnel(["search", "book"], start_date="2026-02-01", end_date="2026-02-28"),
        ...             a.engagement(start_date="2026-02-01", end_date="2026-02-28"),
        ...         )
        ...         return funnel.to_dict()["entered"], len(who)
        >>> asyncio.run(ask())
        (1, 28)
    """

    def __init__(self, make: Callable[[], Analytics], threads: ThreadPoolExecutor | None = None) -> None:
        self._make = make
        self._store: Analytics | None = None
        self._threads = threads or ThreadPoolExecutor(min(32, (os.cpu_count() or 1) + 4), "travelsense")

    async def acting(self, id: str, role: str) -> AsyncAnalytics:  # noqa: A002 - as `Analytics` names it
        """As `Analytics.acting`."""
        store = await self._call(Analytics.acting, id, role)
        other = AsyncAnalytics(lambda: store, self._threads)
        other._store = store
        return other

    async def close(self) -> None:
        """As `Analytics.close`; what is under way ends first."""
        if self._store is not None:
            await self._call(Analytics.close)

    async def _call(self, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        stop = Stop()
        here = copy_context()
        here.run(STOP.set, stop)
        call = functools.partial(here.run, method, self._opened(), *given, **named)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except asyncio.CancelledError:
            stop.stop()
            raise

    def _opened(self) -> Analytics:
        if self._store is None:
            raise RuntimeError("the store is not open: `async with travelsense.aopen(…)`, or await it")
        return self._store

    async def _open(self) -> AsyncAnalytics:
        if self._store is None:
            self._store = await asyncio.get_running_loop().run_in_executor(self._threads, self._make)
        return self

    def __await__(self) -> Generator[Any, None, AsyncAnalytics]:
        return self._open().__await__()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"async {self._store!r}" if self._store is not None else "a store that is not open yet"


def aopen(path: str | os.PathLike[str], **options: Any) -> AsyncAnalytics:
    """Opens a file of events for `asyncio`, creating it where it is absent.

    Either `async with travelsense.aopen(path) as a`, which closes it, or `a = await travelsense.aopen(path)`.

    Args:
        path: the file, or `":memory:"` for a store that ends with its handle.
        **options: those of `travelsense.open`.

    Raises:
        Error: as `open`, where it is awaited.

    Example:
        >>> import asyncio
        >>> import travelsense as ts
        >>> async def converted():
        ...     async with ts.aopen(":memory:") as a:
        ...         funnel = await a.funnel(["search", "book"], start_date="2026-01-01", end_date="2026-01-31")
        ...     return funnel.to_dict()["converted"]
        >>> asyncio.run(converted())
        0
    """
    return AsyncAnalytics(functools.partial(_open, path, **options))


aopen.__signature__ = inspect.signature(_open).replace(return_annotation="AsyncAnalytics")  # type: ignore[attr-defined]


def _awaited(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def call(self: AsyncAnalytics, *given: Any, **named: Any) -> Any:
        return await self._call(method, *given, **named)

    return call


for _name, _method in inspect.getmembers(Analytics, inspect.isfunction):
    if not _name.startswith("_") and _name not in vars(AsyncAnalytics):
        setattr(AsyncAnalytics, _name, _awaited(_method))
