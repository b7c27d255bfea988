"""How a question is asked: how long it may take, who hears how far it is, and what gives it up."""

from __future__ import annotations

from contextlib import closing
from contextvars import ContextVar
from typing import TYPE_CHECKING, ParamSpec, TypeAlias, TypeVar

from travelsense._errors import Cancelled
from travelsense._progress import Progress
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Callable

    from travelsense._native import Stop
    from travelsense._question import Length

Answer = TypeVar("Answer")
Told = ParamSpec("Told")

Patience: TypeAlias = "tuple[str, Callable[[float], object] | None, Stop | None]"
"""A time limit as JSON, who hears how far a question is, and what gives it up."""

Watch: TypeAlias = "bool | Callable[[float], object]"
"""Whether to show how far a question is, or a function that hears it."""

STOP: ContextVar[Stop | None] = ContextVar("STOP", default=None)
"""What gives up the questions that are asked here, from outside."""


def ask(
    title: str, call: Callable[[Patience], Answer], *, timeout: Length | None = None, progress: Watch = True
) -> Answer:
    """Calls the core, for as long as it may take, and shows how far it is where it takes over a second."""
    limit = "{}" if timeout is None else question(timeout=timeout)
    if not progress or callable(progress):
        return call((limit, progress or None, STOP.get()))
    with closing(Progress(title)) as shown:
        return call((limit, shown.share, STOP.get()))


def heard(progress: Callable[Told, object] | None) -> Callable[Told, object] | None:
    """What an import tells, so that it too is given up from outside."""
    stop = STOP.get()
    if stop is None:
        return progress

    def hear(*told: Told.args, **named: Told.kwargs) -> None:
        if stop.stopped:
            raise Cancelled("the import was given up", code="cancelled")
        if progress is not None:
            progress(*told, **named)

    return hear
