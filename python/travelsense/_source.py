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
