"""The store awaited: nothing blocks the loop, and what is cancelled is given up."""

import ast
import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
import time

import pytest
import travelsense as ts
from conftest import EVENTS, FEBRUARY, NOW, ROOT

PACKAGE = ROOT / "python" / "travelsense"
STUB = PACKAGE / "_async.pyi"


def test_the_same_is_asked_and_answered(store):
    async def ask():
        async with ts.aopen(":memory:", now=NOW) as other:
            report = await other.ingest(EVENTS)
            funnel = await other.funnel(["search", "view", "book"], **FEBRUARY)
            return report.accepted, funnel.to_json(), repr(other)

    accepted, text, shown = asyncio.run(ask())
    assert accepted == len(EVENTS)
    assert text == store.funnel(["search", "view", "book"], **FEBRUARY).to_json()
    assert shown == "async travelsense.open(':memory:')"


def test_it_is_opened_by_awaiting_it_too(tmp_path):
    async def ask():
        other = await ts.aopen(tmp_path / "a.db", now=NOW)
        try:
            await other.ingest(EVENTS)
            viewer = await other.acting("vic", "viewer")
            with pytest.raises(ts.Forbidden):
                await viewer.erase(["ada"])
            return len(await viewer.engagement(**FEBRUARY))
        finally:
            await other.close()

    assert asyncio.run(ask()) == 28


def test_errors_are_raised_where_it_is_awaited(tmp_path):
    async def ask():
        with pytest.raises(ts.NotFound):
            await ts.aopen(tmp_path / "no" / "where.db")
        with pytest.raises(RuntimeError, match="not open"):
            await ts.aopen(":memory:").engagement(**FEBRUARY)
        async with ts.aopen(":memory:") as other:
            with pytest.raises(ts.ValidationError):
                await other.funnel(["a"], start_date="x", end_date="y")

    asyncio.run(ask())


@pytest.fixture(scope="module")
def heavy(tmp_path_factory):
    """A file whose heaviest question takes seconds on one thread."""
    folder = tmp_path_factory.mktemp("async")
    with (folder / "events.ndjson").open("w") as lines:
        for i in range(120_000):
            ts_ = f"2026-01-{i % 28 + 1:02}T{i // 28 % 24:02}:{i % 60:02}:00Z"
            lines.write(json.dumps({"userId": f"u{i % 40}", "name": "abc"[i % 3], "ts": ts_}) + "\n")
    path = folder / "a.db"
    with ts.open(path, now=NOW) as store:
        store.import_(folder / "events.ndjson", progress=False)
    return path


HEAVY = {
    "steps": ["a", *[{"event": None, "maxGap": "27d"}] * 60],
    "startDate": "2026-01-01",
    "endDate": "2026-01-31",
    "window": "28d",
    "unit": "totals",
    "totals": "every_entry",
}


