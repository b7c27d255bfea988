//! Operators that move elements and leave them as they are.

use super::super::limit::unsupported;
use super::graph::Given;
use super::shape::{axis, broadcast, places, strides};
use super::tensor::{Budget, Data, Kind, Tensor, count, shapes};
use crate::error::Result;

/// Tensors one after the other, as one side of elements.
pub(super) fn joined(all: &[&Tensor]) -> Result<Tensor> {
    let first = all.first().ok_or_else(|| shapes("Concat"))?;
    let n = all.iter().map(|t| t.len()).sum();
    if first.kind == Kind::Text {
        let mut values = Vec::with_capacity(n);
        for tensor in all {
            match &tensor.data {
                Data::Texts(more) => values.extend(more.iter().cloned()),
                Data::Numbers(_) => return Err(shapes("Concat")),
            }
        }
        return Ok(Tensor::texts(vec![n], values));
    }
    let mut values = Vec::with_capacity(n);
    let mut kind = first.kind;
    for tensor in all {
        values.extend_from_slice(tensor.values()?);
        kind = if kind == tensor.kind {
            kind
        } else {
            kind.with(tensor.kind)
        };
    }
    Ok(Tensor::numbers(kind, vec![n], values))
}

/// Tensors beside each other.
pub(super) fn concat(all: &[&Tensor], at: i64, budget: &mut Budget) -> Result<Tensor> {
    let wrong = || shapes("Concat");
    let first = all.first().ok_or_else(wrong)?;
    let at = axis(at, first.shape.len())?;
    let before = count(first.shape.get(..at).ok_or_else(wrong)?)?;
    let mut shape = first.shape.clone();
    let mut widths = Vec::with_capacity(all.len());
    let mut side = 0;
    for tensor in all {
        let others = |s: &[usize]| {
            s.iter()
                .enumerate()
                .filter(|(i, _)| *i != at)
                .map(|(_, n)| *n)
                .collect::<Vec<_>>()
        };
        if others(&tensor.shape) != others(&first.shape) {
            return Err(wrong());
        }
        side += tensor.shape.get(at).copied().unwrap_or_default();
        widths.push(count(tensor.shape.get(at..).ok_or_else(wrong)?)?);
    }
    *shape.get_mut(at).ok_or_else(wrong)? = side;
    budget.values(count(&shape)?.saturating_mul(2))?;
    let mut order = Vec::with_capacity(count(&shape)?);
    for row in 0..before {
        let mut from = 0;
        for (tensor, width) in all.iter().zip(&widths) {
            order.extend(from + row * width..from + (row + 1) * width);
            from += tensor.len();
        }
    }
    joined(all)?.picked(shape, &order)
}

pub(super) fn reshape(given: &Given<'_>) -> Result<Vec<Tensor>> {
    let (x, wanted) = (given.at(0)?, given.at(1)?.values()?);
    let mut shape = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (i, side) in wanted.iter().enumerate() {
        match *side as i64 {
            -1 => {
                open = Some(i);
                shape.push(1);
            }
            0 => shape.push(x.shape.get(i).copied().unwrap_or_default()),
            n => shape.push(usize::try_from(n).map_err(|_| shapes("Reshape"))?),
        }
    }
    if let Some(place) = open.and_then(|i| shape.get(i).map(|_| i)) {
        let others = count(&shape)?.max(1);
        if let Some(side) = shape.get_mut(place) {
            *side = x.len() / others;
        }
    }
    Ok(vec![x.shaped(shape)?])
}

pub(super) fn squeeze(given: &Given<'_>, axes: &[i64], add: bool) -> Result<Vec<Tensor>> {
    let x = given.at(0)?;
    let axes: Vec<i64> = match given.maybe(1) {
        Some(given) => given.values()?.iter().map(|n| *n as i64).collect(),
        None => axes.to_vec(),
    };
    let mut shape = x.shape.clone();
    if add {
        let rank = shape.len() + axes.len();
        let mut at: Vec<usize> = axes.iter().map(|a| axis(*a, rank)).collect::<Result<_>>()?;
        at.sort_unstable();
        for place in at {
            if place > shape.len() {
                return Err(shapes("Unsqueeze"));
            }
            shape.insert(place, 1);
        }
    } else {
        let at: Vec<usize> = axes
            .iter()
            .map(|a| axis(*a, shape.len()))
            .collect::<Result<_>>()?;
        let all = at.is_empty();
        let mut i = 0;
        shape.retain(|side| {
            let gone = *side == 1 && (all || at.contains(&i));
            i += 1;
            !gone
        });
    }
    Ok(vec![x.shaped(shape)?])
}

