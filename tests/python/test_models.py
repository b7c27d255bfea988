"""Models of scikit-learn, XGBoost and LightGBM: what the store says of 10,000 rows is what the libraries say."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import onnx.helper
import pandas as pd
import pytest
import travelsense as ts
import xgboost
from skl2onnx import convert_sklearn, to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 10_000
OPSETS = {"": 18, "ai.onnx.ml": 3}


@pytest.fixture(scope="module")
def store() -> Iterator[ts.Analytics]:
    with ts.open(":memory:") as opened:
        yield opened


def travellers(rows: int, seed: int) -> pd.DataFrame:
    """Numbers and categories, some missing, and zeros that are none."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "recency": chance.exponential(20, rows),
            "visits": chance.integers(0, 9, rows).astype(float),
            "plan": pd.Categorical(chance.choice(["free", "premium", "trial", "none"], rows)),
            "zone": pd.Categorical(chance.choice([10, 20, 35], rows)),
        }
    )
    frame.loc[chance.random(rows) < 0.2, "recency"] = np.nan
    frame.loc[chance.random(rows) < 0.1, "plan"] = np.nan
    return frame


TRAIN, TEST = travellers(3_000, 1), travellers(ROWS, 2)
SIGNAL = (
    TRAIN.recency.fillna(30) / 20
    - (TRAIN["plan"] == "premium") * 1.5
    + (TRAIN["zone"] == 20) * 0.8
    + 0.2 * TRAIN.visits
    + np.random.default_rng(3).normal(size=len(TRAIN)) * 0.4
)
CLASSES = np.digitize(SIGNAL, [1, 2])
COUNTS = np.random.default_rng(4).poisson(np.exp(np.clip(SIGNAL / 2, -2, 2)))


def said(scored: dict[str, Any]) -> np.ndarray:
    """The numbers of an answer, a column a class or target."""
    columns = [values for name, values in scored["predictions"].items() if name != "label"]
    return np.array(columns, dtype=float).T


XGBOOST = [
    ("binary:logistic", SIGNAL > 1.2, {}),
    ("binary:logistic", SIGNAL > 1.2, {"booster": "dart", "rate_drop": 0.3, "base_score": 0.2}),
    ("reg:squarederror", SIGNAL, {"num_parallel_tree": 3, "subsample": 0.5}),
    ("multi:softprob", CLASSES, {"num_class": 3}),
    ("count:poisson", COUNTS, {}),
    ("reg:gamma", np.exp(SIGNAL), {}),
    ("reg:quantileerror", SIGNAL, {"quantile_alpha": [0.1, 0.5, 0.9]}),
]


@pytest.mark.parametrize("form", ["json", "ubj"])
@pytest.mark.parametrize(("objective", "target", "more"), XGBOOST)
def test_xgboost(  # noqa: PLR0917 - parameters of the table
    store: ts.Analytics, tmp_path: Path, objective: str, target: Any, more: dict[str, Any], form: str
) -> None:
    parameters = {"objective": objective, "max_depth": 5, "seed": 1, "nthread": 2, **more}
    data = xgboost.DMatrix(TRAIN, np.asarray(target, dtype=float), enable_categorical=True)
    booster = xgboost.train(parameters, data, 20)
    file = tmp_path / f"model.{form}"
    booster.save_model(file)
    model = store.register_model("trees", file)
    assert [f["name"] for f in model["features"]] == list(TRAIN.columns)
    got = said(store.score("trees", TEST))
    want = booster.predict(xgboost.DMatrix(TEST, enable_categorical=True)).reshape(ROWS, -1)
    if objective == "binary:logistic":
        got = got[:, 1:]
    # Sums are the same to the last bit; what is made of them by `exp` differs in the last of 32 bits.
    np.testing.assert_allclose(got, want, rtol=3e-7, atol=1.5e-7)
    if objective.startswith(("reg:s", "reg:q")):
        assert np.array_equal(got.astype(np.float32), want)


