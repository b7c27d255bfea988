"""The types of the package, as type checkers see them, are those it has."""

import subprocess
import sys

import pytest
from conftest import ROOT

STUBS = [f"travelsense.{stub.stem}" for stub in (ROOT / "python" / "travelsense").glob("*.pyi")]


def test_the_stubs_are_what_the_package_is(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed")
    # What other libraries look like is nothing to whether names and arguments are there, and takes a minute to read.
    others = "altair.*,anywidget.*,duckdb.*,ipywidgets.*,pandas.*,polars.*,pyarrow.*,tqdm.*"
    settings = tmp_path / "mypy.ini"
    settings.write_text(f"[mypy]\n[mypy-{others}]\nfollow_imports = skip\nfollow_imports_for_stubs = True\n")
    # The other modules are their own stubs.
    arguments = [*STUBS, "--ignore-disjoint-bases", "--mypy-config-file", str(settings)]
    ended = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT / "python",
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
