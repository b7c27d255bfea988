"""What the tests share: small stores, and where the real data is."""

import os
from pathlib import Path

import pytest
import travelsense as ts

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("TRAVELSENSE_DATA") or ROOT.parent / "shared" / "data")
NOW = "2026-03-01T00:00:00Z"

# Three users search, two of them view, one of them books.
EVENTS = [
    {"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z", "eventId": "1"},
    {"userId": "ada", "name": "view", "ts": "2026-02-01T10:10:00Z", "eventId": "2"},
    {"userId": "ada", "name": "book", "ts": "2026-02-02T10:00:00Z", "eventId": "3"},
    {"userId": "bob", "name": "search", "ts": "2026-02-03T10:00:00Z", "eventId": "4"},
    {"userId": "bob", "name": "view", "ts": "2026-02-10T10:00:00Z", "eventId": "5"},
    {"userId": "cy", "name": "search", "ts": "2026-02-20T10:00:00Z", "eventId": "6"},
]
FEBRUARY = {"start_date": "2026-02-01", "end_date": "2026-02-28"}


@pytest.fixture
def empty():
    """A store in memory with nothing in it, on 2026-03-01."""
    with ts.open(":memory:", now=NOW) as store:
        yield store


@pytest.fixture
def store(empty):
    """The same with the events above."""
    assert empty.ingest(EVENTS).accepted == len(EVENTS)
    return empty


@pytest.fixture
def data():
    """The folder of real data; what needs it is not run where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"the real data is not here: {DATA}")
    return DATA
