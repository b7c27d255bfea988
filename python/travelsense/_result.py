"""An answer: exact text, plain Python, Arrow for every library that speaks it, and a table to look at."""

from __future__ import annotations

import importlib
import json
import re
from typing import TYPE_CHECKING, Any

from travelsense import _display

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from travelsense._native import Answer


# A table of more rows is not written out to be looked at.
_MANY = 100_000
_ZONE = re.compile(r'"(.+)"')


class Result:
    """The answer to a question.

    The whole answer is `to_dict()`. Its table, of which `columns` names the columns, is read row by row by iteration,
    or taken over without copying by anything that speaks Arrow: `polars.DataFrame(result)`, `pyarrow.table(result)`,
    `duckdb.sql("from result")`.

    Attributes:
        word: what was asked: `funnel`, `drop_off`, `compare`, `explain_difference`, `retention`, `journey`,
            `engagement`, `adoption`, `predictive`, `churn`, `value`, `next_action`, `realtime`, `user_insights`,
            `forecast` or `backtest`.
    """

    def __init__(self, word: str, answer: Answer) -> None:
        self.word = word
        self._answer = answer

    def to_json(self) -> str:
        """The answer as JSON, byte for byte what the Rust, Node and HTTP doors give for the same question."""
        return self._answer.text

    def to_dict(self) -> Any:
        """The whole answer as the JSON has it, its names in camelCase: a dict, or a list where there are several."""
        return json.loads(self._answer.text)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows of the table, each a dict by column; instants are `datetime`s in UTC."""
        return list(self)

    @property
    def columns(self) -> list[str]:
        """The names of the table's columns."""
        return [name for name, _ in self._answer.schema]

    def to_arrow(self) -> pa.Table:
        """The table as a `pyarrow.Table`."""
        table: pa.Table = _library("pyarrow", "arrow").table(self)
        return table

    def to_polars(self) -> pl.DataFrame:
        """The table as a `polars.DataFrame`."""
        frame: pl.DataFrame = _library("polars", "polars").DataFrame(self)
        return frame

    def to_pandas(self) -> pd.DataFrame:
        """The table as a `pandas.DataFrame`."""
        pandas = _library("pandas", "pandas")
        values = self._answer.columns()
        frame: pd.DataFrame = pandas.DataFrame(
            {name: pandas.Series(values[name], dtype=_pandas_type(kind)) for name, kind in self._answer.schema}
        )
        return frame

    def __len__(self) -> int:
        return len(self._answer)

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

    def __repr__(self) -> str:
        return "\n\n".join(map(_display.plain, self._tables()))

    def _repr_html_(self) -> str:
        return "\n".join(map(_display.html, self._tables()))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What notebooks show; they choose between the forms themselves."""
        del include, exclude
        shown = {"text/plain": repr(self), "text/html": self._repr_html_()}
        svg = self.to_svg()
        return shown if svg is None else {**shown, "image/svg+xml": svg}

    def to_svg(self) -> str | None:
        """The answer as a chart in SVG that follows light and dark pages; `None` where it has none."""
        return self._answer.svg

    def _tables(self) -> list[_display.Table]:
        return _display.tables(self.word, self.to_dict())


class Forecast(Result):
    """The forecasts of a table of series: what `to_arrow` and its like give are the periods ahead."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("forecast", answer)

    def _tables(self) -> list[_display.Table]:
        if len(self) > _MANY:
            return [_display.Table(f"Forecasts: {len(self):,} rows of {', '.join(self.columns)}", [], [])]
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


def _library(name: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise ImportError(f"{name} is not installed: pip install travelsense[{extra}]", name=name) from missing


def _pandas_type(arrow: str) -> str | None:
    """The pandas type of an Arrow type; nothing where pandas finds it by itself."""
    types = {"Int64": "int64", "Float64": "float64", "Boolean": "bool"}
    if arrow.startswith("Timestamp"):
        zone = _ZONE.search(arrow)
        return f"datetime64[us, {zone[1]}]" if zone else "datetime64[us]"
    return types.get(arrow)
