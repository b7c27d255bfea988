"""What every part of an open store stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from travelsense._asking import ask
from travelsense._result import Result

if TYPE_CHECKING:
    from travelsense._asking import Watch
    from travelsense._native import Store
    from travelsense._question import Length


class Handle:
    """An open store of the native module."""

    _store: Store

    def _result(
        self,
        word: str,
        asked: str,
        timeout: Length | None,
        progress: Watch,
    ) -> Result:
        answer = ask(word, lambda how: self._store.answer(word, asked, how), timeout=timeout, progress=progress)
        return Result(word, answer)
