//! Boosted trees: sums over trees, and what makes predictions of them.

use super::forest::Forest;
use super::frame::{Column, Frame};
use super::schema::{Feature, Schema, Task};
use crate::error::Result;

/// What makes a prediction of the sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Link {
    /// Nothing.
    Identity,
    /// e to the sum.
    Exp,
    /// 1 / (1 + e^(−k · sum)), of two classes or of each alone.
    Sigmoid(f64),
    /// The sum's sign times its square.
    SignedSquare,
    /// ln(1 + e^sum).
    SoftPlus,
    /// 1 above nothing, else 0.
    Step,
    /// Shares by e to each sum.
    Softmax,
}

/// How exactly the library of a model computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    /// XGBoost: features, thresholds and sums are of 32 bits.
    Single,
    /// LightGBM: of 64 bits.
    Double,
}

/// A model of boosted trees.
#[derive(Debug)]
pub(super) struct Boosted {
    pub(super) forest: Forest,
    /// What the sums begin at, a target each.
    pub(super) base: Vec<f64>,
    /// By what the sums are divided: the iterations of a random forest, else 1.
    pub(super) divisor: f64,
    pub(super) link: Link,
    pub(super) precision: Precision,
}

/// The names of the columns that a model of so many targets gives.
pub(super) fn outputs(task: Task, targets: usize, classes: &[String]) -> Vec<String> {
    match task {
        Task::Classification => std::iter::once("label".to_owned())
            .chain(classes.iter().map(|class| format!("probability_{class}")))
            .collect(),
        _ if targets == 1 => vec!["prediction".to_owned()],
        _ => (0..targets).map(|i| format!("prediction_{i}")).collect(),
    }
}

impl Boosted {
    /// Scores rows, given as columns in the order of the features.
    pub(super) fn score(&self, schema: &Schema, features: &[&Column]) -> Result<Frame> {
        let coded = |(feature, column): (&Feature, &&Column)| feature.codes(column);
        let columns: Vec<Vec<f64>> = schema
            .features
            .iter()
            .zip(features)
            .map(coded)
            .collect::<Result<_>>()?;
        let rows = columns.first().map_or(0, Vec::len);
        let mut row = vec![f64::NAN; columns.len()];
        let mut sums = vec![0.0; self.base.len()];
        let mut out: Vec<Vec<f64>> = vec![Vec::with_capacity(rows); schema.outputs.len()];
        let mut labels = Vec::new();
        for i in 0..rows {
            for (value, column) in row.iter_mut().zip(&columns) {
                let given = column.get(i).copied().unwrap_or(f64::NAN);
                *value = match self.precision {
                    Precision::Single => f64::from(given as f32),
                    Precision::Double => given,
                };
            }
            self.sum(&row, &mut sums);
            self.finish(schema, &mut sums, &mut out, &mut labels);
        }
        let mut columns: Vec<Column> = out.into_iter().map(Column::Numbers).collect();
        if schema.task == Task::Classification
            && let Some(first) = columns.first_mut()
        {
            *first = Column::Texts(labels);
        }
        Ok(Frame {
            columns: schema.outputs.iter().cloned().zip(columns).collect(),
        })
    }

    fn sum(&self, row: &[f64], sums: &mut [f64]) {
        sums.copy_from_slice(&self.base);
        for votes in self.forest.votes(row) {
            for vote in votes {
                let Some(sum) = sums.get_mut(vote.target as usize) else {
                    continue;
                };
                *sum = match self.precision {
                    Precision::Single => f64::from(*sum as f32 + vote.weight as f32),
                    Precision::Double => *sum + vote.weight,
                };
            }
        }
        for sum in sums {
            *sum /= self.divisor;
        }
    }

    fn finish(
        &self,
        schema: &Schema,
        sums: &mut [f64],
        out: &mut [Vec<f64>],
        labels: &mut Vec<Option<String>>,
    ) {
        if self.link == Link::Softmax {
            softmax(sums);
        } else {
            for sum in sums.iter_mut() {
                *sum = self.link.of(*sum);
            }
        }
        if schema.task != Task::Classification {
            for (column, value) in out.iter_mut().zip(sums) {
                column.push(*value);
            }
            return;
        }
        let both = [
            1.0 - sums.first().copied().unwrap_or_default(),
            sums.first().copied().unwrap_or_default(),
        ];
        let shares: &[f64] = if sums.len() == 1 { &both } else { sums };
        let best = if sums.len() == 1 {
            usize::from(both.last().is_some_and(|p| *p > 0.5))
        } else {
            greatest(shares)
        };
        labels.push(schema.classes.get(best).cloned());
        for (column, share) in out.iter_mut().skip(1).zip(shares) {
            column.push(*share);
        }
    }
}

impl Link {
    fn of(self, sum: f64) -> f64 {
        match self {
            Self::Identity | Self::Softmax => sum,
            Self::Exp => sum.exp(),
            Self::Sigmoid(k) => 1.0 / (1.0 + (-k * sum).exp()),
            Self::SignedSquare => sum.abs() * sum,
            Self::SoftPlus => sum.exp().ln_1p(),
            Self::Step => f64::from(u8::from(sum > 0.0)),
        }
    }
}

/// Shares by e to each value.
pub(super) fn softmax(values: &mut [f64]) {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for value in values.iter_mut() {
        *value = (*value - most).exp();
        total += *value;
    }
    for value in values {
        *value /= total;
    }
}

/// The place of the greatest value, the first of equal ones.
pub(super) fn greatest(values: &[f64]) -> usize {
    let mut best = 0;
    let mut most = f64::NEG_INFINITY;
    for (i, value) in values.iter().enumerate() {
        if *value > most {
            (best, most) = (i, *value);
        }
    }
    best
}
