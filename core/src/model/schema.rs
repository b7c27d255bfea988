//! What a model takes and gives.

use serde::{Deserialize, Serialize};

use super::frame::Column;
use super::limit::unscorable;
use crate::error::Result;

/// Where a model comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// An ONNX graph, as scikit-learn's are exported by skl2onnx.
    Onnx,
    /// XGBoost's JSON or UBJSON.
    Xgboost,
    /// LightGBM's text.
    Lightgbm,
}

/// What a model foretells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Numbers: the column `prediction`, or `prediction_0`, … where there are several.
    Regression,
    /// Classes: the column `label`, and `probability_…` of each class where the model has probabilities.
    Classification,
    /// Whatever its outputs are called.
    Transformation,
}

/// What values a feature has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbers; missing ones are allowed.
    Number,
    /// Texts.
    Text,
}

/// A feature that a model takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What values it has.
    pub kind: Kind,
    /// The categories it was trained on, where the file tells; another value counts as missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Categories>,
}

/// The categories of a feature, in the order of their codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Categories {
    /// Numbers.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<String>),
}

impl Feature {
    /// A feature of numbers.
    pub(super) fn number(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Number,
            categories: None,
        }
    }

    /// A feature of categories, told by their codes in the trees.
    pub(super) fn categorical(name: impl Into<String>, categories: Categories) -> Self {
        Self {
            name: name.into(),
            kind: match categories {
                Categories::Numbers(_) => Kind::Number,
                Categories::Texts(_) => Kind::Text,
            },
            categories: Some(categories),
        }
    }

    /// The numbers that trees compare.
    ///
    /// # Errors
    /// `unscorable_rows` for texts where numbers belong.
    pub(super) fn codes(&self, column: &Column) -> Result<Vec<f64>> {
        let place = |found: Option<usize>| found.map_or(f64::NAN, |code| code as f64);
        match (column, &self.categories) {
            (Column::Numbers(values), None) => Ok(values.clone()),
            (Column::Numbers(values), Some(Categories::Numbers(known))) => Ok(values
                .iter()
                .map(|value| place(known.iter().position(|k| k == value)))
                .collect()),
            (Column::Texts(values), Some(Categories::Texts(known))) => {
                let codes: std::collections::HashMap<&str, usize> = known
                    .iter()
                    .enumerate()
                    .map(|(i, k)| (k.as_str(), i))
                    .collect();
                Ok(values
                    .iter()
                    .map(|v| place(v.as_deref().and_then(|v| codes.get(v).copied())))
                    .collect())
            }
            // A column of nothing but missing values comes as texts.
            (Column::Texts(values), _) if values.iter().all(Option::is_none) => {
                Ok(vec![f64::NAN; values.len()])
            }
            (Column::Numbers(values), Some(Categories::Texts(_)))
                if values.iter().all(|v| v.is_nan()) =>
            {
                Ok(values.clone())
            }
            (Column::Texts(_), _) => Err(unscorable(format!(
                "the feature `{}` must be of numbers",
                self.name
            ))),
            (Column::Numbers(_), _) => Err(unscorable(format!(
                "the feature `{}` must be of texts",
                self.name
            ))),
        }
    }
}

/// What a model takes and gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// Where it comes from.
    pub format: Format,
    /// What it foretells.
    pub task: Task,
    /// What it minimised, as its library calls it; for ONNX the operators of its graph.
    pub objective: String,
    /// The features it takes.
    pub features: Vec<Feature>,
    /// The names of the columns it gives.
    pub outputs: Vec<String>,
    /// The classes, in the order of their probabilities; empty unless it tells classes.
    pub classes: Vec<String>,
    /// How large it is: trees and their nodes, or operators.
    pub size: Size,
}

/// How large a model is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Trees.
    pub trees: usize,
    /// Nodes of the trees.
    pub nodes: usize,
    /// Operators of an ONNX graph.
    pub operators: usize,
}
