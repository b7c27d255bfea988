"""An answer: exact text, plain Python, Arrow for every library that speaks it, and what people look at."""

from __future__ import annotations

import importlib
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import altair as alt
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from travelsense._display import Table
    from travelsense._native import Answer


# A table of more rows is not written out to be looked at.
_MANY = 100_000
_ZONE = re.compile(r'"(.+)"')


class Result:
    """The answer to a question.

    The whole answer is `to_dict()`. Its table, of which `columns` names the columns, is read row by row by iteration,
    or taken over without copying by anything that speaks Arrow: `polars.DataFrame(result)`, `pyarrow.table(result)`,
    `duckdb.sql("from result")`. `explain()` says how its numbers come about; `plot()` and `to_svg()` show them.

    Attributes:
        word: what was asked: `funnel`, `drop_off`, `compare`, `explain_difference`, `retention`, `journey`,
            `engagement`, `adoption`, `realtime`, `pickup`, `anomalies`, `user_insights`, `predictive`, `churn`,
            `value`, `next_action`, `forecast`, `backtest` or `detect_anomalies`.

    Example:
        >>> import travelsense as ts
        >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
        ...     report = a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
        ...     result = a.funnel(["search", "book"], start_date="2026-02-01", end_date="2026-02-28")
        >>> result
        Funnel, 2026-02-01 to 2026-02-28 (UTC), within 14 d
        step  event   users     rate  from previous  dropped  median time
        1     search      1  100.0 %                       1               ████████████████████
        2     book        0    0.0 %          0.0 %
    """

    def __init__(self, word: str, answer: Answer) -> None:
        self.word = word
        self._answer = answer

    def to_json(self) -> str:
        """The answer as JSON, byte for byte what the Rust, Node and HTTP doors give for the same question.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     funnel = a.funnel(["search", "book"], start_date="2026-01-01", end_date="2026-01-31")
            >>> funnel.to_json()[:7]
            '{"_id":'
        """
        return self._answer.text

    def to_dict(self) -> Any:
        """The whole answer as the JSON has it, its names in camelCase: a dict, or a list where there are several.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     funnel = a.funnel(["search", "book"], start_date="2026-01-01", end_date="2026-01-31")
            >>> funnel.to_dict()["converted"]
            0
        """
        return json.loads(self._answer.text)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows of the table, each a dict by column; instants are `datetime`s in UTC.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     funnel = a.funnel(["search", "book"], start_date="2026-01-01", end_date="2026-01-31")
            >>> [(row["step"], row["event"], row["count"]) for row in funnel.to_dicts()]
            [(1, 'search', 0), (2, 'book', 0)]
        """
        return list(self)

    @property
    def columns(self) -> list[str]:
        """The names of the table's columns.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     funnel = a.funnel(["search", "book"], start_date="2026-01-01", end_date="2026-01-31")
            >>> funnel.columns[:4]
            ['step', 'event', 'count', 'rate']
        """
        return [name for name, _ in self._answer.schema]

    def to_arrow(self) -> pa.Table:
        """The table as a `pyarrow.Table`, over the same memory.

        Raises:
            ImportError: without pyarrow, naming the extra that brings it.
        """
        table: pa.Table = _library("pyarrow", "arrow").table(self)
        return table

    def to_polars(self) -> pl.DataFrame:
        """The table as a `polars.DataFrame`; numbers, flags and instants over the same memory.

        Raises:
            ImportError: without polars, naming the extra that brings it.
        """
        frame: pl.DataFrame = _library("polars", "polars").DataFrame(self)
        return frame

    def to_pandas(self) -> pd.DataFrame:
        """The table as a `pandas.DataFrame`.

        Raises:
            ImportError: without pandas, naming the extra that brings it.
        """
        pandas = _library("pandas", "pandas")
        try:
            # Over the same memory, column by column, where nothing is missing.
            frame: pd.DataFrame = _library("pyarrow", "arrow").table(self).to_pandas(split_blocks=True)
        except ImportError:
            values = self._answer.columns()
            kinds = self._answer.schema
            frame = pandas.DataFrame(
                {name: pandas.Series(values[name], dtype=_pandas_type(kind, values[name])) for name, kind in kinds}
            )
        return frame

    def to_duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """The table as a relation of DuckDB, which reads it where it lies.

        Args:
            connection: whose relation; that of the module `duckdb` by default. Its version need not be ours.

        Raises:
            ImportError: without duckdb or pyarrow, naming the extra that brings it.
        """
        relation: duckdb.DuckDBPyRelation = (connection or _library("duckdb", "duckdb")).from_arrow(self.to_arrow())
        return relation

    def __len__(self) -> int:
        return len(self._answer)

    def __bool__(self) -> bool:
        # An answer without rows is an answer.
        return True

    def __iter__(self) -> Iterator[dict[str, Any]]:
        columns = self._answer.columns()
        rows = zip(*columns.values(), strict=True)
        return (dict(zip(columns, row, strict=True)) for row in rows)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The table as an Arrow stream capsule."""
        return self._answer.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """The schema of the table as an Arrow capsule."""
        return self._answer.__arrow_c_schema__()

    def explain(self) -> str:
        """How the numbers come about: what was asked, how every switch stands, and what the answer was computed from.

        Two answers with the same identity are the same numbers; where two differ, `Analytics.explain_difference` says
        which switch does it, and which users.

        Returns:
            Text to read or print.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
            ...     result = a.funnel(["search", "book"], start_date="2026-02-01", end_date="2026-02-28", window="7d")
            >>> "window              7 d" in result.explain()
            True
        """
        from travelsense._explain import explain

        return explain(self.word, self.to_dict())

    def plot(self) -> alt.Chart | alt.LayerChart | alt.FacetChart:
        """The answer as an Altair chart: to be changed, layered, saved.

        Funnels and groups are bars with their intervals, retention is a heat map, engagement and figures over time are
        lines, journeys the most frequent transitions, predictions and forecasts lines with their intervals. `to_svg()`
        needs no other library.

        Raises:
            ImportError: without Altair, naming the extra that brings it.
            ValueError: for an answer without anything to draw.
        """
        library = _library("altair", "plot")
        from travelsense import _plot

        chart: alt.Chart | alt.LayerChart | alt.FacetChart = _plot.plot(library, self)
        return chart

    def to_svg(self) -> str | None:
        """The answer as a chart in SVG that follows light and dark pages; `None` where it has none.

        Where it holds several answers, the chart of the first.

        Example:
            >>> import travelsense as ts
            >>> with ts.open(":memory:") as a:
            ...     funnel = a.funnel(["search", "book"], start_date="2026-01-01", end_date="2026-01-31")
            >>> funnel.to_svg()[:4]
            '<svg'
        """
        return next(iter(self._answer.svgs), None)

    def __repr__(self) -> str:
        from travelsense import _display

        return "\n\n".join(map(_display.plain, self._tables()))

    def _repr_html_(self) -> str:
        from travelsense import _display

        return _display.page(self._answer.svgs, self._tables())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What notebooks show; they choose between the forms themselves."""
        del include, exclude
        shown = {"text/plain": repr(self), "text/html": self._repr_html_()}
        svg = self.to_svg()
        return shown if svg is None else {**shown, "image/svg+xml": svg}

    def _tables(self) -> list[Table]:
        from travelsense import _display

        return _display.tables(self.word, self.to_dict())

    def __reduce__(self) -> NoReturn:
        raise TypeError("an answer cannot be pickled: `to_json()`, `to_arrow()` and `to_polars()` can")


class Forecast(Result):
    """The forecasts of a table of series: what `to_arrow` and its like give are the periods ahead."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("forecast", answer)

    def _tables(self) -> list[Table]:
        if len(self) > _MANY:
            from travelsense._display import Table

            return [Table(f"Forecasts: {len(self):,} rows of {', '.join(self.columns)}", [], [])]
        return super()._tables()

    def to_svg(self, series: object = None) -> str | None:
        """One series, the first by default, with its history and a band for each level; `None` where there is none."""
        return self._answer.svg_of(None if series is None else str(series))


