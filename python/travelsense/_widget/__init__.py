"""Funnels and cohorts to explore in a notebook, without a line of code and without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from travelsense._analytics import Analytics
    from travelsense._question import Date, Event
    from travelsense._widget.explorer import Explorer


def explore(
    store: Analytics,
    steps: Sequence[Event] | None = None,
    *,
    start_date: Date | None = None,
    end_date: Date | None = None,
    timezone: str | None = None,
) -> Explorer:
    """A widget to explore funnels and cohorts in a notebook.

    Steps, window, dates, segment, breakdown and the rest are chosen by hand; every change asks the store anew. What is
    shown is `widget.result`, and the arguments that ask it again are `widget.arguments`.

    Args:
        store: an open store; the widget asks it for as long as it is shown.
        steps: the funnel to begin with; the two most frequent events by default.
        start_date: the first day; 90 days before the last by default.
        end_date: the last day; today, as the store's clock has it, by default.
        timezone: the IANA zone of the dates; UTC by default.

    Raises:
        ImportError: without anywidget, naming the extra that brings it.
        ValidationError: for dates that are none.
    """
    try:
        from travelsense._widget.explorer import Explorer
    except ImportError as missing:
        if missing.name not in {"anywidget", "traitlets", "ipywidgets"}:
            raise
        raise ImportError("anywidget is not installed: pip install travelsense[widget]", name="anywidget") from missing
    return Explorer(store, steps, start_date=start_date, end_date=end_date, timezone=timezone)