def test_xgboost_stops_where_it_stopped(store: ts.Analytics, tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    x = chance.normal(size=(2_000, 6))
    y = (x[:, 0] + chance.normal(size=2_000) > 0).astype(int)
    model = xgboost.XGBClassifier(n_estimators=300, early_stopping_rounds=3, max_depth=3)
    model.fit(x[:1_500], y[:1_500], eval_set=[(x[1_500:], y[1_500:])], verbose=False)
    assert model.best_iteration < 250
    model.save_model(tmp_path / "model.json")
    store.register_model("early", tmp_path / "model.json")
    rows = chance.normal(size=(ROWS, 6))
    scored = store.score("early", {f"f{i}": rows[:, i] for i in range(6)})
    np.testing.assert_allclose(said(scored), model.predict_proba(rows), rtol=1e-6, atol=1.5e-7)
    assert scored["predictions"]["label"] == [str(label) for label in model.predict(rows)]


LIGHTGBM = [
    ("binary", SIGNAL > 1.2, {}),
    ("binary", SIGNAL > 1.2, {"zero_as_missing": True}),
    ("binary", SIGNAL > 1.2, {"use_missing": False, "sigmoid": 2.5}),
    ("binary", SIGNAL > 1.2, {"boosting": "dart"}),
    ("binary", SIGNAL > 1.2, {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}),
    ("regression", SIGNAL, {"reg_sqrt": True, "max_cat_to_onehot": 1, "min_data_per_group": 5}),
    ("quantile", SIGNAL, {}),
    ("poisson", COUNTS, {}),
    ("multiclass", CLASSES, {"num_class": 3}),
    ("multiclassova", CLASSES, {"num_class": 3}),
]


@pytest.mark.parametrize(("objective", "target", "more"), LIGHTGBM)
def test_lightgbm(store: ts.Analytics, tmp_path: Path, objective: str, target: Any, more: dict[str, Any]) -> None:
    parameters = {"objective": objective, "verbose": -1, "num_leaves": 15, "seed": 1, "num_threads": 2, **more}
    booster = lightgbm.train(parameters, lightgbm.Dataset(TRAIN, np.asarray(target, dtype=float)), 20)
    booster.save_model(tmp_path / "model.txt")
    store.register_model("leaves", tmp_path / "model.txt")
    got = said(store.score("leaves", TEST))
    want = booster.predict(TEST).reshape(ROWS, -1)
    if objective == "binary":
        got = got[:, 1:]
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)


