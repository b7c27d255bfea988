"""Whole answers, byte for byte those of the core; `tests/vectors/golden` has them."""

import json

import pytest
import travelsense as ts
from conftest import ROOT
from test_vectors import ask

FOLDER = ROOT / "tests" / "vectors" / "golden"
GOLDEN = sorted(FOLDER.glob("*.json"))


def test_there_are_golden_answers_of_every_word():
    assert {json.loads(path.read_text())["word"] for path in GOLDEN} == {"funnel", "retention", "realtime"}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_answer_is_golden_byte_for_byte(path, tmp_path):
    golden = json.loads(path.read_text())
    file = tmp_path / "golden.db"
    with ts.open(file, now=golden["now"]) as store:
        assert store.import_(FOLDER / golden["events"], strict=True).refused == 0
    with ts.open(file, now=golden["now"], read_only=True, threads=1) as store:
        result = ask(store, golden["word"], golden["question"])
    assert result.to_json().encode() == golden["answer"].encode()
