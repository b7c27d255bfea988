"""What goes wrong, as Python sees it."""

import os
import subprocess
import sys

import pytest
import travelsense as ts
from conftest import FEBRUARY


def test_all_errors_of_a_question_come_at_once_under_pythons_names(empty):
    with pytest.raises(ts.ValidationError) as raised:
        empty.funnel(
            [], start_date="2026-02-10", end_date="2026-02-01", window="-7d", time_between=(2, 1), segment="gold"
        )
    error = raised.value
    assert isinstance(error, ts.Error)
    assert isinstance(error, ValueError)
    assert error.code == "validation_failed"
    assert {(e["field"], e["code"]) for e in error.errors} == {
        ("steps", "invalid_length"),
        ("end_date", "not_after_start"),
        ("window", "out_of_range"),
        ("time_between", "out_of_range"),
        ("segment", "not_in_list"),
    }
    assert "end_date: must be after start_date" in str(error)


def test_fields_inside_lists_are_named(empty):
    with pytest.raises(ts.ValidationError) as raised:
        empty.funnel(["search", 3], **FEBRUARY)
    assert [e["field"] for e in raised.value.errors] == ["steps[1]"]
    with pytest.raises(ts.ValidationError) as raised:
        empty.retention("weekly", return_=3, **FEBRUARY)
    assert [e["field"] for e in raised.value.errors] == ["return_"]


def test_what_the_user_wrote_is_quoted_as_it_is(empty):
    with pytest.raises(ts.ValidationError, match="`newUsers` is not one of"):
        empty.funnel(["search"], segment="newUsers", **FEBRUARY)


def test_an_unknown_argument_is_pythons_own_error(empty):
    with pytest.raises(TypeError, match="colour"):
        empty.funnel(["search"], colour="red", **FEBRUARY)


@pytest.mark.parametrize("window", [float("nan"), float("inf"), "7 parsecs", True])
def test_a_window_that_is_none_is_refused(window, empty):
    with pytest.raises(ts.ValidationError):
        empty.funnel(["search"], window=window, **FEBRUARY)


def test_text_that_is_no_text_is_refused(empty):
    with pytest.raises(ts.ValidationError) as raised:
        empty.funnel(["\ud800", "🛒"], **FEBRUARY)
    assert [(error["field"], error["code"]) for error in raised.value.errors] == [("steps[0]", "invalid_text")]


def test_what_no_question_can_hold_is_refused(empty):
    with pytest.raises(TypeError, match="object"):
        empty.funnel([object()], **FEBRUARY)


def test_a_missing_folder_is_not_found(tmp_path):
    with pytest.raises(ts.NotFound) as raised:
        ts.open(tmp_path / "no" / "travel.db")
    assert isinstance(raised.value, FileNotFoundError)
    assert isinstance(raised.value, ts.StorageError)
    assert str(tmp_path / "no") in str(raised.value)
    with pytest.raises(ts.NotFound):
        ts.open(tmp_path / "travel.db", read_only=True)


def test_a_missing_source_is_not_found(empty, tmp_path):
    with pytest.raises(ts.NotFound):
        empty.import_(tmp_path / "events.csv")


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path):
    path = tmp_path / "travel.db"
    path.write_text("dear diary, " * 10_000)
    with pytest.raises(ts.Corrupt) as raised:
        ts.open(path)
    assert raised.value.code == "not_a_database"
    assert path.read_text() == "dear diary, " * 10_000


def test_a_second_writer_is_told_who_has_the_file(tmp_path):
    path = tmp_path / "travel.db"
    with ts.open(path):
        with pytest.raises(ts.Locked, match=str(os.getpid())):
            ts.open(path)
        other = f"import travelsense as ts\ntry: ts.open({str(path)!r})\nexcept ts.Locked as e: print(e.code, e)"
        said = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=True).stdout
        assert said.startswith("locked ")
        assert str(os.getpid()) in said
    ts.open(path).close()


def test_a_store_that_is_read_only_takes_nothing_in(tmp_path):
    path = tmp_path / "travel.db"
    ts.open(path).close()
    with ts.open(path, read_only=True) as first, ts.open(path, read_only=True) as second:
        assert first.funnel(["x"], start_date="2020-01-01", end_date="2020-02-01").to_dict()["entered"] == 0
        with pytest.raises(ts.StorageError):
            second.ingest([{"userId": "a", "name": "x", "ts": "2020-01-01"}])


def test_a_closed_store_says_so(store):
    store.close()
    store.close()
    with pytest.raises(ts.Conflict) as raised:
        store.funnel(["search"], **FEBRUARY)
    assert raised.value.code == "closed"


@pytest.mark.parametrize("options", [{"threads": 0}, {"threads": -1}, {"memory_limit": -1}, {"now": "soon"}])
def test_options_that_cannot_be_met_are_named(options):
    with pytest.raises(ts.ValidationError) as raised:
        ts.open(":memory:", **options)
    assert [e["field"] for e in raised.value.errors] == list(options)


FORK = """
import os, signal, sys
import travelsense as ts

def event(i):
    return {"eventId": f"e{i}", "userId": "u", "name": "a", "ts": "2026-02-01T00:00:00Z"}

a = ts.open(sys.argv[1])
a.ingest([event(1)])
child = os.fork()
if child == 0:
    try:
        a.funnel(["a"], start_date="2026-01-01", end_date="2026-02-10")
    except ts.Error as error:
        code = 0 if error.code == "forked" else 1
    else:
        code = 1
    a.close()
    del a
    sys.exit(code)
_, status = os.waitpid(child, 0)
if status == 0 and a.ingest([event(2)]).accepted == 1:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_fork_leaves_the_store_of_its_parent_alone(tmp_path):
    path = str(tmp_path / "e.db")
    done = subprocess.run([sys.executable, "-c", FORK, path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -9, done.stderr
    with ts.open(path) as a:
        again = [{"eventId": f"e{i}", "userId": "u", "name": "a", "ts": "2026-02-01T00:00:00Z"} for i in (1, 2)]
        assert a.ingest(again).duplicates == 2
