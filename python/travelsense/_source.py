"""Where rows come from."""

from __future__ import annotations

import os
from typing import Any, Literal, Protocol, TypeAlias


class ArrowStream(Protocol):
    """A table that other libraries can read as a stream of Arrow batches."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The stream, as a capsule."""


class ArrowArray(Protocol):
    """A batch that other libraries can read as an Arrow array."""

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        """The schema and the array, as capsules."""


Table: TypeAlias = str | os.PathLike[str] | ArrowStream | ArrowArray
PlatformTable: TypeAlias = Literal[
    "profiles", "aliases", "merges", "trips", "bookings", "reviews", "payments", "performance", "rates"
]
Rows: TypeAlias = Any
"""Columns by name, a list of dicts, or a frame of pandas, polars or pyarrow."""
TimeUnit: TypeAlias = Literal["s", "ms", "us"]


def readable(source: Any) -> Any:
    """The source, where its columns are such that other libraries read them.

    A column of polars that holds nothing at all has no type, and is handed over as Arrow's rules do not allow.
    """
    if type(source).__module__.partition(".")[0] != "polars" or type(source).__name__ != "DataFrame":
        return source
    import polars as pl

    untyped = [name for name, kind in source.schema.items() if kind == pl.Null]
    return source.with_columns(pl.col(untyped).cast(pl.String)) if untyped else source