class Backtest(Result):
    """How forecasts would have done: what `to_arrow` and its like give is every compared value.

    `scores` has the figures of each series beside those of the seasonal naive forecast, `to_dict()["overall"]` those of
    all series together.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__("backtest", answer)

    @property
    def scores(self) -> Result:
        """The scores, one row a series.

        The columns are `unique_id`, `origins`, `points`, `mase`, `wape`, `bias`, `coverage_80`, `coverage_95`,
        `width_80`, `width_95`, and the last seven of the seasonal naive forecast with `naive_` before their names.
        """
        scores = self._answer.scores
        return Result("backtest", scores if scores is not None else self._answer)

    def to_svg(self, series: object = None) -> str | None:
        """One series, the first by default: what came, and what was forecast and naively; `None` if there is none."""
        return self._answer.svg_of(None if series is None else str(series))


class Anomalies(Result):
    """What was not as usual in a table of series: what `to_arrow` and its like give are its periods."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("detect_anomalies", answer)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found, series by series, as it stands in JSON: since when, what was expected, what came."""
        found: list[dict[str, Any]] = self.to_dict()["findings"]
        return found

    def to_svg(self, series: object = None) -> str | None:
        """One series, the first by default: what came over what was expected; `None` where there is none."""
        return self._answer.svg_of(None if series is None else str(series))


def _library(name: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise ImportError(f"{name} is not installed: pip install travelsense[{extra}]", name=name) from missing


def _pandas_type(arrow: str, values: list[Any]) -> str | None:
    """The pandas type of an Arrow type; nothing where pandas finds it by itself."""
    if arrow.startswith("Timestamp"):
        zone = _ZONE.search(arrow)
        return f"datetime64[us, {zone[1]}]" if zone else "datetime64[us]"
    if None in values:
        return "float64" if arrow in {"Int64", "Float64"} else None
    return {"Int64": "int64", "Float64": "float64", "Boolean": "bool"}.get(arrow)