pub(super) fn transpose(x: &Tensor, order: &[i64]) -> Result<Vec<Tensor>> {
    let rank = x.shape.len();
    let order: Vec<usize> = if order.is_empty() {
        (0..rank).rev().collect()
    } else {
        order
            .iter()
            .map(|a| axis(*a, rank))
            .collect::<Result<_>>()?
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() {
        return Err(shapes("Transpose"));
    }
    let side = |i: &usize| x.shape.get(*i).copied().unwrap_or_default();
    let shape: Vec<usize> = order.iter().map(side).collect();
    let strides = strides(&x.shape);
    let step = |i: &usize| strides.get(*i).copied().unwrap_or_default();
    let steps: Vec<usize> = order.iter().map(step).collect();
    Ok(vec![x.picked(shape.clone(), &places(&shape, &steps)?)?])
}

pub(super) fn gather(given: &Given<'_>, at: i64, budget: &mut Budget) -> Result<Vec<Tensor>> {
    let (x, index) = (given.at(0)?, given.at(1)?);
    let at = axis(at, x.shape.len())?;
    let (before, rest) = x.shape.split_at(at);
    let (side, after) = rest.split_first().ok_or_else(|| shapes("Gather"))?;
    let inner = count(after)?;
    let shape: Vec<usize> = before
        .iter()
        .chain(&index.shape)
        .chain(after)
        .copied()
        .collect();
    budget.values(count(&shape)?.saturating_mul(2))?;
    let mut order = Vec::with_capacity(count(&shape)?);
    for outer in 0..count(before)? {
        for i in index.values()? {
            let i = axis(*i as i64, *side)?;
            let from = (outer * side + i) * inner;
            order.extend(from..from + inner);
        }
    }
    Ok(vec![x.picked(shape, &order)?])
}

/// The elements between starts and ends along some sides.
pub(super) fn slice(
    given: &Given<'_>,
    own: &[Vec<i64>; 3],
    budget: &mut Budget,
) -> Result<Vec<Tensor>> {
    let x = given.at(0)?;
    let list = |i: usize| match (given.maybe(i), own.get(i - 1)) {
        (Some(tensor), _) => Ok(tensor.values()?.iter().map(|n| *n as i64).collect()),
        (None, own) => Ok(own.cloned().unwrap_or_default()),
    };
    let (starts, ends, axes): (Vec<i64>, Vec<i64>, Vec<i64>) = (list(1)?, list(2)?, list(3)?);
    let steps: Vec<i64> = match given.maybe(4) {
        Some(tensor) => tensor.values()?.iter().map(|n| *n as i64).collect(),
        None => Vec::new(),
    };
    let mut made = x.clone();
    for (i, (start, end)) in starts.iter().zip(&ends).enumerate() {
        let at = axis(axes.get(i).copied().unwrap_or(i as i64), x.shape.len())?;
        if steps.get(i).is_some_and(|step| *step != 1) {
            return Err(unsupported("`Slice` with steps"));
        }
        let side = made.shape.get(at).copied().unwrap_or_default();
        let place = |n: i64| {
            let from_front = if n < 0 {
                n.saturating_add(side as i64)
            } else {
                n
            };
            usize::try_from(from_front).unwrap_or_default().min(side)
        };
        let (from, to) = (place(*start), place(*end).max(place(*start)));
        let (before, rest) = made.shape.split_at(at);
        let inner = count(rest.get(1..).unwrap_or_default())?;
        let outer = count(before)?;
        let mut shape = made.shape.clone();
        if let Some(side) = shape.get_mut(at) {
            *side = to - from;
        }
        budget.values(count(&shape)?.saturating_mul(2))?;
        let each = |row: usize| (row * side + from) * inner..(row * side + to) * inner;
        let order: Vec<usize> = (0..outer).flat_map(each).collect();
        made = made.picked(shape, &order)?;
    }
    Ok(vec![made])
}

pub(super) fn choose(given: &Given<'_>, budget: &mut Budget) -> Result<Vec<Tensor>> {
    let (condition, x, y) = (given.at(0)?, given.at(1)?, given.at(2)?);
    let (shape, left, right) = broadcast(&x.shape, &y.shape, budget)?;
    let (whole, asked, both) = broadcast(&condition.shape, &shape, budget)?;
    let truth = condition.values()?;
    let pick = |(i, j): (&usize, &usize)| {
        let yes = *truth.get(*i)? != 0.0;
        let place = if yes {
            *left.get(*j)?
        } else {
            x.len() + *right.get(*j)?
        };
        Some(place)
    };
    let order: Option<Vec<usize>> = asked.iter().zip(&both).map(pick).collect();
    let order = order.ok_or_else(|| shapes("Where"))?;
    Ok(vec![joined(&[x, y])?.picked(whole, &order)?])
}
