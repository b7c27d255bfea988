"""Any word by its name, the users behind a number, and why two answers differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from travelsense._asking import ask
from travelsense._handle import Handle
from travelsense._question import named, question, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from travelsense._asking import Watch
    from travelsense._question import Length, Preset
    from travelsense._result import Result


class Query(Handle):
    """The questions about other questions."""

    def query(
        self,
        word: str,
        question: Mapping[str, Any],
        *,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Any:
        """Asks any word of travelsense, with everything that it can be asked.

        Args:
            word: `funnel`, `drop_off`, `compare`, `explain_difference`, `retention`, `journey`, `engagement`,
                `adoption`, `realtime`, `pickup`, `anomalies`, `user_insights`, `churn`, `value`, `next_action`,
                `predictive`, `forecast`, `backtest`, `detect_anomalies`, `score` or `feedback`.
            question: the fields of the question, named as in JSON (`startDate`, `steps`, …) or as the arguments of
                the word's own method (`start_date`); within a field, as in JSON.
            timeout: as `funnel`.
            progress: as `funnel`.

        Returns:
            The answer as it stands in JSON: dicts, lists, numbers and text.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     answer = a.query("funnel", {"steps": ["a"], "startDate": "2026-01-01", "endDate": "2026-01-31"})
            >>> answer["entered"]
            0
        """
        asked = to_json(named(question))
        answer = ask(word, lambda how: self._store.query(word, asked, how), timeout=timeout, progress=progress)
        return json.loads(answer)

    def people(
        self,
        word: str,
        question: Mapping[str, Any],
        cell: Mapping[str, Any],
        *,
        limit: int = 100,
        offset: int = 0,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> dict[str, Any]:
        """Who are the users behind a number?

        Args:
            word: what was asked, for example `funnel`.
            question: its question, as `query` takes it.
            cell: the number of its answer, for example `{"cell": "reached", "step": 2}`.
            limit: at most so many users, 1 to 10,000.
            offset: how many to leave out before.
            timeout: as `funnel`.
            progress: as `funnel`.

        Returns:
            `total` (always the number itself), `users` in the order of their ids, each with `userId`, `firstSeen`,
            `lastSeen`, `events`, `plan` and `properties`, and `hasMore`.

        Raises:
            ValidationError: with everything wrong with the question, or for a cell that its answer does not have.

        Example:
            >>> import travelsense as ts
            >>> asked = {"steps": ["search", "book"], "startDate": "2026-02-01", "endDate": "2026-02-28"}
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     stopped = a.people("funnel", asked, {"cell": "dropped", "step": 1})
            >>> [person["userId"] for person in stopped["users"]]
            ['ada']
        """
        request = {"word": word, "question": named(question), "cell": cell, "limit": limit, "offset": offset}
        asked = to_json(request)
        found = ask(word, lambda how: self._store.people(asked, how), timeout=timeout, progress=progress)
        answer: dict[str, Any] = json.loads(found)
        return answer

    def profile(
        self,
        id: str,  # noqa: A002 - the id of somebody
        *,
        anonymous: bool = False,
        name: str | None = None,
        limit: int = 50,
        offset: int = 0,
        as_of: str | datetime | None = None,
    ) -> dict[str, Any]:
        """Who is somebody, and what did they do?

        Args:
            id: their id.
            anonymous: whether it is the id of a device.
            name: only events of this name.
            limit: at most so many events, 1 to 1,000.
            offset: how many to leave out before, counted from the latest.
            as_of: nothing after this instant is seen; now by default.

        Returns:
            `person` as in `people`, `ids` that are theirs, `names` of events with how often each occurred, `total`, and
            `events`, the latest first.

        Raises:
            NotFound: for an id that nobody has.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
            ...     ada = a.profile("ada")
            >>> [(event["ts"], event["name"]) for event in ada["events"]]
            [('2026-02-01T10:00:00.000Z', 'search')]
        """
        asked = question(anonymous=anonymous, name=name, limit=limit, offset=offset, as_of=as_of)
        profile: dict[str, Any] = json.loads(self._store.profile(id, asked))
        return profile

    def explain_difference(
        self,
        a: Mapping[str, Any] | None = None,
        b: Mapping[str, Any] | None = None,
        *,
        question: Mapping[str, Any] | None = None,
        presets: tuple[Preset, Preset] | None = None,
        word: Literal["funnel", "retention"] = "funnel",
        cell: Mapping[str, Any] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result:
        """Why do two questions have different answers?

        Args:
            a: the first question, its fields as `query` takes them.
            b: the second.
            question: one question in the place of two, asked under each of `presets`.
            presets: two presets.
            word: what is asked.
            cell: the number whose users are compared; the converters of a funnel by default.
            timeout: as `funnel`.
            progress: as `funnel`.

        Rows, one a switch that differs: `switch`, `rules`, `sentence`, `a`, `b`, `users_a`, `users_alone`, `only_a`,
        `only_alone`; the numbers of both and the users that only one counts are in `to_dict()`.
        `people("explain_difference", …)` lists the users.

        Raises:
            ValidationError: with everything wrong with the questions.

        Example:
            >>> import travelsense as ts
            >>> asked = {"steps": ["search", "book"], "startDate": "2026-01-01", "endDate": "2026-01-31"}
            >>> with ts.open(":memory:") as a:
            ...     answer = a.explain_difference(asked, {**asked, "preset": "amplitude"})
            >>> [row["switch"] for row in answer]
            ['window', 'grace']
        """
        questions = {"a": a, "b": b, "question": question}
        given = {name: named(fields) for name, fields in questions.items() if fields is not None}
        options = {"word": word, "presets": presets, "cell": cell}
        asked = to_json({**given, **{name: value for name, value in options.items() if value is not None}})
        return self._result("explain_difference", asked, timeout, progress)
