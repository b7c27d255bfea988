"""How a question is asked: how long it may take, and who hears how far it is."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from travelsense._progress import Progress
from travelsense._question import question

if TYPE_CHECKING:
    from collections.abc import Callable

    from travelsense._question import Length

Answer = TypeVar("Answer")

Patience: TypeAlias = "tuple[str, Callable[[float], object] | None]"
"""A time limit as JSON, and who hears how far a question is."""

Watch: TypeAlias = "bool | Callable[[float], object]"
"""Whether to show how far a question is, or a function that hears it."""


def ask(
    title: str, call: Callable[[Patience], Answer], *, timeout: Length | None = None, progress: Watch = True
) -> Answer:
    """Calls the core, for as long as it may take, and shows how far it is where it takes over a second."""
    limit = question(timeout=timeout)
    if not progress or callable(progress):
        return call((limit, progress or None))
    with closing(Progress(title)) as shown:
        return call((limit, shown.share))
