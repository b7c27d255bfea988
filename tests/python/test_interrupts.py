"""Ctrl-C stops a running question at once, and work that changes something before it does."""

import subprocess
import sys

import pytest

import travelsense as ts
from travelsense._asking import STOP
from travelsense._native import Stop

PROGRAM = """
import os, signal, sys, threading, time
import travelsense as ts

signal.signal(signal.SIGINT, signal.default_int_handler)
with ts.open(":memory:", now="2026-03-01T00:00:00Z", threads=1) as a:
    days = [f"2026-01-{i % 28 + 1:02}T{i // 28 % 24:02}:{i % 60:02}:{i % 59:02}Z" for i in range(120_000)]
    a.ingest([{"userId": f"u{i % 40}", "name": "abc"[i % 3], "ts": day} for i, day in enumerate(days)])
    a.rebuild()
    question = {
        "steps": ["a", *[{"event": None, "maxGap": "27d"}] * 60],
        "startDate": "2026-01-01", "endDate": "2026-01-31", "window": "28d", "unit": "totals", "totals": "every_entry",
    }
    sent = []

    def interrupt():
        time.sleep(0.3)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    try:
        a.query("funnel", question)
    except KeyboardInterrupt:
        print(time.monotonic() - sent[0])
    else:
        sys.exit("the question was over before anybody pressed Ctrl-C")
    # The store goes on.
    a.funnel(["a"], start_date="2026-01-01", end_date="2026-01-31")
"""


def test_ctrl_c_gives_a_running_question_up_at_once():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5


def test_what_changes_something_is_given_up_whole():
    stop = Stop()
    stop.stop()
    with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
        a.ingest([{"userId": "ada", "name": "search", "ts": "2026-02-01T10:00:00Z"}])
        given_up = STOP.set(stop)
        try:
            for work in (a.rebuild, a.verify_audit, lambda: a.erase(["ada"])):
                with pytest.raises(ts.Cancelled):
                    work()
        finally:
            STOP.reset(given_up)
        a.rebuild()
        assert a.verify_audit()["broken"] is None
        assert a.erase(["ada"])["events"] == 1


def test_threads_that_answered_answer_again():
    with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
        question = {"steps": ["a"], "startDate": "2026-01-01", "endDate": "2026-01-31"}
        first = [a.query("funnel", question) for _ in range(3)]
        assert first[0] == first[1] == first[2]
        acting = a.acting("ada", "viewer")
        assert acting.query("funnel", question) == first[0]
