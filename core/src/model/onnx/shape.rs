//! Shapes: broadcasting, steps and groups.

use super::super::limit::unscorable;
use super::tensor::{Budget, Tensor, count, shapes};
use crate::error::Result;

/// A side counted from the front, where negative ones count from the end.
pub(super) fn axis(at: i64, rank: usize) -> Result<usize> {
    let place = if at < 0 {
        at.checked_add(rank as i64)
    } else {
        Some(at)
    };
    let place = place
        .and_then(|p| usize::try_from(p).ok())
        .filter(|p| *p < rank);
    place.ok_or_else(|| unscorable("an operator names a side or place that is not there"))
}

/// A shape given as a tensor.
pub(super) fn sides(tensor: &Tensor) -> Result<Vec<usize>> {
    let values = tensor.values()?;
    if values.len() > 8 || values.iter().any(|n| !(0.0..1e12).contains(n)) {
        return Err(shapes("ConstantOfShape"));
    }
    Ok(values.iter().map(|n| *n as usize).collect())
}

/// How far apart neighbours along each side lie.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut steps = Vec::with_capacity(shape.len());
    let mut step = 1_usize;
    for side in shape.iter().rev() {
        steps.push(step);
        step = step.saturating_mul(*side);
    }
    steps.reverse();
    steps
}

/// The places that a walk through a shape, row-major, comes to by these steps.
pub(super) fn places(shape: &[usize], steps: &[usize]) -> Result<Vec<usize>> {
    let total = count(shape)?;
    let mut found = Vec::with_capacity(total);
    let mut at = vec![0_usize; shape.len()];
    let mut place = 0_usize;
    for _ in 0..total {
        found.push(place);
        for ((index, side), step) in at.iter_mut().zip(shape).zip(steps).rev() {
            *index += 1;
            place += step;
            if *index < *side {
                break;
            }
            place -= step * side;
            *index = 0;
        }
    }
    Ok(found)
}

/// The shape that two broadcast to, and for each of its elements the places of the two that meet there.
pub(super) fn broadcast(
    a: &[usize],
    b: &[usize],
    budget: &mut Budget,
) -> Result<(Vec<usize>, Vec<usize>, Vec<usize>)> {
    let rank = a.len().max(b.len());
    let padded = |shape: &[usize]| {
        let mut long = vec![1; rank - shape.len()];
        long.extend_from_slice(shape);
        long
    };
    let (a, b) = (padded(a), padded(b));
    let mut shape = Vec::with_capacity(rank);
    for (x, y) in a.iter().zip(&b) {
        shape.push(match (*x, *y) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => return Err(shapes("Add")),
        });
    }
    // The two lists of places count too.
    budget.values(count(&shape)?.saturating_mul(3))?;
    let steps = |own: &[usize]| -> Vec<usize> {
        let steps = strides(own).into_iter().zip(own);
        steps
            .map(|(step, side)| if *side == 1 { 0 } else { step })
            .collect()
    };
    let left = places(&shape, &steps(&a))?;
    let right = places(&shape, &steps(&b))?;
    Ok((shape, left, right))
}

/// The groups along some sides, each reduced to a number.
pub(super) fn reduced(
    x: &Tensor,
    axes: &[i64],
    keep: bool,
    reduce: &dyn Fn(&[f64]) -> f64,
) -> Result<Tensor> {
    let rank = x.shape.len();
    let gone: Vec<usize> = axes.iter().map(|a| axis(*a, rank)).collect::<Result<_>>()?;
    let steps = strides(&x.shape);
    let part = |inside: bool| -> (Vec<usize>, Vec<usize>) {
        let chosen = |i: &usize| gone.contains(i) == inside;
        let sides = x.shape.iter().zip(&steps).enumerate();
        sides
            .filter(|(i, _)| chosen(i))
            .map(|(_, (side, step))| (*side, *step))
            .unzip()
    };
    let (outer, outer_steps) = part(false);
    let (inner, inner_steps) = part(true);
    let within = places(&inner, &inner_steps)?;
    let values = x.values()?;
    let mut group = vec![0.0; within.len()];
    let mut made = Vec::new();
    for from in places(&outer, &outer_steps)? {
        for (value, offset) in group.iter_mut().zip(&within) {
            *value = values.get(from + offset).copied().unwrap_or_default();
        }
        made.push(reduce(&group));
    }
    let shape = if keep {
        let side = |(i, n): (usize, &usize)| if gone.contains(&i) { 1 } else { *n };
        x.shape.iter().enumerate().map(side).collect()
    } else {
        outer
    };
    Ok(Tensor::numbers(x.kind, shape, made))
}
