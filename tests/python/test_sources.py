"""Everything that events can be imported from."""

import json
import os
import signal
import threading
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import travelsense as ts
from conftest import EVENTS, FEBRUARY

COLUMNS = {"user": "who", "name": "what", "time": "when", "id": "no"}
ROWS = [{"who": e["userId"], "what": e["name"], "when": e["ts"], "no": e["eventId"]} for e in EVENTS]


def of_duckdb():
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    connection = duckdb.connect()
    connection.execute('create table t (who text, what text, "when" timestamp, no text)')
    connection.executemany("insert into t values (?, ?, ?, ?)", [list(row.values()) for row in ROWS])
    # The relation keeps its connection open.
    return connection.table("t")


SOURCES = {
    "pyarrow table": lambda: pa.Table.from_pylist(ROWS),
    "pyarrow batch": lambda: pa.RecordBatch.from_pylist(ROWS),
    "pyarrow reader": lambda: pa.Table.from_pylist(ROWS).to_reader(max_chunksize=2),
    "pyarrow array of structs": lambda: pa.array(ROWS),
    "polars": lambda: pl.DataFrame(ROWS),
    "polars with times": lambda: pl.DataFrame(ROWS).with_columns(pl.col("when").str.to_datetime(time_zone="UTC")),
    "polars with an empty column": lambda: pl.DataFrame(ROWS).with_columns(nothing=None),
    "polars with categories": lambda: pl.DataFrame(ROWS).with_columns(pl.col("what").cast(pl.Categorical)),
    "pandas": lambda: pd.DataFrame(ROWS),
    "pandas with times": lambda: pd.DataFrame(ROWS).assign(when=lambda f: pd.to_datetime(f["when"])),
    "duckdb": of_duckdb,
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_table_of_another_library_gives_the_same_answer(source, store):
    with ts.open(":memory:", now=store.now()) as other:
        report = other.import_(SOURCES[source](), **COLUMNS)
        assert (report.sent, report.accepted, report.refused) == (6, 6, 0)
        ask = {"steps": ["search", "view", "book"], "window": "7d", **FEBRUARY}
        assert other.funnel(**ask).to_json() == store.funnel(**ask).to_json()


@pytest.mark.parametrize("format_", ["ndjson", "csv", "parquet"])
def test_a_file_gives_the_same_answer(format_, empty, tmp_path):
    path = tmp_path / f"events.{format_}"
    match format_:
        case "ndjson":
            path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        case "csv":
            pd.DataFrame(ROWS).to_csv(path, index=False)
        case "parquet":
            pq.write_table(pa.Table.from_pylist(ROWS), path)
    for given in (path, str(path)):
        report = empty.import_(given, **COLUMNS)
        assert report.sent == 6
    # The same again changes nothing.
    assert (report.accepted, report.duplicates) == (0, 6)
    assert [row["count"] for row in empty.funnel(["search", "view", "book"], window="7d", **FEBRUARY)] == [3, 2, 1]


def test_one_name_may_stand_for_all_rows(empty):
    purchases = pl.DataFrame({"customer": ["a", "a", "b"], "day": ["2026-02-01", "2026-02-09", "2026-02-02"]})
    assert empty.import_(purchases, user="customer", time="day", event="purchase").accepted == 3
    assert [row["count"] for row in empty.funnel(["purchase", "purchase"], **FEBRUARY)] == [2, 1]


def test_rows_that_are_not_valid_are_counted_and_named(empty, tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_text('{"userId":"a","name":"x","ts":"2026-02-01"}\nno json\n{"userId":"a","ts":"2026-02-01"}\n')
    report = empty.import_(path)
    assert (report.sent, report.accepted, report.refused) == (3, 1, 2)
    assert [refusal["line"] for refusal in report.refusals] == [2, 3]
    assert sum(report.refused_by_code.values()) == 2
    assert str(report) == "3 sent: 1 accepted, 0 duplicates, 2 refused"


def test_strict_keeps_nothing_of_a_file_with_a_wrong_row(empty, tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_text('{"userId":"a","name":"x","ts":"2026-02-01"}\nno json\n')
    with pytest.raises(ts.ValidationError):
        empty.import_(path, strict=True)
    assert empty.funnel(["x"], **FEBRUARY).to_dict()["entered"] == 0


def test_ingest_answers_for_each_event(empty):
    report = empty.ingest(
        [
            {"userId": "a", "name": "x", "ts": "2026-02-01T00:00:00Z", "eventId": "1"},
            {"userId": "a", "name": "x", "ts": "2026-02-01T00:00:00Z", "eventId": "1"},
            {"userId": "a", "name": "", "ts": "soon"},
        ]
    )
    assert [event["status"] for event in report.events] == ["accepted", "duplicate", "refused"]
    assert {error["field"] for error in report.events[2]["errors"]} == {"name", "ts"}
    assert report.sent == report.accepted + report.duplicates + report.refused == 3


@pytest.mark.parametrize("source", [3, [{"userId": "a"}], None, object()])
def test_what_is_no_source_is_refused(source, empty):
    with pytest.raises(TypeError, match="path or an Arrow table"):
        empty.import_(source)


@pytest.mark.parametrize("source", [pl.Series([1, 2]), pa.array([1, 2])])
def test_what_is_no_table_is_refused(source, empty):
    with pytest.raises(TypeError, match="not an Arrow table"):
        empty.import_(source)


def test_a_reader_that_fails_ends_the_import_and_nothing_is_kept(empty):
    def batches():
        yield pa.RecordBatch.from_pylist(ROWS)
        raise RuntimeError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.RecordBatch.from_pylist(ROWS).schema, batches())
    with pytest.raises(ts.Error, match="the disk is gone"):
        empty.import_(reader, **COLUMNS)
    assert empty.funnel(["search"], **FEBRUARY).to_dict()["entered"] == 0


def test_progress_is_told_and_may_stop_the_import(empty):
    table = pl.DataFrame({"userId": ["u"] * 300_000, "name": "x", "ts": "2026-02-01"})
    told = []
    empty.import_(table, progress=lambda *so_far: told.append(so_far))
    assert told
    assert [rows for rows, *_ in told] == sorted(rows for rows, *_ in told)

    def enough(*_):
        raise KeyboardInterrupt

    version = empty.ingest([]).version
    with pytest.raises(KeyboardInterrupt):
        empty.import_(table, progress=enough)
    assert empty.ingest([]).version == version


def test_ctrl_c_stops_an_import_and_nothing_is_kept(empty, request):
    # A shell starts what runs in its background with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    batch = pa.RecordBatch.from_pylist(ROWS)

    def batches():
        yield batch
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(10_000):
            yield batch

    version = empty.ingest([]).version
    with pytest.raises(KeyboardInterrupt):
        empty.import_(pa.RecordBatchReader.from_batches(batch.schema, batches()), **COLUMNS)
    assert empty.ingest([]).version == version
    assert empty.funnel(["search"], **FEBRUARY).to_dict()["entered"] == 0


def test_what_was_read_to_its_end_can_still_be_stopped(empty):
    table = pl.DataFrame({"userId": ["u"] * 300, "name": "x", "ts": "2026-02-01"})
    told = []
    with ts.open(":memory:") as other:
        other.import_(table, progress=lambda rows, *_: told.append(rows))
    # Once more than there are rows to tell of: the last time just before they are made durable.
    assert told == [300, 300]
    heard = []

    def last(*_):
        heard.append(1)
        if len(heard) == len(told):
            raise KeyboardInterrupt

    version = empty.ingest([]).version
    with pytest.raises(KeyboardInterrupt):
        empty.import_(table, progress=last)
    assert empty.ingest([]).version == version
    assert empty.funnel(["x"], **FEBRUARY).to_dict()["entered"] == 0


def test_other_threads_go_on_while_events_come_in(store):
    table = pl.DataFrame({"userId": ["u"] * 300_000, "name": "x", "ts": "2026-02-01"})
    worker = threading.Thread(target=store.import_, args=(table,))
    worker.start()
    beats = 0
    while worker.is_alive():
        beats += 1
        worker.join(0.001)
    # With the lock held, this thread would have come to its turn once.
    assert beats > 10


def test_a_name_is_a_column_or_a_constant(empty):
    with pytest.raises(TypeError, match="`event` one name for all rows"):
        empty.import_(pl.DataFrame(ROWS), **COLUMNS, event="visit")


def test_a_frame_is_not_a_batch_of_events(empty):
    for frame in (pl.DataFrame(ROWS), pd.DataFrame(ROWS), pa.Table.from_pylist(ROWS)):
        with pytest.raises(TypeError, match="goes to `import_`"):
            empty.ingest(frame)


def test_events_hold_what_python_has(empty):
    properties = {"price": Decimal("12.50"), "share": Fraction(1, 4), "id": UUID(int=7), "seats": np.int64(2)}
    event = {"userId": UUID(int=1), "name": "🛒 book", "ts": pd.Timestamp("2026-02-01", tz="UTC")}
    assert empty.ingest([{**event, "properties": properties}]).accepted == 1
    for name, value in [("price", 12.5), ("share", 0.25), ("id", str(UUID(int=7))), ("seats", 2)]:
        step = {"event": "🛒 book", "where": [{"property": name, "value": value}]}
        assert empty.funnel([step], **FEBRUARY).to_dict()["entered"] == 1, name


def test_what_json_or_utf8_lacks_is_refused_alone_and_named_all_at_once(empty):
    nothing = {
        "name": "search",
        "userId": "cut \ud83d",
        "ts": "2026-02-01",
        "properties": {"a": float("nan"), "b": [1, np.float64("inf")]},
    }
    report = empty.ingest([nothing, *EVENTS])
    assert (report.sent, report.accepted, report.refused) == (len(EVENTS) + 1, len(EVENTS), 1)
    assert [(error["field"], error["code"]) for error in report.events[0]["errors"]] == [
        ("userId", "invalid_text"),
        ("properties.a", "not_finite"),
        ("properties.b[1]", "not_finite"),
    ]
    with pytest.raises(ts.ValidationError):
        empty.ingest({"events": float("nan")})


def test_what_is_nested_very_deep_or_has_half_a_name_is_refused_alone(empty):
    itself: list[object] = []
    itself.extend([itself, itself])

    def nested(depth):
        inner: list[object] = []
        for _ in range(depth):
            inner = [inner]
        return inner

    odd = [{"a": itself}, {"a": nested(300)}, {"a": nested(100_000)}, {"\ud800": 1}, {"n": {"\ud800": float("inf")}}]
    good = {"userId": "u", "name": "search", "ts": "2026-02-01T10:00:00Z"}
    for options in ({}, {"source": "here"}):
        report = empty.ingest([good, *({**good, "properties": properties} for properties in odd), good], **options)
        assert [answer["status"] for answer in report.events] == ["accepted", *["refused"] * 5, "accepted"]
        errors = [answer["errors"] for answer in report.events[1:-1]]
        assert (errors[0][0]["code"], errors[2][0]["code"]) == ("too_deep", "too_deep")
        assert [(error["field"], error["code"]) for error in errors[3]] == [("properties.?", "invalid_text")]
        assert [(error["field"], error["code"]) for error in errors[4]] == [
            ("properties.n.?", "invalid_text"),
            ("properties.n.?", "not_finite"),
        ]


def of_bytes(column, values):
    """A table one of whose text columns holds bytes that need be no UTF-8."""
    rows = {
        "who": ["a"] * len(values),
        "what": ["x"] * len(values),
        "when": ["2026-02-01T00:00:00Z"] * len(values),
    }
    return pa.table({**rows, column: pa.array(values, pa.binary()).view(pa.string())})


@pytest.mark.parametrize("column", ["who", "what", "when", "note"])
@pytest.mark.parametrize("bad", [b"\xf0", b"ok\xc3", b"\xff\xfe"])
def test_text_that_is_no_utf8_is_malformed(column, bad):
    columns = {"user": "who", "name": "what", "time": "when"}
    table = of_bytes(column, [b"2026-02-01", bad])
    within = of_bytes("note", [b"", b""]).append_column(
        "in", pa.ListArray.from_arrays([0, 1, 2], table[column].combine_chunks())
    )
    for source in (
        table,
        within,
        table.to_batches()[0],
        table.to_batches()[0].to_struct_array(),
    ):
        with (
            ts.open(":memory:") as analytics,
            pytest.raises(ts.ValidationError) as refused,
        ):
            analytics.import_(source, **columns)
        assert refused.value.errors[0]["code"] == "malformed"


@pytest.mark.parametrize("wrap", [lambda table: table, lambda table: table.to_batches()[0].to_struct_array()])
def test_a_type_nested_very_deep_is_refused(wrap):
    deep = pa.array([1])
    for _ in range(1000):
        deep = pa.ListArray.from_arrays([0, len(deep)], deep)
    table = pa.table({"user_id": ["a"], "name": ["x"], "ts": ["2026-02-01T00:00:00Z"], "deep": deep})
    with ts.open(":memory:") as analytics, pytest.raises(ts.ValidationError) as refused:
        analytics.import_(wrap(table))
    assert refused.value.errors[0]["code"] == "unsupported_type"