def test_the_loop_goes_on_while_a_question_is_answered(heavy):
    async def ask():
        async with ts.aopen(heavy, now=NOW, threads=1, read_only=True) as other:
            asked = asyncio.create_task(other.query("funnel", HEAVY, timeout=1.0))
            pauses, last = [], time.monotonic()
            while not asked.done():
                await asyncio.sleep(0.002)
                pauses.append(time.monotonic() - last)
                last = time.monotonic()
            asked.exception()
            return sorted(pauses)

    pauses = asyncio.run(ask())
    assert len(pauses) > 20
    # Most turns of the loop take what the sleep takes; the machine itself may be busy at times.
    assert pauses[len(pauses) // 2] < 0.02


def test_what_is_cancelled_is_given_up_at_once(heavy):
    async def ask():
        async with ts.aopen(heavy, now=NOW, threads=1, read_only=True) as other:
            light = {"steps": ["a"], "start_date": "2026-01-01", "end_date": "2026-01-02"}
            began = time.monotonic()
            await other.funnel(**light)
            alone = time.monotonic() - began
            asked = asyncio.create_task(other.query("funnel", HEAVY))
            await asyncio.sleep(0.2)
            assert not asked.done(), "the question is not heavy enough"
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            began = time.monotonic()
            # The one thread of the core is free again.
            await other.funnel(**light)
            return time.monotonic() - began - alone

    assert asyncio.run(ask()) < 1.0


def test_an_import_that_is_cancelled_keeps_nothing(tmp_path):
    path = tmp_path / "events.ndjson"
    with path.open("w") as lines:
        for i in range(300_000):
            lines.write(json.dumps({"userId": f"u{i}", "name": "a", "ts": "2026-01-01T00:00:00Z"}) + "\n")

    async def ask():
        async with ts.aopen(":memory:", now=NOW) as other:
            taken = asyncio.create_task(other.import_(path, progress=False))
            await asyncio.sleep(0.1)
            assert not taken.done()
            taken.cancel()
            with pytest.raises(asyncio.CancelledError):
                await taken
            # It waits for the import to be undone.
            return (await other.engagement(start_date="2026-01-01", end_date="2026-01-02")).to_dict()["users"]

    assert asyncio.run(ask()) == 0


def generated():
    """The stub of the awaited store, from the sources of the other."""
    imports, methods = {}, []
    for path in [*sorted((PACKAGE / "_words").glob("*.py")), *sorted((PACKAGE / "_admin").glob("*.py"))]:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module not in {"__future__", None}:
                for name in node.names:
                    imports[name.name] = f"from {node.module} import {name.name}"
            elif isinstance(node, ast.Import):
                for name in node.names:
                    imports[name.name] = f"import {name.name}"
        for owner in (n for n in tree.body if isinstance(n, ast.ClassDef)):
            methods += [m for m in owner.body if isinstance(m, ast.FunctionDef) and not m.name.startswith("_")]
    whole = ast.parse((PACKAGE / "_analytics.py").read_text())
    (opens,) = [n for n in whole.body if isinstance(n, ast.FunctionDef) and n.name == "open"]
    (handle,) = [n for n in whole.body if isinstance(n, ast.ClassDef)]
    own = [m for m in handle.body if isinstance(m, ast.FunctionDef) and not m.name.startswith("_")]
    own = [m for m in own if m.name not in {"acting", "close"}]

    def signature(method, kind):
        arguments = ast.unparse(method.args)
        return f"    {kind} {method.name}({arguments}) -> {ast.unparse(method.returns)}: ..."

    body = "\n".join(signature(m, "async def") for m in sorted([*methods, *own], key=lambda m: m.name))
    imports["os"] = "import os"
    text = body + ast.unparse(opens.args)
    used = [line for name, line in imports.items() if re.search(rf"\b{name}\b", text)]
    return "\n".join(
        [
            "# Written from the sources of `Analytics` by tests/python/test_async.py, with TRAVELSENSE_GOLDEN=write.",
            "from collections.abc import Callable, Generator",
            "from concurrent.futures import ThreadPoolExecutor",
            "from typing import Any, Literal, Self, Unpack",
            "from travelsense._analytics import Analytics",
            *[line for line in used if "typing" not in line and "import Callable" not in line],
            "",
            "class AsyncAnalytics:",
            "    def __init__(",
            "        self, make: Callable[[], Analytics], threads: ThreadPoolExecutor | None = None",
            "    ) -> None: ...",
            "    async def acting(self, id: str, role: str) -> AsyncAnalytics: ...",
            "    async def close(self) -> None: ...",
            body,
            "    def __await__(self) -> Generator[Any, None, AsyncAnalytics]: ...",
            "    async def __aenter__(self) -> Self: ...",
            "    async def __aexit__(self, *raised: object) -> None: ...",
            "",
            f"def aopen({ast.unparse(opens.args)}) -> AsyncAnalytics: ...",
            "",
        ]
    )


def test_the_stub_of_the_awaited_store_is_that_of_the_other():
    wanted = generated()
    if os.environ.get("TRAVELSENSE_GOLDEN") == "write":
        STUB.write_text(wanted)
        ruff = [sys.executable, "-m", "ruff"]
        config = ["--config", str(ROOT / "python" / "pyproject.toml")]
        subprocess.run([*ruff, "check", "--quiet", "--fix", "--select", "I,F401", *config, str(STUB)], check=False)
        subprocess.run([*ruff, "format", "--quiet", *config, str(STUB)], check=True)
    kept = ast.parse(STUB.read_text())
    fresh = ast.parse(wanted)
    for of in (kept, fresh):
        of.body = [node for node in of.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    assert ast.unparse(kept) == ast.unparse(fresh), "run this test with TRAVELSENSE_GOLDEN=write"


def test_no_method_is_forgotten():
    public = {name for name, _ in inspect.getmembers(ts.Analytics, inspect.isfunction) if not name.startswith("_")}
    awaited = {name for name, m in inspect.getmembers(ts.AsyncAnalytics) if inspect.iscoroutinefunction(m)}
    assert public <= awaited
