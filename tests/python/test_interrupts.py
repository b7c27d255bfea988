"""Ctrl-C stops a running question at once."""

import subprocess
import sys

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
