"""One store, many threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import travelsense as ts
from conftest import FEBRUARY


def test_many_threads_get_the_same_bytes(store):
    def ask(_):
        return store.funnel(["search", "view", "book"], **FEBRUARY).to_json()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(200)))) == 1


def test_the_number_of_threads_changes_no_byte(store):
    texts = set()
    for threads in (1, 2, 7):
        with ts.open(":memory:", now=store.now(), threads=threads) as other:
            other.ingest(
                [{"userId": f"u{i % 50}", "name": "search", "ts": f"2026-02-{i % 28 + 1:02}"} for i in range(500)]
            )
            texts.add(other.retention("daily", **FEBRUARY).to_json())
    assert len(texts) == 1


def test_questions_and_batches_may_overlap(empty):
    def ingest(thread):
        for i in range(20):
            empty.ingest([{"userId": f"{thread}-{i}", "name": "x", "ts": "2026-02-01", "eventId": f"{thread}-{i}"}])

    workers = [threading.Thread(target=ingest, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    seen = []
    while any(worker.is_alive() for worker in workers):
        seen.append(empty.funnel(["x"], **FEBRUARY).to_dict()["entered"])
    assert seen == sorted(seen)
    assert empty.funnel(["x"], **FEBRUARY).to_dict()["entered"] == 80


def test_closing_waits_for_nobody_and_breaks_nothing(store):
    started = threading.Event()

    def ask():
        started.set()
        while True:
            try:
                assert store.funnel(["search"], **FEBRUARY).to_dict()["entered"] == 3
            except ts.Conflict:
                return

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask) for _ in range(4)]
        started.wait()
        store.close()
        for one in asked:
            one.result(timeout=60)
    with pytest.raises(ts.Conflict):
        store.rebuild()
