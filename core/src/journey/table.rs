//! A journey as a table, for doors that speak Arrow: one row a link of the Sankey.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::answer::{JourneyAnswer, Link};
use super::node::Node;
use crate::error::{Error, Result};

impl JourneyAnswer {
    /// The links as one Arrow batch: `step`, `source`, `source_kind`, `target`, `target_kind`, `users`, `transitions`,
    /// `mean_seconds`. A kind is `node`, `other`, `start`, `end` or `truncated`; without the part `sankey` there is no row.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let links = self.sankey.as_ref().map_or(&[][..], |s| &s.links);
        let counts = |of: fn(&Link) -> u64| -> ArrayRef {
            let values = links.iter().map(|l| i64::try_from(of(l)).ok());
            Arc::new(values.collect::<Int64Array>())
        };
        let nodes = |of: fn(&Link) -> &Node, say: fn(&Node) -> &str| -> ArrayRef {
            let values = links.iter().map(|l| Some(say(of(l))));
            Arc::new(values.collect::<StringArray>())
        };
        let seconds: Float64Array = links.iter().map(|l| l.mean_seconds).collect();

        RecordBatch::try_from_iter_with_nullable([
            ("step", counts(|l| l.step as u64), false),
            ("source", nodes(|l| &l.source, Node::label), false),
            ("source_kind", nodes(|l| &l.source, |n| n.kind()), false),
            ("target", nodes(|l| &l.target, Node::label), false),
            ("target_kind", nodes(|l| &l.target, |n| n.kind()), false),
            ("users", counts(|l| l.users), false),
            ("transitions", counts(|l| l.transitions), false),
            ("mean_seconds", Arc::new(seconds) as ArrayRef, true),
        ])
        .map_err(Error::internal)
    }
}
