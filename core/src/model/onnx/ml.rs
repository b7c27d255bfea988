//! The operators of ONNX-ML other than trees: encoders, scalers, linear models.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::boosted::{greatest, softmax};
use super::super::limit::{malformed, unscorable, unsupported};
use super::arithmetic::each;
use super::attributes::Attributes;
use super::graph::Run;
use super::layout::concat;
use super::shape::axis;
use super::tensor::{Budget, Data, Kind, Tensor, count, shapes};
use super::trees;
use crate::error::Result;

/// What runs an operator; nothing where it is not supported.
pub(super) fn build(name: &str, attributes: &Attributes<'_>) -> Result<Option<Run>> {
    Ok(Some(match name {
        // The classes of a `ZipMap` are read where the graph is; the probabilities stay a table.
        "ZipMap" => Box::new(|given, _| Ok(vec![given.at(0)?.clone()])),
        "Scaler" => {
            let (offset, scale) = (attributes.floats("offset")?, attributes.floats("scale")?);
            Box::new(move |given, _| {
                let by = |list: &[f64], i: usize, none: f64| match list {
                    [] => none,
                    [one] => *one,
                    many => many.get(i).copied().unwrap_or(none),
                };
                let scaled = by_column(given.at(0)?, |i, x| {
                    let centred = f64::from((x - by(&offset, i, 0.0)) as f32);
                    centred * by(&scale, i, 1.0)
                })?;
                Ok(vec![Tensor {
                    kind: Kind::Single,
                    ..scaled
                }])
            })
        }
        "Imputer" => imputer(attributes)?,
        "Normalizer" => {
            let norm = attributes.text("norm", "MAX")?.to_owned();
            if !matches!(norm.as_str(), "MAX" | "L1" | "L2") {
                return Err(malformed(format!("the norm `{norm}` is not known")));
            }
            Box::new(move |given, _| normalize(given.at(0)?, &norm))
        }
        "Binarizer" => {
            let threshold = attributes.float("threshold", 0.0);
            Box::new(move |given, _| {
                Ok(vec![each(given.at(0)?, |x| {
                    f64::from(u8::from(x > threshold))
                })?])
            })
        }
        "FeatureVectorizer" => Box::new(|given, budget| {
            let table = |t: &&Tensor| {
                let (rows, columns) = t.table();
                t.shaped(vec![rows, columns])
            };
            let tables: Vec<Tensor> = given.all()?.iter().map(table).collect::<Result<_>>()?;
            let tables: Vec<&Tensor> = tables.iter().collect();
            let joined = concat(&tables, 1, budget)?;
            let values = joined.values()?.to_vec();
            Ok(vec![Tensor::numbers(Kind::Single, joined.shape, values)])
        }),
        "ArrayFeatureExtractor" => Box::new(|given, budget| {
            let (x, places) = (given.at(0)?, given.at(1)?.values()?);
            let side = x.shape.last().copied().unwrap_or(1);
            let rows = x.len().checked_div(side).unwrap_or_default();
            budget.values(count(&[rows, places.len(), 2])?)?;
            let mut order = Vec::with_capacity(rows * places.len());
            for row in 0..rows {
                for place in places {
                    order.push(row * side + axis(*place as i64, side)?);
                }
            }
            let mut shape = x.shape.clone();
            match shape.last_mut() {
                Some(last) if x.shape.len() > 1 => *last = places.len(),
                _ => shape = vec![1, places.len()],
            }
            Ok(vec![x.picked(shape, &order)?])
        }),
        "OneHotEncoder" => one_hot(attributes),
        "LabelEncoder" => labels(attributes)?,
        "LinearRegressor" => linear_regressor(attributes)?,
        "LinearClassifier" => linear_classifier(attributes)?,
        "TreeEnsembleRegressor" => trees::regressor(attributes)?,
        "TreeEnsembleClassifier" => trees::classifier(attributes)?,
        _ => return Ok(None),
    }))
}

/// Numbers changed by their column and themselves.
fn by_column(x: &Tensor, change: impl Fn(usize, f64) -> f64) -> Result<Tensor> {
    let side = x.shape.last().copied().unwrap_or(1).max(1);
    let values = x.values()?.iter().enumerate();
    let values = values.map(|(i, v)| change(i % side, *v)).collect();
    Ok(Tensor::numbers(x.kind, x.shape.clone(), values))
}

fn imputer(attributes: &Attributes<'_>) -> Result<Run> {
    let floats = attributes.floats("imputed_value_floats")?;
    let whole = attributes.integers("imputed_value_int64s");
    let (values, gap) = if whole.is_empty() {
        (floats, attributes.float("replaced_value_float", 0.0))
    } else {
        let gap = attributes.integer("replaced_value_int64", 0) as f64;
        (whole.iter().map(|n| *n as f64).collect(), gap)
    };
    Ok(Box::new(move |given, _| {
        let missing = |x: f64| x == gap || x.is_nan() && gap.is_nan();
        let by = |i: usize| match values.as_slice() {
            [one] => *one,
            many => many.get(i).copied().unwrap_or(gap),
        };
        let filled = by_column(given.at(0)?, |i, x| if missing(x) { by(i) } else { x })?;
        Ok(vec![filled])
    }))
}

