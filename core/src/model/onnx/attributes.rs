//! The attributes of an operator by name.

use super::super::limit::{malformed, unsupported};
use super::tensor::Tensor;
use super::wire::Node;
use crate::error::Result;

pub(super) struct Attributes<'a>(pub(super) &'a Node);

impl Attributes<'_> {
    fn find(&self, name: &str) -> Option<&super::wire::Attribute> {
        self.0.attributes.iter().find(|a| a.name == name)
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.find(name).map_or(default, |a| a.integer)
    }

    pub(super) fn float(&self, name: &str, default: f64) -> f64 {
        self.find(name).map_or(default, |a| a.float)
    }

    pub(super) fn text<'s>(&'s self, name: &str, default: &'s str) -> Result<&'s str> {
        self.find(name).map_or(Ok(default), |a| {
            std::str::from_utf8(&a.text).map_err(|_| malformed("a text is not UTF-8"))
        })
    }

    pub(super) fn integers(&self, name: &str) -> Vec<i64> {
        self.find(name)
            .map(|a| a.integers.clone())
            .unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.find(name).map(|a| a.texts.clone()).unwrap_or_default()
    }

    /// Numbers, as a list or as a tensor under the name with `_as_tensor`.
    pub(super) fn floats(&self, name: &str) -> Result<Vec<f64>> {
        if let Some(found) = self.find(name) {
            return Ok(found.floats.clone());
        }
        match self.tensor(&format!("{name}_as_tensor"))? {
            Some(tensor) => Ok(tensor.values()?.to_vec()),
            None => Ok(Vec::new()),
        }
    }

    pub(super) fn tensor(&self, name: &str) -> Result<Option<Tensor>> {
        let raw = self.find(name).and_then(|a| a.tensor.as_ref());
        raw.map(Tensor::stored).transpose()
    }

    /// Refuses an operator with a graph of its own within.
    pub(super) fn plain(&self) -> Result<()> {
        if self.0.attributes.iter().any(|a| a.graph) {
            return Err(unsupported("graphs within operators"));
        }
        Ok(())
    }
}
