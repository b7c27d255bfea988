//! Operators that compute element by element.

use std::sync::Arc;

use super::super::limit::unscorable;
use super::attributes::Attributes;
use super::graph::Run;
use super::shape::broadcast;
use super::tensor::{Budget, Data, Kind, Tensor, shapes};
use crate::error::Result;

/// Numbers changed one by one.
pub(super) fn each(x: &Tensor, change: impl Fn(f64) -> f64) -> Result<Tensor> {
    let values = x.values()?.iter().map(|v| change(*v)).collect();
    Ok(Tensor::numbers(x.kind, x.shape.clone(), values))
}

pub(super) fn unary(name: &str, attributes: &Attributes<'_>) -> Option<Run> {
    let truth = |yes: bool| f64::from(u8::from(yes));
    let alpha = attributes.float("alpha", 0.01);
    let change: Box<dyn Fn(f64) -> f64 + Send + Sync> = match name {
        "Neg" => Box::new(|x| -x),
        "Abs" => Box::new(f64::abs),
        "Sqrt" => Box::new(f64::sqrt),
        "Exp" => Box::new(f64::exp),
        "Log" => Box::new(f64::ln),
        "Reciprocal" => Box::new(f64::recip),
        "Floor" => Box::new(f64::floor),
        "Ceil" => Box::new(f64::ceil),
        "Round" => Box::new(f64::round_ties_even),
        "Sign" => Box::new(|x| if x == 0.0 { 0.0 } else { x.signum() }),
        "Sigmoid" => Box::new(|x| 1.0 / (1.0 + (-x).exp())),
        "Tanh" => Box::new(f64::tanh),
        "Relu" => Box::new(|x| x.max(0.0)),
        "LeakyRelu" => Box::new(move |x| if x < 0.0 { alpha * x } else { x }),
        "Softplus" => Box::new(|x| x.exp().ln_1p()),
        "Erf" => Box::new(libm::erf),
        "Not" => Box::new(move |x| truth(x == 0.0)),
        "IsNaN" => Box::new(move |x| truth(x.is_nan())),
        _ => return None,
    };
    let boolean = matches!(name, "Not" | "IsNaN");
    Some(Box::new(move |given, _| {
        let mut changed = each(given.at(0)?, &change)?;
        if boolean {
            changed.kind = Kind::Truth;
        }
        Ok(vec![changed])
    }))
}

pub(super) type Pair = fn(f64, f64) -> f64;

/// The function of an operator of two, and whether it gives truth.
pub(super) fn pair(name: &str) -> Option<(Pair, bool)> {
    fn truth(yes: bool) -> f64 {
        f64::from(u8::from(yes))
    }
    Some(match name {
        "Add" => (|a, b| a + b, false),
        "Sub" => (|a, b| a - b, false),
        "Mul" => (|a, b| a * b, false),
        "Div" => (|a, b| a / b, false),
        "Pow" => (f64::powf, false),
        "Less" => (|a, b| truth(a < b), true),
        "LessOrEqual" => (|a, b| truth(a <= b), true),
        "Greater" => (|a, b| truth(a > b), true),
        "GreaterOrEqual" => (|a, b| truth(a >= b), true),
        "Equal" => (|a, b| truth(a == b), true),
        "And" => (|a, b| truth(a != 0.0 && b != 0.0), true),
        "Or" => (|a, b| truth(a != 0.0 || b != 0.0), true),
        "Xor" => (|a, b| truth((a != 0.0) != (b != 0.0)), true),
        _ => return None,
    })
}

pub(super) fn binary(name: &str) -> Option<Run> {
    let (function, boolean) = pair(name)?;
    let (divide, power, equal) = (name == "Div", name == "Pow", name == "Equal");
    Some(Box::new(move |given, budget| {
        let (a, b) = (given.at(0)?, given.at(1)?);
        let (shape, left, right) = broadcast(&a.shape, &b.shape, budget)?;
        if let (true, Data::Texts(x), Data::Texts(y)) = (equal, &a.data, &b.data) {
            let both = left.iter().zip(&right);
            let same = both.map(|(i, j)| f64::from(u8::from(x.get(*i) == y.get(*j))));
            return Ok(vec![Tensor::numbers(Kind::Truth, shape, same.collect())]);
        }
        let kind = match (boolean, power) {
            (true, _) => Kind::Truth,
            (_, true) => a.kind,
            _ => a.kind.with(b.kind),
        };
        let mut made = pairs(function, a, b, (shape, &left, &right))?;
        made.kind = kind;
        if kind == Kind::Integer && divide {
            made = each(&made, f64::trunc)?;
        }
        let Data::Numbers(values) = made.data else {
            return Err(shapes("Add"));
        };
        Ok(vec![Tensor::numbers(kind, made.shape, values)])
    }))
}

pub(super) fn pairs(
    function: Pair,
    a: &Tensor,
    b: &Tensor,
    (shape, left, right): (Vec<usize>, &[usize], &[usize]),
) -> Result<Tensor> {
    let (x, y) = (a.values()?, b.values()?);
    let one = |(i, j): (&usize, &usize)| Some(function(*x.get(*i)?, *y.get(*j)?));
    let values: Option<Vec<f64>> = left.iter().zip(right).map(one).collect();
    let values = values.ok_or_else(|| shapes("Add"))?;
    Ok(Tensor {
        kind: a.kind.with(b.kind),
        shape,
        data: Data::Numbers(values),
    })
}

pub(super) fn fold(name: &str, all: &[&Tensor], budget: &mut Budget) -> Result<Vec<Tensor>> {
    let function: Pair = match name {
        "Max" => f64::max,
        "Min" => f64::min,
        _ => |a, b| a + b,
    };
    let (first, rest) = all.split_first().ok_or_else(|| shapes(name))?;
    let mut made = (*first).clone();
    for next in rest {
        let (shape, left, right) = broadcast(&made.shape, &next.shape, budget)?;
        made = pairs(function, &made, next, (shape, &left, &right))?;
    }
    let share = if name == "Mean" {
        all.len() as f64
    } else {
        1.0
    };
    Ok(vec![each(&made, |x| x / share)?])
}

pub(super) fn cast(x: &Tensor, kind: Kind) -> Result<Tensor> {
    match (&x.data, kind) {
        (Data::Texts(_), Kind::Text) => Ok(x.clone()),
        (Data::Texts(values), _) => {
            let read = |t: &Arc<str>| t.trim().parse::<f64>().ok();
            let numbers: Option<Vec<f64>> = values.iter().map(read).collect();
            let numbers = numbers.ok_or_else(|| unscorable("a text is no number"))?;
            cast(
                &Tensor::numbers(Kind::Double, x.shape.clone(), numbers),
                kind,
            )
        }
        (Data::Numbers(values), Kind::Text) => {
            let text = |v: &f64| match x.kind {
                Kind::Single => Arc::from((*v as f32).to_string()),
                _ => Arc::from(v.to_string()),
            };
            Ok(Tensor::texts(
                x.shape.clone(),
                values.iter().map(text).collect(),
            ))
        }
        (Data::Numbers(values), _) => {
            let change = |v: &f64| match kind {
                Kind::Integer => v.trunc(),
                Kind::Truth => f64::from(u8::from(*v != 0.0)),
                _ => *v,
            };
            let values = values.iter().map(change).collect();
            Ok(Tensor::numbers(kind, x.shape.clone(), values))
        }
    }
}