/// Rows divided by their size: by `MAX`, `L1` or `L2`.
pub(super) fn normalize(x: &Tensor, norm: &str) -> Result<Vec<Tensor>> {
    let side = x.shape.last().copied().unwrap_or(1).max(1);
    let mut values = x.values()?.to_vec();
    for row in values.chunks_mut(side) {
        let size = match norm {
            "MAX" => row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            "L1" => row.iter().map(|v| v.abs()).sum(),
            _ => row.iter().map(|v| v * v).sum::<f64>().sqrt(),
        };
        if size != 0.0 {
            for value in row {
                *value /= size;
            }
        }
    }
    let kind = x.kind.with(Kind::Single);
    Ok(vec![Tensor::numbers(kind, x.shape.clone(), values)])
}

/// A value as a key.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Text(Arc<str>),
    /// The bits of a number; all NaN are one.
    Number(u64),
}

impl Key {
    fn number(value: f64) -> Self {
        let value = if value.is_nan() {
            f64::NAN
        } else {
            value + 0.0
        };
        Self::Number(value.to_bits())
    }
}

fn keys(data: &Data) -> Vec<Key> {
    match data {
        Data::Numbers(values) => values.iter().map(|v| Key::number(*v)).collect(),
        Data::Texts(values) => values.iter().map(|t| Key::Text(Arc::clone(t))).collect(),
    }
}

fn texts(list: Vec<String>) -> Data {
    Data::Texts(list.into_iter().map(Arc::from).collect())
}

fn one_hot(attributes: &Attributes<'_>) -> Run {
    let whole = attributes.integers("cats_int64s");
    let known = if whole.is_empty() {
        texts(attributes.texts("cats_strings"))
    } else {
        Data::Numbers(whole.iter().map(|n| *n as f64).collect())
    };
    let places: HashMap<Key, usize> = keys(&known)
        .into_iter()
        .enumerate()
        .map(|(i, key)| (key, i))
        .collect();
    let width = places.len();
    let zeros = attributes.integer("zeros", 1) == 1;
    Box::new(move |given, budget| {
        let x = given.at(0)?;
        let mut shape = x.shape.clone();
        shape.push(width);
        budget.values(count(&shape)?)?;
        let mut values = vec![0.0; count(&shape)?];
        for (key, row) in keys(&x.data)
            .iter()
            .zip(values.chunks_exact_mut(width.max(1)))
        {
            match places.get(key).and_then(|place| row.get_mut(*place)) {
                Some(value) => *value = 1.0,
                None if zeros => {}
                None => return Err(unscorable("a category is not one that the model knows")),
            }
        }
        Ok(vec![Tensor::numbers(Kind::Single, shape, values)])
    })
}

fn labels(attributes: &Attributes<'_>) -> Result<Run> {
    let list = |name: &str| -> Result<Option<Data>> {
        if let Some(tensor) = attributes.tensor(&format!("{name}_tensor"))? {
            return Ok(Some(tensor.data));
        }
        let strings = attributes.texts(&format!("{name}_strings"));
        if !strings.is_empty() {
            return Ok(Some(texts(strings)));
        }
        let whole = attributes.integers(&format!("{name}_int64s"));
        if !whole.is_empty() {
            return Ok(Some(Data::Numbers(
                whole.iter().map(|n| *n as f64).collect(),
            )));
        }
        let floats = attributes.floats(&format!("{name}_floats"))?;
        Ok((!floats.is_empty()).then_some(Data::Numbers(floats)))
    };
    let missing = || unsupported("a `LabelEncoder` without keys and values");
    let from = list("keys")?.ok_or_else(missing)?;
    let to = list("values")?.ok_or_else(missing)?;
    let floats = attributes.has("values_floats");
    let kind = match attributes.tensor("values_tensor")? {
        Some(tensor) => tensor.kind,
        None if floats => Kind::Single,
        None => Kind::Integer,
    };
    let otherwise = match attributes.tensor("default_tensor")? {
        Some(tensor) => tensor.values().ok().and_then(|v| v.first().copied()),
        None => None,
    };
    let otherwise = otherwise.unwrap_or_else(|| {
        if kind == Kind::Integer {
            attributes.integer("default_int64", -1) as f64
        } else {
            attributes.float("default_float", -0.0)
        }
    });
    let text: Arc<str> = Arc::from(attributes.text("default_string", "_Unused")?);
    let places: HashMap<Key, usize> = keys(&from)
        .into_iter()
        .enumerate()
        .map(|(i, key)| (key, i))
        .collect();
    Ok(Box::new(move |given, _| {
        let x = given.at(0)?;
        let found = keys(&x.data)
            .into_iter()
            .map(|key| places.get(&key).copied());
        let shape = x.shape.clone();
        Ok(vec![match &to {
            Data::Numbers(values) => {
                let value = |at: Option<usize>| at.and_then(|i| values.get(i).copied());
                let made = found.map(|at| value(at).unwrap_or(otherwise)).collect();
                Tensor::numbers(kind, shape, made)
            }
            Data::Texts(values) => {
                let value = |at: Option<usize>| at.and_then(|i| values.get(i).cloned());
                let made = found.map(|at| value(at).unwrap_or_else(|| Arc::clone(&text)));
                Tensor::texts(shape, made.collect())
            }
        }])
    }))
}

