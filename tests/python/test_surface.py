"""Everything that the core can do is here, so that nothing is forgotten later."""

import inspect
import re
from typing import get_args, get_type_hints

import pytest
import travelsense as ts
from conftest import ROOT
from travelsense import _question as types
from travelsense._names import camel, field_of

CORE = ROOT / "core" / "src" / "analytics"

# Verbs of the core that Python does not have by their names, and why.
ELSEWHERE = {
    "chart": "is `to_svg` of every answer",
    "ask": "is `query`",
    "import": "is `import_`, since `import` is a keyword",
    "export_file": "is `save_export`: the file lies in the store until then",
    "until": "is Ctrl-C, and cancelling a task of `asyncio`",
    "within": "is `timeout=`",
    "watched": "is `progress=`",
    "record": "is for doors that let others in; what is done here is recorded by the verbs themselves",
    "on_record": "is for doors that let others in; what is done here is recorded by the verbs themselves",
    "expire_exports": "is done by every `export`",
    "admit": "is for doors that let others in by tokens",
    "admit_at_once": "is for doors that let others in by tokens",
    "ingest_batches": "is for doors that take several batches at a time",
    "prepare_ingest": "is what the first `ingest` does",
    "count_alert_news": "is for doors that push `alert_news`",
    "note_source": "is for doors that follow sources",
    "note_recovery": "is for doors that open a store in another process first",
    "has_room": "is `trouble` of `ingest_status`",
    "metadata": "is the inside of the core",
    "timelines": "is `warm_up`",
    "report": "is the inside of `export`",
    "ingest_batch": "is `ingest` with `source=` and `idempotency_key=`",
    "take_notifications": "is `deliver_notifications`",
    "attempted": "is `deliver_notifications`",
    "export_once": "is `export` with `idempotency_key=`",
    "create_dashboard_once": "is `create_dashboard` with `idempotency_key=`",
    "widgets_data": "is the inside of `dashboard_data`",
    "verify_audit_by": "is `verify_audit` with `anchors=`",
    "open_dashboard": "is `dashboard` for verbs that write an entry of their own",
    "wind_down": "is for programs that have to stop within a time; `close` does it",
}
# The people behind a number are `people` of the word.
PEOPLE = re.compile(r"_people$")


def verbs():
    """Every public method of the core's handle, as its sources have them."""
    found = set()
    for path in sorted(CORE.rglob("*.rs")):
        for name in re.findall(r"^    pub fn (\w+)\s*(?:<[^>]*>)?\(\s*&self", path.read_text(), re.MULTILINE):
            found.add(name.removesuffix("_json"))
    return found


def words(store):
    """The words, as the core itself names them."""
    with pytest.raises(ts.ValidationError) as refused:
        store.query("?", {})
    return refused.value.errors[0]["message"].partition(" is not one of ")[2].split(", ")


def fields(store, word):
    """The fields of a word's question, as the core itself names them."""
    with pytest.raises(ts.ValidationError) as refused:
        store.query(word, {"?": None})
    said = next(e["message"] for e in refused.value.errors if e["code"] == "unknown_field")
    return {field_of(name) for name in said.partition("known are ")[2].split(", ")}


def arguments(word):
    """The arguments that a method takes, those of `**funnel` among them."""
    parameters = inspect.signature(getattr(ts.Analytics, word)).parameters
    names = {name for name, p in parameters.items() if p.kind is not inspect.Parameter.VAR_KEYWORD}
    for parameter in parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            options = re.search(r"Unpack\[(\w+)\]", str(parameter.annotation))
            names |= set(get_type_hints(getattr(types, options[1]), vars(types)))
    return names - {"self", "timeout", "progress"}


def test_every_verb_of_the_core_is_here():
    found = verbs()
    assert {"funnel", "import", "erase", "revoke", "evaluate_alerts", "share_dashboard", "export"} <= found
    missing = {
        verb
        for verb in found - ELSEWHERE.keys()
        if not PEOPLE.search(verb) and not hasattr(ts.Analytics, verb) and not hasattr(ts, verb)
    }
    assert not missing
    assert not {verb for verb in ELSEWHERE if verb not in found}, "no longer verbs of the core"


def test_every_method_of_the_native_store_is_used():
    sources = "".join(path.read_text() for path in (ROOT / "python" / "travelsense").rglob("*.py"))
    native = [name for name in vars(ts._native.Store) if not name.startswith("_")]
    assert len(native) > 40
    assert not [name for name in native if not re.search(rf"_store\.{name}\b", sources)]


