//! The plain operators of ONNX that exports of scikit-learn use.

use super::super::boosted::softmax;
use super::super::limit::{malformed, unsupported};
use super::arithmetic::{binary, cast, each, fold, pairs, unary};
use super::attributes::Attributes;
use super::graph::Run;
use super::layout::{choose, concat, gather, reshape, slice, squeeze, transpose};
use super::ml::normalize;
use super::shape::{axis, broadcast, reduced, sides};
use super::tensor::{Budget, Kind, Tensor, count, shapes};
use crate::error::Result;

/// What runs an operator; nothing where it is not supported.
pub(super) fn build(name: &str, version: i64, attributes: &Attributes<'_>) -> Result<Option<Run>> {
    if let Some(run) = unary(name, attributes).or_else(|| binary(name)) {
        return Ok(Some(run));
    }
    Ok(Some(match name {
        "Identity" | "Dropout" => Box::new(|given, _| Ok(vec![given.at(0)?.clone()])),
        "Cast" => {
            let kind = Kind::of(attributes.integer("to", 0))?;
            Box::new(move |given, _| Ok(vec![cast(given.at(0)?, kind)?]))
        }
        "Concat" => {
            let axis = attributes.integer("axis", 1);
            Box::new(move |given, budget| Ok(vec![concat(&given.all()?, axis, budget)?]))
        }
        "Reshape" => Box::new(|given, _| reshape(given)),
        "Flatten" => {
            let at = attributes.integer("axis", 1);
            Box::new(move |given, _| {
                let x = given.at(0)?;
                let at = axis(at, x.shape.len() + 1)?;
                let (rows, columns) = x.shape.split_at(at.min(x.shape.len()));
                Ok(vec![x.shaped(vec![count(rows)?, count(columns)?])?])
            })
        }
        "Squeeze" | "Unsqueeze" => {
            let (axes, add) = (attributes.integers("axes"), name == "Unsqueeze");
            Box::new(move |given, _| squeeze(given, &axes, add))
        }
        "Transpose" => {
            let order = attributes.integers("perm");
            Box::new(move |given, _| transpose(given.at(0)?, &order))
        }
        "Gather" => {
            let at = attributes.integer("axis", 0);
            Box::new(move |given, budget| gather(given, at, budget))
        }
        "Slice" => {
            let own = ["starts", "ends", "axes"].map(|name| attributes.integers(name));
            Box::new(move |given, budget| slice(given, &own, budget))
        }
        "Shape" => Box::new(|given, _| {
            let sides: Vec<f64> = given.at(0)?.shape.iter().map(|n| *n as f64).collect();
            Ok(vec![Tensor::numbers(
                Kind::Integer,
                vec![sides.len()],
                sides,
            )])
        }),
        "ConstantOfShape" => {
            let value = attributes.tensor("value")?;
            let kind = value.as_ref().map_or(Kind::Single, |v| v.kind);
            let first = value
                .as_ref()
                .map(|v| v.values().map(|v| v.first().copied()));
            let value = first.transpose()?.flatten().unwrap_or_default();
            Box::new(move |given, budget| {
                let shape = sides(given.at(0)?)?;
                let n = count(&shape)?;
                budget.values(n)?;
                Ok(vec![Tensor::numbers(kind, shape, vec![value; n])])
            })
        }
        "MatMul" => Box::new(|given, budget| {
            let product = product(given.at(0)?, given.at(1)?, (false, false), budget)?;
            Ok(vec![product])
        }),
        "Gemm" => gemm(attributes),
        "Softmax" | "LogSoftmax" => {
            let log = name == "LogSoftmax";
            let at = attributes.integer("axis", if version < 13 { 1 } else { -1 });
            Box::new(move |given, _| soften(given.at(0)?, at, version < 13, log))
        }
        "ArgMax" | "ArgMin" => {
            let sign = if name == "ArgMax" { 1.0 } else { -1.0 };
            let last = attributes.integer("select_last_index", 0) == 1;
            let (at, keep) = (
                attributes.integer("axis", 0),
                attributes.integer("keepdims", 1) == 1,
            );
            Box::new(move |given, _| {
                let pick = |group: &[f64]| {
                    let mut best = 0;
                    let mut most = f64::NEG_INFINITY;
                    for (i, value) in group.iter().map(|v| sign * v).enumerate() {
                        if value > most || last && value == most {
                            (best, most) = (i, value);
                        }
                    }
                    best as f64
                };
                let mut found = reduced(given.at(0)?, &[at], keep, &pick)?;
                found.kind = Kind::Integer;
                Ok(vec![found])
            })
        }
        "LpNormalization" => {
            let norm = if attributes.integer("p", 2) == 1 {
                "L1"
            } else {
                "L2"
            };
            let at = attributes.integer("axis", -1);
            Box::new(move |given, _| {
                let x = given.at(0)?;
                if axis(at, x.shape.len())? + 1 != x.shape.len() {
                    return Err(unsupported(
                        "`LpNormalization` along another side than the last",
                    ));
                }
                normalize(x, norm)
            })
        }
        "Clip" => {
            let low = attributes.float("min", f64::NEG_INFINITY);
            let high = attributes.float("max", f64::INFINITY);
            Box::new(move |given, _| {
                let bound = |i, default: f64| match given.maybe(i) {
                    Some(tensor) => Ok(tensor.values()?.first().copied().unwrap_or(default)),
                    None => Ok(default),
                };
                let (low, high) = (bound(1, low)?, bound(2, high)?);
                Ok(vec![each(given.at(0)?, |x| x.max(low).min(high))?])
            })
        }
        "Where" => Box::new(choose),
        "Sum" | "Max" | "Min" | "Mean" => {
            let name = name.to_owned();
            Box::new(move |given, budget| fold(&name, &given.all()?, budget))
        }
        _ => match name.strip_prefix("Reduce").and_then(reduction) {
            Some(reduction) => {
                let axes = attributes.integers("axes");
                let keep = attributes.integer("keepdims", 1) == 1;
                let none = attributes.integer("noop_with_empty_axes", 0) == 1;
                Box::new(move |given, _| {
                    let x = given.at(0)?;
                    let axes = match given.maybe(1) {
                        Some(given) => given.values()?.iter().map(|n| *n as i64).collect(),
                        None => axes.clone(),
                    };
                    if axes.is_empty() && none {
                        return Ok(vec![x.clone()]);
                    }
                    let axes = if axes.is_empty() {
                        (0..x.shape.len() as i64).collect()
                    } else {
                        axes
                    };
                    Ok(vec![reduced(x, &axes, keep, &reduction)?])
                })
            }
            None => return Ok(None),
        },
    }))
}