/// What is done to the scores of a row at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Post {
    Nothing,
    Softmax,
    Logistic,
}

impl Post {
    pub(super) fn read(attributes: &Attributes<'_>) -> Result<Self> {
        Ok(match attributes.text("post_transform", "NONE")? {
            "NONE" => Self::Nothing,
            "SOFTMAX" => Self::Softmax,
            "LOGISTIC" => Self::Logistic,
            other => return Err(unsupported(format!("the post-transform `{other}`"))),
        })
    }

    pub(super) fn apply(self, scores: &mut [f64]) {
        match self {
            Self::Nothing => {}
            Self::Softmax => softmax(scores),
            Self::Logistic => {
                for score in scores {
                    *score = 1.0 / (1.0 + (-*score).exp());
                }
            }
        }
    }
}

/// The classes of a classifier, as labels.
pub(super) fn classes(attributes: &Attributes<'_>) -> Data {
    for name in [
        "classlabels_strings",
        "classlabels_int64s",
        "classlabels_ints",
    ] {
        let strings = attributes.texts(name);
        if !strings.is_empty() {
            return texts(strings);
        }
        let whole = attributes.integers(name);
        if !whole.is_empty() {
            return Data::Numbers(whole.iter().map(|n| *n as f64).collect());
        }
    }
    Data::Numbers(Vec::new())
}

/// The labels of rows by the places of their classes.
pub(super) fn told(classes: &Data, places: &[usize]) -> Result<Tensor> {
    let (kind, n) = match classes {
        Data::Numbers(values) => (Kind::Integer, values.len()),
        Data::Texts(values) => (Kind::Text, values.len()),
    };
    let all = Tensor {
        kind,
        shape: vec![n],
        data: classes.clone(),
    };
    all.picked(vec![places.len()], places)
}

/// The products of rows with the rows of coefficients, plus intercepts.
fn linear(
    x: &Tensor,
    coefficients: &[f64],
    intercepts: &[f64],
    targets: usize,
    budget: &mut Budget,
) -> Result<Vec<f64>> {
    let (rows, width) = x.table();
    if coefficients.len() != count(&[width, targets])? {
        return Err(shapes("LinearRegressor"));
    }
    budget.values(count(&[rows, targets])?)?;
    budget.work(count(&[rows, coefficients.len()])?)?;
    let mut sums = Vec::with_capacity(rows * targets);
    for row in x.values()?.chunks_exact(width.max(1)) {
        for (i, own) in coefficients.chunks_exact(width.max(1)).enumerate() {
            let dot: f64 = row.iter().zip(own).map(|(a, b)| a * b).sum();
            sums.push(dot + intercepts.get(i).copied().unwrap_or_default());
        }
    }
    Ok(sums)
}

fn linear_regressor(attributes: &Attributes<'_>) -> Result<Run> {
    let coefficients = attributes.floats("coefficients")?;
    let intercepts = attributes.floats("intercepts")?;
    let targets = usize::try_from(attributes.integer("targets", 1))
        .unwrap_or(1)
        .max(1);
    let post = Post::read(attributes)?;
    Ok(Box::new(move |given, budget| {
        let x = given.at(0)?;
        let mut sums = linear(x, &coefficients, &intercepts, targets, budget)?;
        for row in sums.chunks_mut(targets) {
            post.apply(row);
        }
        let rows = sums.len() / targets;
        Ok(vec![Tensor::numbers(
            Kind::Single,
            vec![rows, targets],
            sums,
        )])
    }))
}

fn linear_classifier(attributes: &Attributes<'_>) -> Result<Run> {
    let coefficients = attributes.floats("coefficients")?;
    let intercepts = attributes.floats("intercepts")?;
    let classes = classes(attributes);
    let post = Post::read(attributes)?;
    let n = match &classes {
        Data::Numbers(values) => values.len(),
        Data::Texts(values) => values.len(),
    };
    let own = intercepts.len().max(1);
    if n == 0 || own != n && (own, n) != (1, 2) {
        return Err(malformed(
            "a `LinearClassifier` has not one row of coefficients a class",
        ));
    }
    Ok(Box::new(move |given, budget| {
        let sums = linear(given.at(0)?, &coefficients, &intercepts, own, budget)?;
        let mut scores = Vec::with_capacity(sums.len() * n / own);
        let mut places = Vec::with_capacity(sums.len() / own);
        for row in sums.chunks_exact(own) {
            // One row of coefficients for two classes is that of the second.
            let mut row = if own == n {
                row.to_vec()
            } else {
                row.iter().flat_map(|s| [-s, *s]).collect()
            };
            places.push(greatest(&row));
            post.apply(&mut row);
            scores.extend(row);
        }
        let shape = vec![places.len(), n];
        Ok(vec![
            told(&classes, &places)?,
            Tensor::numbers(Kind::Single, shape, scores),
        ])
    }))
}
