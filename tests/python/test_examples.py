"""The notebooks of `python/examples` run from top to bottom, on real data where they are about it."""

import asyncio
import os
from pathlib import Path
from unittest import mock

import pytest
from conftest import DATA, ROOT

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")

NOTEBOOKS = sorted((ROOT / "python" / "examples").glob("*.ipynb"))


def needs_data(path):
    return "TRAVELSENSE_DATA" in path.read_text()


async def run(path):
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True)
    await client.async_execute()
    # For those who want to look at them: `TRAVELSENSE_EXECUTED=folder`.
    if folder := os.environ.get("TRAVELSENSE_EXECUTED"):
        nbformat.write(notebook, Path(folder) / path.name)
    return notebook


@pytest.fixture(scope="module")
def executed():
    """Every notebook that can be run here, run."""
    able = [path for path in NOTEBOOKS if DATA.is_dir() or not needs_data(path)]

    async def run_all():
        return await asyncio.gather(*map(run, able))

    # Bars of progress are written to `stderr` too, by slow machines.
    settings = {"TRAVELSENSE_DATA": str(DATA), "TQDM_DISABLE": "1"}
    # One loop for all, which is closed when they have run.
    with mock.patch.dict(os.environ, settings):
        return dict(zip(able, asyncio.run(run_all()), strict=True))


def test_they_are_there():
    assert len(NOTEBOOKS) == 6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, executed):
    if path not in executed:
        pytest.skip(f"the real data is not here: {DATA}")
    for cell in executed[path].cells:
        for output in cell.get("outputs", []):
            said = "\n".join(output.get("traceback", []))
            assert output.output_type != "error", f"{cell.source}\n{said}"
            assert output.get("name") != "stderr", f"{cell.source}\n{output.text}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_its_outputs(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
