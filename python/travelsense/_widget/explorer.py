"""The widget's half in Python: it asks the store what the page wants to know."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from travelsense._errors import Error
from travelsense._question import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from travelsense._analytics import Analytics
    from travelsense._question import Date, Event
    from travelsense._result import Result

_HERE = Path(__file__).parent
_DAYS = 90
# So many names of events are offered.
_NAMES = 200


class Explorer(anywidget.AnyWidget):
    """Funnels and cohorts of a store; `travelsense.explore` makes one.

    Attributes:
        word: what is shown: `funnel` or `retention`.
        questions: the question of each of both, by word and as JSON names their fields.
        answer: the answer of the word that is shown, as JSON has it; empty where it was refused.
        errors: why it was refused: `field` and `message`.
        names: the names of events that are offered, the most frequent first.
    """

    _esm = _HERE / "explorer.js"
    _css = _HERE / "explorer.css"
    word = traitlets.Unicode("funnel").tag(sync=True)
    questions = traitlets.Dict().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)
    errors: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    names: traitlets.List[str] = traitlets.List().tag(sync=True)
    result: Result | None = None

    def __init__(
        self,
        store: Analytics,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date | None = None,
        end_date: Date | None = None,
        timezone: str | None = None,
    ) -> None:
        self._store = store
        last = end_date or store.now()[:10]
        first = start_date or _before(last)
        span = json.loads(to_json({"startDate": first, "endDate": last, "timezone": timezone or "UTC"}))
        nodes = store.journey(
            start_date=first, end_date=last, timezone=timezone, parts=["nodes"], limit=_NAMES, progress=False
        )
        names = [node["node"] for node in nodes.to_dict()["nodes"]["top"] if isinstance(node["node"], str)]
        chosen = json.loads(to_json(list(steps))) if steps else names[:2]
        super().__init__(
            names=names,
            questions={
                "funnel": {"steps": chosen, "window": "7d", **span},
                "retention": {"cohortPeriod": "weekly", "analysisMetric": "retention_rate", **span},
            },
        )
        self._ask()

    @property
    def arguments(self) -> dict[str, Any]:
        """The question that is shown, to be asked by `query(widget.word, widget.arguments)`."""
        return dict(self.questions[self.word])

    @traitlets.observe("word", "questions")
    def _changed(self, _change: object) -> None:
        if self.answer or self.errors:
            self._ask()

    def _ask(self) -> None:
        try:
            self.result = self._store._result(self.word, to_json(self.questions[self.word]), None, False)  # noqa: SLF001, FBT003
        except Error as refused:
            self.result = None
            said = [{"field": e["field"], "message": e["message"]} for e in refused.errors]
            self.set_trait("errors", said or [{"field": "", "message": str(refused)}])
            self.set_trait("answer", {})
        else:
            self.set_trait("errors", [])
            self.set_trait("answer", self.result.to_dict())


def _before(last: Date) -> str:
    """The first of so many days up to a last one."""
    day = last if isinstance(last, date) else datetime.fromisoformat(last)
    return str((day.date() if isinstance(day, datetime) else day) - timedelta(days=_DAYS - 1))
