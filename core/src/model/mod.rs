//! Models trained elsewhere, scored in process: XGBoost, LightGBM, and ONNX as scikit-learn's models are exported.
//!
//! A [`Model`] is read from the bytes of a file, within limits, and scores rows as its library would. It knows no store.

mod boosted;
mod forest;
mod frame;
mod lightgbm;
mod limit;
mod onnx;
mod question;
mod registered;
mod schema;
mod ubjson;
mod xgboost;

#[cfg(test)]
mod tests;

pub use frame::{Column, Frame};
pub use limit::{MOST_BYTES, MOST_FEATURES, MOST_OPERATORS, MOST_TREE_NODES};
pub(crate) use question::told;
pub use question::{MOST_ROWS, Score, ScoreAnswer};
pub use registered::{ModelList, Reference, Registered, Registration};
pub use schema::{Categories, Feature, Format, Kind, Schema, Size, Task};

use rayon::prelude::*;

use self::boosted::Boosted;
use self::limit::{too_large, unscorable};
use self::onnx::Graph;
use crate::error::{Error, Result};

/// A model that can score rows.
#[derive(Debug)]
pub struct Model {
    schema: Schema,
    program: Program,
}

#[derive(Debug)]
enum Program {
    Trees(Boosted),
    Graph(Graph),
}

/// So many rows are scored at once.
const BATCH: usize = 256;

impl Model {
    /// Reads a model; which format it has, its bytes tell where nobody does. `names` name the features where the file does not,
    /// or otherwise; `classes` the classes, in the order in which the model knows them.
    ///
    /// # Errors
    /// `validation_failed` for the field `file`: `too_large`, `malformed_model`, `unsupported_model`, `unsupported_operator`; for
    /// `features` or `classes`: `different_length`, `duplicate`.
    pub fn read(
        bytes: &[u8],
        format: Option<Format>,
        names: Option<&[String]>,
        classes: Option<&[String]>,
    ) -> Result<Self> {
        if bytes.len() > MOST_BYTES {
            let most = MOST_BYTES >> 20;
            return Err(too_large(format!("the file has more than {most} MiB")));
        }
        let (schema, program) = match format.unwrap_or_else(|| sniff(bytes)) {
            Format::Xgboost => {
                let (schema, trees) = xgboost::read(bytes)?;
                (schema, Program::Trees(trees))
            }
            Format::Lightgbm => {
                let (schema, trees) = lightgbm::read(bytes)?;
                (schema, Program::Trees(trees))
            }
            Format::Onnx => {
                let (schema, graph) = onnx::read(bytes, names.map(<[String]>::len))?;
                (schema, Program::Graph(graph))
            }
        };
        let mut model = Self { schema, program };
        model.rename(names, classes)?;
        Ok(model)
    }

    fn rename(&mut self, names: Option<&[String]>, classes: Option<&[String]>) -> Result<()> {
        let schema = &mut self.schema;
        if let Some(names) = names {
            if names.len() != schema.features.len() {
                let message = format!("must be {} names", schema.features.len());
                return Err(Error::field("features", "different_length", message));
            }
            for (feature, name) in schema.features.iter_mut().zip(names) {
                feature.name.clone_from(name);
            }
        }
        if let Some(classes) = classes {
            if classes.len() != schema.classes.len() {
                let message = format!("must be {} names", schema.classes.len());
                return Err(Error::field("classes", "different_length", message));
            }
            for (old, new) in schema.classes.iter().zip(classes) {
                for kind in ["probability", "score"] {
                    let own = format!("{kind}_{old}");
                    // Renamed ones are marked, so that none is renamed twice.
                    if let Some(output) = schema.outputs.iter_mut().find(|o| **o == own) {
                        *output = format!("\0{kind}_{new}");
                    }
                }
            }
            for output in &mut schema.outputs {
                *output = output.trim_start_matches('\0').to_owned();
            }
            schema.classes = classes.to_vec();
        }
        if let Some(twice) = twice(schema.features.iter().map(|f| &f.name)) {
            let message = format!("`{twice}` names two features; give all of them names");
            return Err(Error::field("features", "duplicate", message));
        }
        if let Some(twice) = twice(schema.classes.iter()) {
            let message = format!("`{twice}` names two classes");
            return Err(Error::field("classes", "duplicate", message));
        }
        Ok(())
    }

