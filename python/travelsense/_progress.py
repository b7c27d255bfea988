"""How far an import or a question is, where somebody may look at it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# What ends sooner shows nothing.
PATIENCE = 1.0
# Seconds between two lines of the plain form.
PAUSE = 0.2


class Progress:
    """Shows how far something is on standard error: by tqdm where it is installed, else as plain text.

    It shows nothing during the first second, and nothing at all where standard error is neither a terminal nor in a
    notebook.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = self._said = monotonic()
        self.silent = not (sys.stderr.isatty() or "ipykernel" in sys.modules)
        self._bar: Any = None
        self._spoke = False

    def __call__(self, rows: int, total_rows: int | None, read: int, total_bytes: int | None) -> None:
        """Takes in how many rows and bytes were read, of how many."""
        done, total, unit = (read, total_bytes, "B") if total_bytes else (rows, total_rows, " rows")
        share = f", {100 * done / total:.0f} %" if total else ""
        self._show(done, total, unit, f"{rows:,} rows{share}")

    def share(self, done: float) -> None:
        """Takes in which share of the pass at hand is done; some questions take several."""
        percent = round(100 * done)
        self._show(percent, 100, " %", f"{percent} %")

    def lasts(self) -> None:
        """Takes in that it goes on; for how long it has is all that is known."""
        words = f"{monotonic() - self._began:.0f} s"
        self._show(0, None, "", words)
        if self._bar is not None:
            self._bar.set_description_str(f"{self._title}: {words}")

    def _show(self, done: int, total: int | None, unit: str, words: str) -> None:
        now = monotonic()
        if self.silent or now - self._began < PATIENCE:
            return
        if not self._spoke:
            self._spoke = True
            self._bar = _tqdm(self._title, total, unit)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif now - self._said > PAUSE:
            self._said = now
            sys.stderr.write(f"\r{self._title}: {words} ")
            sys.stderr.flush()

    def close(self) -> None:
        """Ends the line, or the bar."""
        if self._bar is not None:
            self._bar.close()
        elif self._spoke:
            sys.stderr.write("\n")


def _tqdm(title: str, total: int | None, unit: str) -> Any:
    try:
        tqdm = import_module("tqdm").tqdm
    except ImportError:
        return None
    if not unit:
        return tqdm(desc=title, bar_format="{desc}", file=sys.stderr)
    return tqdm(desc=title, total=total, unit=unit, unit_scale=True, file=sys.stderr)


@contextmanager
def lasting(title: str, *, show: bool = True) -> Iterator[None]:
    """Shows for how long something has gone on that does not say how far it is, once that is over a second."""
    shown = Progress(title)
    if shown.silent or not show:
        yield
        return
    from threading import Event, Thread

    over = Event()

    def tell() -> None:
        while not over.wait(PAUSE):
            shown.lasts()

    telling = Thread(target=tell, name="travelsense-progress", daemon=True)
    telling.start()
    try:
        yield
    finally:
        over.set()
        telling.join()
        shown.close()
