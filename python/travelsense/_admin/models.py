"""Models trained elsewhere, and what became of what was foretold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from travelsense._asking import ask
from travelsense._handle import Handle
from travelsense._question import missing, question, to_json

if TYPE_CHECKING:
    import os

    from travelsense._question import Date, Length
    from travelsense._source import Rows


class Models(Handle):
    """The verbs of models and of feedback, which every open store has."""

    def register_model(
        self,
        name: str,
        file: str | os.PathLike[str] | bytes,
        *,
        description: str | None = None,
        format: Literal["onnx", "xgboost", "lightgbm"] | None = None,  # noqa: A002 - what it is called everywhere
        features: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        r"""Registers a model trained elsewhere; a name that is there already gets its next version.

        Args:
            name: its name, without `@` and `/`.
            file: the path of its file, or the bytes: ONNX, XGBoost's JSON or UBJSON, LightGBM's text.
            description: what it is for.
            format: its format; the bytes tell it by default.
            features: the names of its features, in their order, where the file does not name them as you do.
            classes: the names of its classes, in their order.

        Returns:
            The model: `_id`, `name`, `version`, `hash`, `task`, `features`, `outputs`, `classes` and more.

        Raises:
            ValidationError: for a file that is malformed, too large, or uses what is not supported; then nothing has
                changed.

        Example:
            >>> import travelsense as ts
            >>> head = "tree version=v4 num_class=1 num_tree_per_iteration=1 max_feature_idx=0".split()
            >>> head += ["objective=regression", "feature_names=visits", "feature_infos=[0:9]", "tree_sizes=9", ""]
            >>> tree = "Tree=0 num_leaves=2 num_cat=0 split_feature=0 threshold=3.5 decision_type=2".split()
            >>> tree += ["left_child=-1", "right_child=-2", "leaf_value=10 50", "shrinkage=1", "", "end of trees"]
            >>> content = "\n".join([*head, *tree]).encode()
            >>> with ts.open(":memory:") as a:
            ...     model = a.register_model("spend", content)
            ...     model["name"], model["version"], [feature["name"] for feature in model["features"]]
            ('spend', 1, ['visits'])
        """
        from pathlib import Path

        content = file if isinstance(file, bytes) else Path(file).read_bytes()
        asked = question(
            name=name,
            description=description,
            format=format,
            features=None if features is None else list(features),
            classes=None if classes is None else list(classes),
        )
        made: dict[str, Any] = json.loads(self._store.register_model(asked, content))
        return made

    def models(
        self, *, search: str | None = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]:
        """All versions of all models, the latest first, page by page.

        Args:
            search: only models with this in their name or description.
            limit: at most so many, 1 to 100; 20 by default.
            offset: how many to leave out before.

        Returns:
            `models`, `total` and `hasMore`.

        Raises:
            ValidationError: with everything wrong with the question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     a.models()["total"]
            0
        """
        listed: dict[str, Any] = json.loads(self._store.models(question(search=search, limit=limit, offset=offset)))
        return listed

    def model(self, model: str) -> dict[str, Any]:
        """A model by its name, which means the latest version, by `name@version` or by its id.

        Args:
            model: its name, `name@version` or its id.

        Raises:
            NotFound: where there is none of that name.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     try:
            ...         a.model("spend@1")
            ...     except ts.NotFound as absent:
            ...         print(absent)
            there is no model `spend@1`
        """
        found: dict[str, Any] = json.loads(self._store.model(model))
        return found

    def delete_model(self, model: str) -> None:
        """Removes a version of a model; its number is not given again.

        Args:
            model: its name, `name@version` or its id.

        Raises:
            NotFound: where there is none of that name.
            Forbidden: who acts may not manage models.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     try:
            ...         a.delete_model("spend@1")
            ...     except ts.NotFound as absent:
            ...         print(absent.code)
            not_found
        """
        self._store.delete_model(model)

    def score(
        self,
        model: str,
        rows: Rows | None = None,
        *,
        users: Mapping[str, Any] | None = None,
        ids: Sequence[str | int] | None = None,
        ds: Date | None = None,
        feedback: str | None = None,
        timeout: Length | None = None,
    ) -> dict[str, Any]:
        r"""What does a model say of rows, or of the users of this store?

        Args:
            model: its name, `name@version` or its id.
            rows: columns by name, a list of dicts, or a frame of pandas, polars or pyarrow. Missing values are `None`
                or NaN.
            users: instead of rows, users of this store, whose features the model takes by name (`recency_days`,
                `tenure_days`, `active_days`, `active_days_lately`, `events`, `events_per_active_day`, `value`,
                `value_per_active_day`, `expected_active_days`): `activity`, `asOf`, `horizonDays`, `segment`,
                `users` as in a question of churn.
            ids: the ids of the rows, by which what comes is joined; their numbers from 0 by default.
            ds: when it will be known what came.
            feedback: a name under which the scores are kept, with the features.
            timeout: as `funnel`.

        Returns:
            `predictions`, columns by name: `label` and `probability_…`, or `prediction`.

        Raises:
            ValidationError: with everything wrong with the question, and for columns that the model does not find.
            NotFound: where there is no such model.

        Example:
            >>> import travelsense as ts
            >>> head = "tree version=v4 num_class=1 num_tree_per_iteration=1 max_feature_idx=0".split()
            >>> head += ["objective=regression", "feature_names=visits", "feature_infos=[0:9]", "tree_sizes=9", ""]
            >>> tree = "Tree=0 num_leaves=2 num_cat=0 split_feature=0 threshold=3.5 decision_type=2".split()
            >>> tree += ["left_child=-1", "right_child=-2", "leaf_value=10 50", "shrinkage=1", "", "end of trees"]
            >>> content = "\n".join([*head, *tree]).encode()
            >>> with ts.open(":memory:") as a:
            ...     model = a.register_model("spend", content)
            ...     a.score("spend", {"visits": [1, 7]}, ids=["ada", "bob"])["predictions"]
            {'prediction': [10.0, 50.0]}
        """
        asked = question(
            model=model,
            rows=None if rows is None else columns(rows),
            users=users,
            ids=None if ids is None else list(ids),
            ds=ds,
            feedback=feedback,
        )
        answer = ask("score", lambda how: self._store.query("score", asked, how), timeout=timeout, progress=True)
        scored: dict[str, Any] = json.loads(answer)
        return scored

    def feedback(
        self,
        name: str,
        *,
        unique_id: str | None = None,
        runs: int | None = None,
        rows: bool | None = None,
        as_of: Date | None = None,
    ) -> dict[str, Any]:
        """What became of what was foretold under a name?

        Args:
            name: what `feedback=` was when it was foretold.
            unique_id: the only series; all by default.
            runs: the latest so many runs, 1 to 1,000; 200 by default.
            rows: whether every point is told, with the features beside it: what a model is trained on anew.
            as_of: nothing that became known after this instant is seen; now by default.

        Returns:
            `scores` (bias: the mean of forecast less value, errors, pinball, coverage), `byHorizon`, `probabilities`,
            `drift`, `advice`, `adapted`.

        Raises:
            ValidationError: with everything wrong with the question.
            NotFound: where nothing is kept under that name.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     run = a.add_predictions("theirs", [10.0, 20.0], model="sheet", ds=["2026-01-01", "2026-01-02"])
            ...     new = a.add_actuals("theirs", [12.0, 19.0], ds=["2026-01-01", "2026-01-02"])
            ...     a.feedback("theirs")["scores"]["bias"]
            -0.5
        """
        asked = question(name=name, unique_id=unique_id, runs=runs, rows=rows, as_of=as_of)
        answer = ask("feedback", lambda how: self._store.query("feedback", asked, how), timeout=None, progress=True)
        told: dict[str, Any] = json.loads(answer)
        return told

    def feedback_logs(self) -> list[dict[str, Any]]:
        """The names under which something foretold is kept: `name`, `runs`, `latestAt`.

        Raises:
            Forbidden: who acts may not ask questions.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     run = a.add_predictions("theirs", [10.0, 20.0], model="sheet", ds=["2026-01-01", "2026-01-02"])
            ...     [(log["name"], log["runs"]) for log in a.feedback_logs()]
            [('theirs', 1)]
        """
        logs: list[dict[str, Any]] = json.loads(self._store.feedback_logs())
        return logs

    def add_actuals(
        self,
        name: str,
        y: Sequence[float | bool],
        *,
        unique_id: Sequence[str | int] | None = None,
        ds: Sequence[Date | int] | None = None,
    ) -> int:
        """Tells what came of what is kept under a name.

        Args:
            name: what `feedback=` was when it was foretold.
            y: what came.
            unique_id: the series, or row, of each.
            ds: when each came.

        Returns:
            How many values were new, or otherwise than before.

        Raises:
            ValidationError: with everything wrong with the values.
            NotFound: where nothing is kept under that name.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     run = a.add_predictions("theirs", [10.0, 20.0], model="sheet", ds=["2026-01-01", "2026-01-02"])
            ...     a.add_actuals("theirs", [12.0], ds=["2026-01-01"])
            1
        """
        asked = to_json(
            {
                "y": _plain(y),
                "uniqueId": None if unique_id is None else _plain(unique_id),
                "ds": None if ds is None else list(ds),
            }
        )
        return self._store.add_actuals(name, asked)

    def add_predictions(
        self,
        name: str,
        mean: Sequence[float],
        *,
        model: str,
        measure: Literal["number", "probability"] | None = None,
        unique_id: Sequence[str | int] | None = None,
        ds: Sequence[Date | int] | None = None,
        lower: Sequence[float] | None = None,
        upper: Sequence[float] | None = None,
        level: float | None = None,
    ) -> str:
        """Keeps predictions made elsewhere under a name, so that what comes can be joined.

        Args:
            name: the name.
            mean: what is expected.
            model: what predicted it.
            measure: whether a `number` is foretold, or the `probability` of something.
            unique_id: the series, or row, of each.
            ds: when each comes.
            lower: the lower ends of the intervals.
            upper: their upper ends.
            level: the level of the intervals in per cent.

        Returns:
            The id of the run.

        Raises:
            ValidationError: with everything wrong with the values.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     run = a.add_predictions("theirs", [10.0, 20.0], model="sheet", ds=["2026-01-01", "2026-01-02"])
            ...     a.feedback("theirs")["models"]
            ['sheet']
        """
        given = {"mean": mean, "unique_id": unique_id, "ds": ds, "lower": lower, "upper": upper}
        plain = {key: _plain(values) for key, values in given.items() if values is not None}
        return self._store.add_predictions(name, question(model=model, measure=measure, level=level, **plain))

    def delete_feedback(self, name: str) -> int:
        """Forgets all that is kept under a name; how many runs it had.

        Args:
            name: what `feedback=` was when it was foretold.

        Raises:
            NotFound: where nothing is kept under that name.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     run = a.add_predictions("theirs", [10.0, 20.0], model="sheet", ds=["2026-01-01", "2026-01-02"])
            ...     a.delete_feedback("theirs")
            1
        """
        return self._store.delete_feedback(name)


def columns(rows: Rows) -> Any:
    """Rows as columns of plain values."""
    if isinstance(rows, Mapping):
        return {str(name): _plain(values) for name, values in rows.items()}
    if hasattr(rows, "to_pydict"):
        return {name: _plain(values) for name, values in rows.to_pydict().items()}
    if hasattr(rows, "get_columns"):
        return {column.name: _plain(column.to_list()) for column in rows.get_columns()}
    if hasattr(rows, "columns"):
        return {str(name): _plain(rows[name]) for name in rows.columns}
    return [{str(name): _value(value) for name, value in row.items()} for row in rows]


def _plain(values: Any) -> list[Any]:
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return [_value(value) for value in listed]


def _value(value: Any) -> Any:
    return None if missing(value) else value
