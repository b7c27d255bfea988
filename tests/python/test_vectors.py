"""The vectors in `tests/vectors`, through Python's arguments; its README says what they are."""

import inspect
import json
from dataclasses import asdict

import pytest
import travelsense as ts
from conftest import ROOT
from travelsense._names import camel, field_of

FOLDER = ROOT / "tests" / "vectors"
WORDS = [
    "funnel",
    "drop_off",
    "compare",
    "explain_difference",
    "retention",
    "journey",
    "engagement",
    "adoption",
    "realtime",
    "churn",
    "value",
    "next_action",
    "pickup",
    "score",
    "feedback",
    "predictive",
    "forecast",
    "backtest",
    "detect_anomalies",
]
VECTORS = [path for word in WORDS for path in sorted((FOLDER / word).glob("*.json"))]


def arguments(word, question):
    """A question as keyword arguments; `None` where Python itself refuses one that is not known."""
    known = {camel(name): name for name in inspect.signature(getattr(ts.Analytics, word)).parameters}
    required = dict.fromkeys(
        name
        for name, parameter in inspect.signature(getattr(ts.Analytics, word)).parameters.items()
        if parameter.default is inspect.Parameter.empty and name != "self"
    )
    if not question.keys() <= known.keys():
        return None
    return {**required, **{known[name]: value for name, value in question.items()}}


def ask(store, word, question):
    if not hasattr(store, word):
        return store.query(word, question)
    given = arguments(word, question)
    if given is None:
        # The door beneath the arguments, where the core refuses it.
        return ts.Result(word, store._store.answer(word, json.dumps(question), ("{}", None, None)))
    if word == "retention":
        given.setdefault("analysis_metric", None)
    return getattr(store, word)(**given)


def keep(store, vector):
    """Registers the models, keeps what was foretold, and tells what came."""
    for model in vector.get("models", []):
        more = {name: value for name, value in model.items() if name not in {"name", "text"}}
        store.register_model(model["name"], model["text"].encode(), **more)
    for run in vector.get("predictions", []):
        store.add_predictions(**{field_of(name): value for name, value in run.items()})
    for before in vector.get("asked", []):
        ask(store, before["word"], before["question"])
    for came in vector.get("actuals", []):
        store.add_actuals(**{field_of(name): value for name, value in came.items()})


def holds(answer, part):
    if isinstance(part, dict):
        return isinstance(answer, dict) and all(name in answer and holds(answer[name], part[name]) for name in part)
    if isinstance(part, list):
        return isinstance(answer, list) and len(answer) == len(part) and all(map(holds, answer, part))
    if isinstance(part, bool) or part is None or isinstance(answer, bool):
        return answer is part
    return answer == part


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_vectors(word):
    assert any(path.parent.name == word for path in VECTORS)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_answer_is_the_vectors(path, tmp_path):
    vector, word = json.loads(path.read_text()), path.parent.name
    with ts.open(":memory:", now=vector["now"]) as store:
        for table in ("profiles", "rates", "aliases", "merges"):
            if rows := vector.get(table):
                file = tmp_path / f"{table}.ndjson"
                file.write_text("".join(json.dumps(row) + "\n" for row in rows))
                store.import_(file, table=table, strict=True)
        if vector.get("events"):
            report = store.ingest(vector["events"])
            expected = {field_of(name): value for name, value in vector.get("ingest", {}).items()}
            assert holds(asdict(report), expected), report
        for cohort in vector.get("cohorts", []):
            store.create_cohort(cohort["name"], cohort["definition"])
        keep(store, vector)
        if "expect" in vector:
            answer = ask(store, word, vector["question"])
            answer = answer.to_dict() if isinstance(answer, ts.Result) else answer
            assert holds(answer, vector["expect"]), (vector["why"], answer)
            for behind in vector.get("people", []):
                people = store.people(word, vector["question"], behind["cell"])
                assert [person["userId"] for person in people["users"]] == behind["users"], behind["cell"]
        else:
            with pytest.raises(ts.Error) as raised:
                ask(store, word, vector["question"])
            assert raised.value.code == vector["error"]["code"]
            expected = sorted((field_of(e["field"]), e["code"]) for e in vector["error"]["errors"])
            assert sorted((e["field"], e["code"]) for e in raised.value.errors) == expected