def test_every_word_is_a_method_and_takes_all_that_it_can_be_asked(empty):
    known = words(empty)
    assert len(known) > 15
    for word in known:
        if hasattr(ts, word):
            # It asks a table of one's own and no store.
            continue
        assert hasattr(ts.Analytics, word), word
        given = arguments(word)
        wanted = fields(empty, word)
        if word in {"drop_off", "compare"}:
            # What a funnel tells beside its steps is no part of these questions.
            wanted -= set(types.FunnelDetails.__annotations__) - set(types.FunnelOptions.__annotations__) - given
        if word == "user_insights":
            # Only the insight of the funnel takes it.
            given -= {"sample"}
        assert wanted <= given, (word, wanted - given)
        assert given <= wanted, (word, given - wanted)


def test_every_option_of_an_import_is_an_argument(empty):
    with pytest.raises(ts.ValidationError) as refused:
        empty._store.import_("x", '{"?": null}', None)
    said = [e["message"].partition("known are ")[2] for e in refused.value.errors if e["code"] == "unknown_field"]
    wanted = {name for known in said for name in known.split(", ")} | {"event", "table", "strict"}
    given = set(inspect.signature(ts.Analytics.import_).parameters) - {"self", "source", "progress"}
    assert wanted == given


def literals(alias):
    return set(get_args(alias))


def test_enums_are_those_of_the_core(empty):
    span = {"startDate": "2026-02-01", "endDate": "2026-02-28"}
    asked = {
        ("retention", "cohortPeriod"): types.CohortPeriod,
        ("retention", "analysisMetric"): types.CohortMetric,
        ("retention", "mode"): types.Mode,
        ("retention", "unit"): types.ClockUnit,
        ("retention", "criterion"): types.Criterion,
        ("retention", "preset"): types.Preset,
        ("retention", "segment"): types.Segment,
        ("engagement", "period"): types.Period,
        ("funnel", "order"): types.Order,
        ("funnel", "unit"): types.Unit,
        ("funnel", "preset"): types.Preset,
        ("anomalies", "metric"): types.Metric,
        ("anomalies", "step"): types.Bucket,
        ("realtime", "timeRange"): types.TimeRange,
        ("user_insights", "insightType"): types.InsightType,
    }
    for (word, field), alias in asked.items():
        with pytest.raises(ts.ValidationError) as refused:
            empty.query(word, {**(span if word != "realtime" else {}), field: "?"})
        said = next(e["message"] for e in refused.value.errors if e["field"] == field_of(field))
        named = set(re.findall(r"\w+", said.partition("one of")[2])) - {"or"}
        assert named == literals(alias), (word, field, said)


def test_every_public_thing_says_what_it_is():
    undocumented = [
        f"{owner.__name__}.{name}"
        for owner in (ts.Analytics, ts.AsyncAnalytics, ts.Result)
        for name, member in inspect.getmembers(owner, inspect.isfunction)
        if not name.startswith("_") and not (member.__doc__ or "").strip()
    ]
    assert not undocumented
    assert all(getattr(ts, name).__doc__ for name in ts.__all__ if name != "__version__")


def test_every_method_has_an_example_that_runs():
    # What makes a frame, a chart or a table of another library is shown by the notebooks.
    elsewhere = {"to_arrow", "to_polars", "to_pandas", "to_duckdb", "plot"}
    lacking = [
        f"{owner.__name__}.{name}"
        for owner in (ts.Analytics, ts.Result)
        for name, member in inspect.getmembers(owner, inspect.isfunction)
        if not name.startswith("_") and name not in elsewhere and "\nExample:\n    >>> " not in inspect.getdoc(member)
    ]
    assert not lacking


def test_every_argument_is_told_of():
    forgotten = []
    for name, method in inspect.getmembers(ts.Analytics, inspect.isfunction):
        if name.startswith("_"):
            continue
        told = method.__doc__ or ""
        parameters = [p for p in inspect.signature(method).parameters if p not in {"self", "id"}]
        if len(parameters) > 2:
            forgotten += [f"{name}({p})" for p in parameters if not re.search(rf"^\s+\**{p}: ", told, re.MULTILINE)]
    assert not forgotten


def test_questions_of_python_are_those_of_json():
    assert camel("return_") == "return"
    assert field_of("from") == "from_"
