"""The types of the package, as type checkers see them, are those it has."""

import subprocess
import sys

import pytest
from conftest import ROOT

PROGRAM = """
import travelsense as ts
from datetime import date, timedelta

with ts.open("travel.db", read_only=True) as a:
    f: ts.Result = a.funnel(
        ["a", None, ["b", "c"]], start_date=date(2026, 1, 1), end_date="2026-02-01", window=timedelta(1)
    )
    rows: list[dict[str, object]] = f.to_dicts()
    r = a.retention("weekly", start_date="2026-01-01", end_date="2026-02-01", week_start="sunday", return_="x")
    n: int = a.ingest([{"userId": "u"}]).accepted
try:
    pass
except ts.ValidationError as e:
    code: str = e.errors[0]["code"]
"""
MISTAKES = {
    'a.retention("yearly", start_date="x", end_date="y")': "arg-type",
    'a.funnel(["x"], start_date="x")': "call-arg",
    'a.funnel(["x"], start_date="x", end_date="y", window=[1])': "arg-type",
    'a.realtime(metrics=["smiles"])': "list-item",
}


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, check=False, cwd=ROOT / "python"
    )


@pytest.fixture(scope="module", autouse=True)
def _mypy():
    pytest.importorskip("mypy", reason="mypy is not installed")


def test_the_stub_of_the_native_module_is_what_it_is():
    ended = run("mypy.stubtest", "travelsense._native", "--ignore-disjoint-bases")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_package_is_typed_strictly():
    ended = run("mypy", "travelsense")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_good_programs_pass_and_mistakes_are_found(tmp_path):
    good = tmp_path / "good.py"
    good.write_text(PROGRAM)
    ended = run("mypy", str(good))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    bad = tmp_path / "bad.py"
    bad.write_text("import travelsense as ts\na = ts.open('x')\n" + "\n".join(MISTAKES))
    found = run("mypy", str(bad)).stdout
    for line, kind in enumerate(MISTAKES.values(), 3):
        assert any(f":{line}: error:" in said and f"[{kind}]" in said for said in found.splitlines()), found
