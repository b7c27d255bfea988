"""What type checkers say of the package, of programs with it and of its examples; they only read: `make lint-types`."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "python" / "examples"

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
    "a.realtime(metrics=[1])": "list-item",
    'a.anomalies("smiles", start_date="x", end_date="y")': "arg-type",
}


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, check=False, cwd=ROOT / "python"
    )


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


def test_pyright_is_strict_with_the_examples(tmp_path):
    for path in EXAMPLES.glob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        (tmp_path / f"{path.stem.replace('-', '_')}.py").write_text("\n\n".join(code) + "\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT / "python")],
        # A cell of a notebook ends with what it shows.
        "reportUnusedExpression": False,
        # What other libraries leave untyped is theirs.
        "reportMissingTypeStubs": False,
        "reportUnknownMemberType": False,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    ended = run("pyright", "--project", str(tmp_path), "--pythonpath", sys.executable)
    assert ended.returncode == 0, ended.stdout + ended.stderr