/// The product of two tables, each turned on its side where that is asked for.
fn product(a: &Tensor, b: &Tensor, (ta, tb): (bool, bool), budget: &mut Budget) -> Result<Tensor> {
    if a.shape.len() > 2 || b.shape.len() > 2 {
        return Err(unsupported("`MatMul` of more than two sides"));
    }
    let (rows, inner) = if ta { turn(a.table()) } else { a.table() };
    // One side on the right is a column.
    let right = match b.shape.as_slice() {
        [n] => (*n, 1),
        _ => b.table(),
    };
    let (same, columns) = if tb { turn(right) } else { right };
    if inner != same {
        return Err(shapes("MatMul"));
    }
    let n = count(&[rows, columns])?;
    budget.values(n)?;
    budget.work(count(&[n, inner.max(1)])?)?;
    let (x, y) = (a.values()?, b.values()?);
    let mut values = vec![0.0; n];
    for (i, row) in values.chunks_exact_mut(columns.max(1)).enumerate() {
        for k in 0..inner {
            let left = x.get(if ta { k * rows + i } else { i * inner + k });
            let left = left.copied().unwrap_or_default();
            for (j, sum) in row.iter_mut().enumerate() {
                let right = y.get(if tb { j * inner + k } else { k * columns + j });
                *sum += left * right.copied().unwrap_or_default();
            }
        }
    }
    let shape = match (a.shape.len(), b.shape.len()) {
        (2, 2) => vec![rows, columns],
        (2, _) => vec![rows],
        (_, 2) => vec![columns],
        _ => Vec::new(),
    };
    Ok(Tensor::numbers(a.kind.with(b.kind), shape, values))
}

