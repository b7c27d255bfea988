"""Tables of other libraries and answers for them lie in one memory, however large they are."""

import subprocess
import sys
import tracemalloc

import duckdb
import polars as pl
import pyarrow as pa
import pytest
import travelsense as ts
from conftest import FEBRUARY, NOW

FIXED = ["cohort", "size", "period", "count", "eligible", "partial_count"]


@pytest.fixture(scope="module")
def million():
    """A retention table of more than a million cells."""
    with ts.open(":memory:", now=NOW) as store:
        days = [f"20{16 + i // 336}-{i // 28 % 12 + 1:02}-{i % 28 + 1:02}T00:00:00Z" for i in range(0, 1_700, 7)]
        store.ingest([{"userId": f"u{i % 9}", "name": "a", "ts": day} for i, day in enumerate(days)])
        answer = store.retention("daily", start_date="2016-01-01", end_date="2018-09-27", periods=999)
        assert len(answer) > 1_000_000
        yield answer


def addresses(table):
    """Where the numbers of a table lie."""
    return {name: table.column(name).chunk(0).buffers()[1].address for name in FIXED}


def test_a_million_rows_reach_polars_and_arrow_without_a_copy(million):
    table, again = million.to_arrow(), pa.table(million)
    frame = million.to_polars()
    assert len(frame) == len(table) == len(million)
    assert addresses(table) == addresses(again)
    assert addresses(table) == {name: frame[name].to_arrow().buffers()[1].address for name in FIXED}
    assert frame["count"].sum() == pa.compute.sum(table["count"]).as_py()


def test_a_million_rows_reach_pandas_with_numbers_where_they_lie(million):
    frame, table = million.to_pandas(), million.to_arrow()
    where = {name: frame[name].to_numpy().__array_interface__["data"][0] for name in ("size", "period", "count")}
    assert where == {name: addresses(table)[name] for name in where}


def test_a_million_rows_reach_duckdb(million):
    (rows, users), = million.to_duckdb().aggregate("count(*), sum(count)").fetchall()  # fmt: skip
    assert (rows, users) == (len(million), million.to_polars()["count"].sum())


def test_an_answer_outlives_its_store():
    with ts.open(":memory:", now=NOW) as store:
        store.ingest([{"userId": "a", "name": "x", "ts": "2026-02-01"}])
        frame = store.funnel(["x"], **FEBRUARY).to_polars()
    assert frame["count"].to_list() == [1]


def test_what_comes_in_is_read_where_it_lies():
    frame = pl.DataFrame({"userId": [f"u{i}" for i in range(200_000)], "name": "x", "ts": "2026-02-01T00:00:00Z"})
    with ts.open(":memory:", now=NOW) as store:
        tracemalloc.start()
        assert store.import_(frame, progress=False).accepted == len(frame)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    # Not one Python object a row.
    assert most < 1_000_000


def test_a_relation_of_duckdb_goes_in_and_comes_out(store):
    connection = duckdb.connect()
    relation = connection.sql(
        """select 'u' || i as "userId", 'view' as name, timestamp '2026-02-03' + to_minutes(i::int) as ts
        from range(50) r(i)"""
    )
    assert store.import_(relation, timezone="UTC").accepted == 50
    out = store.funnel(["view"], **FEBRUARY).to_duckdb(connection)
    assert out.project("count").fetchall() == [(52,)]


BESIDE = """
import sys
order = sys.argv[1].split(",")
for name in order:
    __import__(name)
import duckdb, travelsense as ts
with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
    a.ingest([{"userId": "u", "name": "x", "ts": "2026-02-01"}])
    funnel = a.funnel(["x"], start_date="2026-02-01", end_date="2026-02-28")
    assert duckdb.sql("select count from funnel").fetchall() == [(1,)]
    relation = duckdb.sql("select 'v' as userId, 'x' as name, timestamp '2026-02-02' as ts")
    assert a.import_(relation, timezone="UTC").accepted == 1
    assert a.funnel(["x"], start_date="2026-02-01", end_date="2026-02-28").to_dict()["entered"] == 2
print(duckdb.__version__)
"""


@pytest.mark.parametrize("order", ["duckdb,travelsense", "travelsense,duckdb"])
def test_it_lives_beside_another_duckdb_in_one_process(order):
    done = subprocess.run([sys.executable, "-c", BESIDE, order], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == duckdb.__version__
