#!/usr/bin/env python3
"""What it costs to ask from Python: beside the same question asked in Rust, for a table of a million rows, for an import.

    benches/python.py [--events N] [--profile release|debug] [--write]

Needs `bench` and the package's native module, both of the same profile. Prints Markdown; with --write it also stands in
benches/README.md.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python"))

import travelsense as ts  # noqa: E402

QUESTIONS = HERE / "questions.json"
ASKED = ["funnel", "funnel_filter", "funnel_breakdown", "retention", "lifecycle", "stickiness", "paths"]
NOW = "2026-06-01T00:00:00Z"
SECONDS = 2.0
IMPORTS = 15
SMALL = {"steps": ["search", "complete_booking"], "startDate": "2026-01-15", "endDate": "2026-03-15", "window": "7d"}


def main() -> None:
    """Measures, and tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=lambda n: int(n.replace("_", "")), default=1_000_000)
    parser.add_argument("--profile", default="release")
    parser.add_argument("--write", action="store_true", help="put the figures into benches/README.md")
    options = parser.parse_args()
    lines = [f"**Python** · {options.events:,} events · travelsense {ts.__version__}", ""]
    lines += ["| question | Rust | Python | ÷ Rust | added |", "|---|---:|---:|---:|---:|"]
    with tempfile.TemporaryDirectory() as folder:
        tiny, large = pathlib.Path(folder) / "tiny.db", pathlib.Path(folder) / "large.db"
        for store, events in ((tiny, 100), (large, options.events)):
            subprocess.run([bench(options.profile), "load", store, str(events)], check=True, stdout=subprocess.DEVNULL)
        questions = {name: asked for name, asked in json.loads(QUESTIONS.read_text()).items() if name in ASKED}
        small = {"title": "a funnel over 100 events", "word": "funnel", "question": SMALL}
        lines += crossing(options.profile, tiny, {"small": small}, pathlib.Path(folder))
        lines += crossing(options.profile, large, questions, pathlib.Path(folder))
    lines += ["", *million(), *imported()]
    text = "\n".join(lines)
    print(text)
    if options.write:
        write(text)


def crossing(profile: str, store: pathlib.Path, questions: dict, folder: pathlib.Path) -> list[str]:
    """Each question in Rust and in Python, by turns; the best of each."""
    file = folder / "questions.json"
    file.write_text(json.dumps(questions))
    best: dict[str, list[float]] = {name: [float("inf")] * 2 for name in questions}
    for _ in range(2):
        for name, seconds in rust(profile, store, file, list(questions)).items():
            best[name][0] = min(best[name][0], seconds)
        with ts.open(store, now=NOW, read_only=True) as a:
            for name, asked in questions.items():
                best[name][1] = min(best[name][1], python(a, asked))
    return [
        f"| {questions[name]['title']} | {said(r)} | {said(p)} | {p / r:.2f} | {said(max(p - r, 0.0))} |"
        for name, (r, p) in best.items()
    ]


def rust(profile: str, store: pathlib.Path, questions: pathlib.Path, names: list[str]) -> dict[str, float]:
    """The best seconds of each question, asked in a process of Rust: the question as JSON, and the answer as JSON."""
    asked = "".join(json.dumps({"question": name, "runs": 2_000, "seconds": SECONDS}) + "\n" for name in names)
    command = [bench(profile), "serve", str(store), str(questions)]
    told = subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: min(json.loads(line)["seconds"][1:]) for name, line in zip(names, told[1:-1], strict=True)}


def python(a: ts.Analytics, asked: dict) -> float:
    """The same by `query`, but for the reading of the answer's text into Python."""
    question, patience = json.dumps(asked["question"]), ("{}", None, None)
    return fastest(lambda: a._store.query(asked["word"], question, patience))  # noqa: SLF001


def fastest(work: object, seconds: float = SECONDS, most: int = 2_000) -> float:
    """The best seconds of many, after a first that is cold."""
    work()
    best, end = float("inf"), time.perf_counter() + seconds
    for _ in range(most):
        began = time.perf_counter()
        work()
        now = time.perf_counter()
        best = min(best, now - began)
        if now > end:
            break
    return best


def million() -> list[str]:
    """A table of over a million rows on its way to polars."""
    import polars as pl

    with ts.open(":memory:", now="2026-03-01T00:00:00Z") as a:
        days = [f"20{16 + i // 336}-{i // 28 % 12 + 1:02}-{i % 28 + 1:02}T00:00:00Z" for i in range(0, 1_700, 7)]
        a.ingest([{"userId": f"u{i % 9}", "name": "a", "ts": day} for i, day in enumerate(days)])
        cells = a.retention("daily", start_date="2016-01-01", end_date="2018-09-27", periods=999, progress=False)
        began = time.perf_counter()
        rows = len(cells)
        made = time.perf_counter() - began
        took = fastest(lambda: pl.DataFrame(cells), 1.0)
        frame, again = pl.DataFrame(cells), pl.DataFrame(cells)
        numbers = ["cohort", "size", "period", "count", "eligible", "partial_count"]
        same = all(where(frame[n]) == where(again[n]) for n in numbers)
    copied = "the numbers lie where they lay" if same else "COPIED"
    return [f"{rows:,} rows: the table is made in {said(made)}, and is polars' in {said(took)}; {copied}.", ""]


def where(series: object) -> int:
    """Where the numbers of a column lie."""
    return series.to_arrow().buffers()[1].address


def imported() -> list[str]:
    """How long `import travelsense` takes in a new process, from compiled modules, as pip installs them."""
    program = "import time\nbegan = time.perf_counter()\nimport travelsense\nprint(time.perf_counter() - began)"
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent / "python"), "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def new() -> float:
            run = [sys.executable, "-c", program]
            done = subprocess.run(run, capture_output=True, text=True, check=True, env=environment)
            return float(done.stdout)

        new()  # it compiles them
        took = min(new() for _ in range(IMPORTS))
    return [f"`import travelsense` takes {said(took)}, the best of {IMPORTS} new processes."]


def said(seconds: float) -> str:
    """A length of time in three figures."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def bench(profile: str) -> str:
    """The program that asks in Rust."""
    folder = subprocess.run([HERE.parent / ".setup" / "folder"], capture_output=True, text=True, check=True).stdout
    return str(pathlib.Path(folder.strip()) / profile / "bench")


def write(text: str) -> None:
    """Puts the figures between their marks in benches/README.md."""
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition("<!-- python -->")
    _, _, after = rest.partition("<!-- end python -->")
    readme.write_text(f"{before}<!-- python -->\n{text}\n<!-- end python -->{after}")


if __name__ == "__main__":
    main()