    /// What it takes and gives.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What it says of rows, row by row. Columns that are no feature are left alone. `go_on` is asked before every batch of rows.
    ///
    /// # Errors
    /// `validation_failed` naming every feature that the rows lack; `unscorable_rows` for texts where numbers belong, and for
    /// values that the model refuses; what `go_on` raises.
    pub fn score(&self, rows: &Frame, go_on: &(dyn Fn() -> Result<()> + Sync)) -> Result<Frame> {
        let features = self.chosen(rows)?;
        let count = rows.rows();
        let batches: Vec<usize> = (0..count).step_by(BATCH).collect();
        let scored: Vec<Frame> = batches
            .into_par_iter()
            .map(|from| {
                go_on()?;
                let to = from.saturating_add(BATCH).min(count);
                let part: Vec<Column> = features.iter().map(|c| slice(c, from, to)).collect();
                let part: Vec<&Column> = part.iter().collect();
                match &self.program {
                    Program::Trees(trees) => trees.score(&self.schema, &part),
                    Program::Graph(graph) => graph.score(&self.schema, &part),
                }
            })
            .collect::<Result<_>>()?;
        Ok(join(&self.schema.outputs, scored))
    }

    /// The columns of the features, in their order.
    fn chosen<'a>(&self, rows: &'a Frame) -> Result<Vec<&'a Column>> {
        let mut faults = Vec::new();
        let mut found = Vec::with_capacity(self.schema.features.len());
        for feature in &self.schema.features {
            match rows.column(&feature.name) {
                Some(column) => found.push(column),
                None => faults.push(crate::error::FieldError {
                    field: format!("rows.{}", feature.name),
                    code: "required",
                    message: "is a feature of the model".to_owned(),
                }),
            }
        }
        if !faults.is_empty() {
            return Err(Error::fields(faults));
        }
        let count = rows.rows();
        if rows.columns.iter().any(|(_, column)| column.len() != count) {
            return Err(unscorable("the columns are not of one length"));
        }
        Ok(found)
    }
}

/// A name that is there twice.
fn twice<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = std::collections::HashSet::new();
    names.find(|name| !seen.insert(name.as_str()))
}

/// Which format bytes have.
fn sniff(bytes: &[u8]) -> Format {
    match bytes.trim_ascii_start().first() {
        Some(b'{') => Format::Xgboost,
        _ if bytes.starts_with(b"tree\n") || bytes.starts_with(b"tree\r") => Format::Lightgbm,
        _ => Format::Onnx,
    }
}

fn slice(column: &Column, from: usize, to: usize) -> Column {
    match column {
        Column::Numbers(values) => {
            Column::Numbers(values.get(from..to).unwrap_or_default().to_vec())
        }
        Column::Texts(values) => Column::Texts(values.get(from..to).unwrap_or_default().to_vec()),
    }
}

/// Batches one after the other.
fn join(outputs: &[String], batches: Vec<Frame>) -> Frame {
    let mut joined = Frame::default();
    for batch in batches {
        if joined.columns.is_empty() {
            joined = batch;
            continue;
        }
        for ((_, all), (_, more)) in joined.columns.iter_mut().zip(batch.columns) {
            match (all, more) {
                (Column::Numbers(all), Column::Numbers(more)) => all.extend(more),
                (Column::Texts(all), Column::Texts(more)) => all.extend(more),
                _ => {}
            }
        }
    }
    if joined.columns.is_empty() {
        let empty = |name: &String| (name.clone(), Column::Numbers(Vec::new()));
        joined.columns = outputs.iter().map(empty).collect();
    }
    joined
}