fn turn((a, b): (usize, usize)) -> (usize, usize) {
    (b, a)
}

fn gemm(attributes: &Attributes<'_>) -> Run {
    let (alpha, beta) = (
        attributes.float("alpha", 1.0),
        attributes.float("beta", 1.0),
    );
    let turned = (
        attributes.integer("transA", 0) == 1,
        attributes.integer("transB", 0) == 1,
    );
    Box::new(move |given, budget| {
        let made = product(given.at(0)?, given.at(1)?, turned, budget)?;
        let made = each(&made, |x| alpha * x)?;
        let Some(more) = given.maybe(2) else {
            return Ok(vec![made]);
        };
        let more = each(more, |x| beta * x)?;
        let (shape, left, right) = broadcast(&made.shape, &more.shape, budget)?;
        let sum = pairs(|a, b| a + b, &made, &more, (shape, &left, &right))?;
        Ok(vec![each(&sum, |x| x)?])
    })
}

fn soften(x: &Tensor, at: i64, flat: bool, log: bool) -> Result<Vec<Tensor>> {
    let at = axis(at, x.shape.len().max(1))?;
    let wrong = || shapes("Softmax");
    let before = count(x.shape.get(..at).ok_or_else(wrong)?)?;
    let (side, inner) = match x.shape.get(at..) {
        Some(rest) if flat => (count(rest)?, 1),
        Some([side, after @ ..]) => (*side, count(after)?),
        _ => (1, 1),
    };
    let mut values = x.values()?.to_vec();
    for outer in 0..before {
        for i in 0..inner {
            let place = |k: usize| outer * side * inner + k * inner + i;
            let group = (0..side).map(|k| values.get(place(k)).copied());
            let mut group: Vec<f64> = group.collect::<Option<_>>().ok_or_else(wrong)?;
            softmax(&mut group);
            for (k, value) in group.into_iter().enumerate() {
                if let Some(into) = values.get_mut(place(k)) {
                    *into = if log { value.ln() } else { value };
                }
            }
        }
    }
    Ok(vec![Tensor::numbers(x.kind, x.shape.clone(), values)])
}

/// What a group of numbers is reduced to.
fn reduction(name: &str) -> Option<fn(&[f64]) -> f64> {
    Some(match name {
        "Sum" => |g| g.iter().sum(),
        "Mean" => |g| g.iter().sum::<f64>() / g.len() as f64,
        "Max" => |g| g.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "Min" => |g| g.iter().copied().fold(f64::INFINITY, f64::min),
        "Prod" => |g| g.iter().product(),
        "SumSquare" => |g| g.iter().map(|x| x * x).sum(),
        "L1" => |g| g.iter().map(|x| x.abs()).sum(),
        "L2" => |g| g.iter().map(|x| x * x).sum::<f64>().sqrt(),
        "LogSum" => |g| g.iter().sum::<f64>().ln(),
        "LogSumExp" => |g| {
            let most = g.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            most + g.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
        },
        _ => return None,
    })
}

/// The tensor that a `Constant` holds.
pub(super) fn constant(attributes: &Attributes<'_>) -> Result<Tensor> {
    if let Some(tensor) = attributes.tensor("value")? {
        return Ok(tensor);
    }
    let many = |kind, values: Vec<f64>| Tensor::numbers(kind, vec![values.len()], values);
    if attributes.has("value_float") {
        let value = attributes.float("value_float", 0.0);
        return Ok(Tensor::numbers(Kind::Single, Vec::new(), vec![value]));
    }
    if attributes.has("value_int") {
        let value = attributes.integer("value_int", 0) as f64;
        return Ok(Tensor::numbers(Kind::Integer, Vec::new(), vec![value]));
    }
    if attributes.has("value_floats") {
        return Ok(many(Kind::Single, attributes.floats("value_floats")?));
    }
    if attributes.has("value_ints") {
        let whole = attributes.integers("value_ints");
        let values = whole.iter().map(|n| *n as f64);
        return Ok(many(Kind::Integer, values.collect()));
    }
    Err(malformed("a `Constant` has no number"))
}