@pytest.fixture(autouse=True)
def whole_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets skl2onnx write what it gives as truth values: newer protocol buffers refuse them."""
    make = onnx.helper.make_attribute

    def made(key: str, value: Any, *more: Any, **named: Any) -> Any:
        if key == "nodes_missing_value_tracks_true":
            value = [int(truth) for truth in value]
        return make(key, value, *more, **named)

    monkeypatch.setattr(onnx.helper, "make_attribute", made)
    warnings.simplefilter("ignore")


def numbers(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 5)).astype(np.float32)


X, T = numbers(1_500, 6), numbers(ROWS, 7)
TWO = (X[:, 0] + 0.3 * X[:, 1] > 0).astype(int)
THREE = np.array(["low", "mid", "top"])[np.digitize(X[:, 0] * X[:, 1], [-0.3, 0.3])]
AMOUNT = np.abs(X[:, 0]) + 0.1 + X[:, 1] ** 2
COLUMNS = {f"X_{i}": T[:, i] for i in range(5)}

CLASSIFIERS = [
    LogisticRegression(),
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(MinMaxScaler(), Normalizer(), LogisticRegression()),
    RandomForestClassifier(30, max_depth=6, random_state=1),
    GradientBoostingClassifier(n_estimators=20, random_state=1),
    HistGradientBoostingClassifier(max_iter=15, random_state=1),
    GaussianNB(),
    MLPClassifier(max_iter=30, random_state=1),
    CalibratedClassifierCV(LogisticRegression(), cv=2),
]


@pytest.mark.parametrize("classes", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: type(m[-2] if hasattr(m, "steps") else m).__name__)
def test_classifiers_of_scikit_learn(store: ts.Analytics, model: Any, classes: np.ndarray) -> None:
    model.fit(X, classes)
    file = to_onnx(model, X[:1], target_opset=OPSETS).SerializeToString()
    registered = store.register_model("sklearn", file)
    assert registered["classes"] == [str(c) for c in model.classes_]
    scored = store.score("sklearn", COLUMNS)
    np.testing.assert_allclose(said(scored), model.predict_proba(T), atol=2e-6)
    sure = np.sort(model.predict_proba(T), axis=1)
    apart = sure[:, -1] - sure[:, -2] > 1e-5
    labels = np.array(scored["predictions"]["label"])
    assert np.array_equal(labels[apart], model.predict(T)[apart].astype(str))


REGRESSORS = [
    LinearRegression(),
    PoissonRegressor(),
    RandomForestRegressor(30, max_depth=6, random_state=1),
]


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda m: type(m).__name__)
def test_regressors_of_scikit_learn(store: ts.Analytics, model: Any) -> None:
    model.fit(X, AMOUNT)
    store.register_model("amount", to_onnx(model, X[:1], target_opset=OPSETS).SerializeToString())
    np.testing.assert_allclose(said(store.score("amount", COLUMNS))[:, 0], model.predict(T), rtol=1e-5, atol=1e-6)


def test_missing_values_go_where_the_trees_were_taught(store: ts.Analytics) -> None:
    holes = X.copy()
    holes[np.random.default_rng(8).random(X.shape) < 0.1] = np.nan
    model = HistGradientBoostingClassifier(max_iter=15, random_state=1).fit(holes, TWO)
    file = to_onnx(model, X[:1], options={"zipmap": False}, target_opset=OPSETS).SerializeToString()
    names = ["a", "b", "c", "d", "e"]
    store.register_model("holes", file, features=names, classes=["stays", "goes"])
    rows = T.copy()
    rows[np.random.default_rng(9).random(T.shape) < 0.1] = np.nan
    scored = store.score("holes", pd.DataFrame(rows, columns=names))
    assert set(scored["predictions"]) == {"label", "probability_stays", "probability_goes"}
    foretold = scored["predictions"]
    told = np.column_stack([foretold["probability_stays"], foretold["probability_goes"]])
    np.testing.assert_allclose(told, model.predict_proba(rows), atol=2e-6)


def test_a_pipeline_of_numbers_and_texts(store: ts.Analytics) -> None:
    def people(rows: int, seed: int) -> pd.DataFrame:
        chance = np.random.default_rng(seed)
        frame = pd.DataFrame(
            {
                "age": chance.normal(40, 10, rows).astype(np.float32),
                "spent": chance.exponential(3, rows).astype(np.float32),
                "city": chance.choice(["rome", "oslo", "paris"], rows),
                "plan": chance.choice(["free", "premium"], rows),
            }
        )
        frame.loc[chance.random(rows) < 0.1, "spent"] = np.nan
        return frame

    train, rows = people(2_000, 10), people(ROWS, 11)
    rows.loc[::50, "city"] = "atlantis"
    prepared = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["age", "spent"]),
            ("city", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["city"]),
            ("plan", OrdinalEncoder(), ["plan"]),
        ]
    )
    target = np.where((train.age > 40) ^ (train.city == "rome"), "stays", "goes")
    model = make_pipeline(prepared, RandomForestClassifier(20, max_depth=6, random_state=1)).fit(train, target)
    kinds = [(name, FloatTensorType([None, 1])) for name in ("age", "spent")]
    kinds += [(name, StringTensorType([None, 1])) for name in ("city", "plan")]
    exported = convert_sklearn(model, initial_types=kinds, target_opset=OPSETS)
    registered = store.register_model("people", exported.SerializeToString())
    assert [f["kind"] for f in registered["features"]] == ["number", "number", "text", "text"]
    scored = store.score("people", rows)
    np.testing.assert_allclose(said(scored), model.predict_proba(rows), atol=2e-6)


def test_what_is_not_supported_is_refused_by_name(store: ts.Analytics) -> None:
    model = SVC().fit(X[:100], TWO[:100])
    file = to_onnx(model, X[:1], target_opset=OPSETS).SerializeToString()
    before = store.models()["total"]
    with pytest.raises(ts.ValidationError, match=r"ai\.onnx\.ml\.SVM(Classifier|Regressor)"):
        store.register_model("svm", file)
    linear = {"objective": "regression", "linear_tree": True, "verbose": -1}
    booster = lightgbm.train(linear, lightgbm.Dataset(X.astype(float), AMOUNT), 2)
    with pytest.raises(ts.ValidationError, match="linear trees"):
        store.register_model("linear", booster.model_to_string().encode())
    straight = xgboost.train({"booster": "gblinear"}, xgboost.DMatrix(X, AMOUNT), 1)
    with pytest.raises(ts.ValidationError, match="gblinear"):
        store.register_model("straight", bytes(straight.save_raw("json")))
    assert store.models()["total"] == before


def test_feedback_tells_what_became_of_scores(store: ts.Analytics) -> None:
    model = LogisticRegression().fit(X, TWO)
    store.register_model("goes", to_onnx(model, X[:1], target_opset=OPSETS).SerializeToString())
    rows, came = T[:500], (T[:500, 0] + 0.3 * T[:500, 1] > 0).astype(int)
    ids = [f"u{i}" for i in range(500)]
    scored = store.score("goes", {f"X_{i}": rows[:, i] for i in range(5)}, ids=ids, feedback="goes")
    assert scored["run"]
    assert store.add_actuals("goes", came, unique_id=ids) == 500
    told = store.feedback("goes", rows=True)
    chances = model.predict_proba(rows)[:, 1]
    assert told["probabilities"]["brier"] == pytest.approx(np.mean((chances - came) ** 2), abs=1e-6)
    assert len(told["rows"]["features"]["X_0"]) == 500
    assert [log["name"] for log in store.feedback_logs()] == ["goes"]
    store.add_predictions("theirs", [1.0, 2.0], model="sheet", ds=["2026-01-01", "2026-01-02"])
    store.add_actuals("theirs", [2.0], ds=["2026-01-01"])
    assert store.feedback("theirs")["scores"]["bias"] == -1.0
    assert store.delete_feedback("theirs") == 1
    store.delete_model("goes")
    with pytest.raises(ts.NotFound):
        store.model("goes")
