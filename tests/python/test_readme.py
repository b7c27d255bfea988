"""The README's way from a file to a first funnel, as a newcomer walks it."""

import contextlib
import io
import itertools
import re

import pytest
from conftest import ROOT

README = (ROOT / "python" / "README.md").read_text()
FILE = """user_id,timestamp,event,country
ann,2026-02-01T10:00:00Z,search,FR
ann,2026-02-01T10:10:00Z,view_trip,FR
ann,2026-02-01T10:20:00Z,complete_booking,FR
bob,2026-02-03T09:00:00Z,search,DE
bob,2026-02-03T09:12:00Z,view_trip,DE
bob,2026-02-04T18:12:00Z,complete_booking,DE
cy,2026-02-10T20:00:00Z,search,FR
cy,2026-02-10T20:05:00Z,view_trip,FR
dee,2026-02-12T08:00:00Z,search,DE
"""


def blocks():
    """What is typed, and what is then shown where that follows."""
    found = [*re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL), ("end", "")]
    pairs = itertools.pairwise(found)
    return [
        (text, after if after_kind == "" else None) for (kind, text), (after_kind, after) in pairs if kind == "python"
    ]


def test_there_is_a_way():
    assert len(blocks()) >= 3
    assert sum(shown is not None for _, shown in blocks()) >= 2


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_every_line_of_it_works_and_shows_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.csv").write_text(FILE)
    names = {}
    for typed, shown in blocks():
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(typed, "README.md", "exec"), names)  # noqa: S102 - it is our own
        if shown is not None:
            said = [line.rstrip() for line in out.getvalue().splitlines()]
            wanted = [re.escape(line.rstrip()).replace("…", ".*") for line in shown.splitlines()]
            assert len(said) == len(wanted), out.getvalue()
            assert all(re.fullmatch(want, line) for want, line in zip(wanted, said, strict=True)), out.getvalue()
    names["a"].close()
