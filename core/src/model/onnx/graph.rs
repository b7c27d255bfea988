//! A graph of operators: what it takes and gives, and how it is run.

use std::collections::{BTreeSet, HashMap};

use super::super::boosted::outputs;
use super::super::frame::{Column, Frame};
use super::super::limit::{
    MOST_FEATURES, MOST_OPERATORS, malformed, too_large, unscorable, unsupported,
    unsupported_operator,
};
use super::super::schema::{Feature, Format, Kind as Values, Schema, Size, Task};
use super::attributes::Attributes;
use super::tensor::{Budget, Data, Kind, Tensor};
use super::wire::{self, Node};
use super::{ml, plain};
use crate::error::{Error, Result};

/// What an operator does to the tensors it is given.
pub(super) type Run = Box<dyn Fn(&Given<'_>, &mut Budget) -> Result<Vec<Tensor>> + Send + Sync>;

/// The tensors that an operator is given.
pub(super) struct Given<'a>(Vec<Option<&'a Tensor>>);

impl<'a> Given<'a> {
    /// One that must be there.
    pub(super) fn at(&self, i: usize) -> Result<&'a Tensor> {
        self.maybe(i)
            .ok_or_else(|| malformed("an operator lacks an input"))
    }

    /// One that may be absent.
    pub(super) fn maybe(&self, i: usize) -> Option<&'a Tensor> {
        self.0.get(i).copied().flatten()
    }

    /// All of them.
    pub(super) fn all(&self) -> Result<Vec<&'a Tensor>> {
        (0..self.0.len()).map(|i| self.at(i)).collect()
    }
}

/// An operator at work: from slots to slots.
struct Step {
    run: Run,
    from: Vec<Option<usize>>,
    to: Vec<Option<usize>>,
}

/// An input of the graph: so many features beside each other.
#[derive(Debug)]
struct Input {
    slot: usize,
    kind: Kind,
    width: usize,
    /// Whether it has a side for its features at all.
    flat: bool,
}

/// A graph that scores rows.
pub(in super::super) struct Graph {
    steps: Vec<Step>,
    inputs: Vec<Input>,
    outputs: Vec<usize>,
    constants: Vec<(usize, Tensor)>,
    slots: usize,
    /// The classes as the graph knows them.
    classes: Vec<String>,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph")
            .field("inputs", &self.inputs)
            .field("operators", &self.steps.len())
            .finish_non_exhaustive()
    }
}

/// The name of an operator with that of its domain.
fn full(node: &Node) -> String {
    match node.domain.as_str() {
        "" | "ai.onnx" => node.operator.clone(),
        domain => format!("{domain}.{}", node.operator),
    }
}

/// Reads a model. `given` features are named, which tells how wide an input is that does not say.
///
/// # Errors
/// `malformed_model`, `unsupported_model`, `unsupported_operator`, `too_large`.
pub(in super::super) fn read(bytes: &[u8], given: Option<usize>) -> Result<(Schema, Graph)> {
    let file = wire::file(bytes, MOST_OPERATORS)?;
    let graph = file.graph.ok_or_else(|| malformed("it has no graph"))?;
    if file.functions {
        return Err(unsupported("functions of its own"));
    }
    let version = |domain: &str| {
        let known = file.versions.iter().find(|(d, _)| d == domain);
        known.map_or(1, |(_, version)| *version)
    };
    let mut slots: HashMap<String, usize> = HashMap::new();
    let mut slot = |name: &str| {
        let next = slots.len();
        *slots.entry(name.to_owned()).or_insert(next)
    };
    let mut constants = Vec::new();
    let mut known: BTreeSet<usize> = BTreeSet::new();
    for raw in &graph.constants {
        let at = slot(&raw.name);
        known.insert(at);
        constants.push((at, Tensor::stored(raw)?));
    }
    let (features, inputs) = inputs(&graph, given, &mut |name| {
        let at = slot(name);
        known.insert(at).then_some(at)
    })?;
    let mut steps = Vec::new();
    let mut zipped: HashMap<usize, Vec<String>> = HashMap::new();
    for node in &graph.nodes {
        let attributes = Attributes(node);
        attributes.plain()?;
        let operator = full(node);
        let from: Vec<Option<usize>> = node
            .inputs
            .iter()
            .map(|name| (!name.is_empty()).then(|| slot(name)))
            .collect();
        if from.iter().flatten().any(|at| !known.contains(at)) {
            return Err(malformed(format!(
                "`{operator}` takes what nothing before it gives"
            )));
        }
        let to: Vec<Option<usize>> = node
            .outputs
            .iter()
            .map(|name| (!name.is_empty()).then(|| slot(name)))
            .collect();
        if to.iter().flatten().any(|at| !known.insert(*at)) {
            return Err(malformed(format!(
                "`{operator}` gives what is there already"
            )));
        }
        if operator == "Constant" {
            if let Some(Some(at)) = to.first() {
                constants.push((*at, plain::constant(&attributes)?));
            }
            continue;
        }
        let run = match node.domain.as_str() {
            "" | "ai.onnx" => plain::build(&node.operator, version(&node.domain), &attributes)?,
            "ai.onnx.ml" => ml::build(&node.operator, &attributes)?,
            _ => None,
        };
        let run = run.ok_or_else(|| unsupported_operator(&operator))?;
        if let ("ZipMap", Some(Some(at))) = (node.operator.as_str(), to.first()) {
            zipped.insert(*at, named(&ml::classes(&attributes)));
        }
        steps.push(Step { run, from, to });
    }
    let ends: Vec<(String, usize)> = graph
        .outputs
        .iter()
        .map(|o| (o.name.clone(), slot(&o.name)))
        .collect();
    if ends.is_empty() || ends.iter().any(|(_, at)| !known.contains(at)) {
        return Err(malformed("it has no output, or one that nothing gives"));
    }
    let (task, names, classes) = told(&graph, &ends, &zipped);
    let mut operators: Vec<String> = graph.nodes.iter().map(full).collect();
    operators.sort();
    operators.dedup();
    let mut schema = Schema {
        format: Format::Onnx,
        task,
        objective: operators.join(", "),
        features,
        outputs: names,
        classes: classes.clone(),
        size: Size {
            operators: graph.nodes.len(),
            ..Size::default()
        },
    };
    let run = Graph {
        steps,
        inputs,
        outputs: ends.into_iter().map(|(_, at)| at).collect(),
        constants,
        slots: slots.len(),
        classes,
    };
    run.probe(&mut schema);
    Ok((schema, run))
}

/// The features, and the inputs that they make up.
fn inputs(
    graph: &wire::Graph,
    given: Option<usize>,
    slot: &mut dyn FnMut(&str) -> Option<usize>,
) -> Result<(Vec<Feature>, Vec<Input>)> {
    let mut inputs = Vec::new();
    let mut features = Vec::new();
    let open = |shape: &[i64]| matches!(shape, [_, side, ..] if *side < 0);
    // Older files list their constants among the inputs.
    let constant = |name: &str| graph.constants.iter().any(|c| c.name == name);
    let own: Vec<&wire::Value> = graph.inputs.iter().filter(|i| !constant(&i.name)).collect();
    for input in &own {
        let kind = input
            .kind
            .ok_or_else(|| unsupported("an input that is no tensor"))?;
        let kind = Kind::of(kind)?;
        let width = match input.shape.as_slice() {
            [] | [_] => 1,
            shape if open(shape) && own.len() == 1 => given.ok_or_else(|| {
                Error::field(
                    "features",
                    "required",
                    "must name the features, since the file does not say how many there are",
                )
            })?,
            [_, side] if *side > 0 => *side as usize,
            _ => return Err(unsupported("an input that is no table of known width")),
        };
        if width > MOST_FEATURES || features.len() > MOST_FEATURES {
            return Err(too_large(format!(
                "it has more than {MOST_FEATURES} features"
            )));
        }
        let slot = slot(&input.name).ok_or_else(|| malformed("two inputs have one name"))?;
        for i in 0..width {
            let name = match width {
                1 => input.name.clone(),
                _ => format!("{}_{i}", input.name),
            };
            features.push(Feature {
                name,
                kind: if kind == Kind::Text {
                    Values::Text
                } else {
                    Values::Number
                },
                categories: None,
            });
        }
        let flat = input.shape.len() == 1;
        inputs.push(Input {
            slot,
            kind,
            width,
            flat,
        });
    }
    if features.is_empty() {
        return Err(malformed("it has no input"));
    }
    Ok((features, inputs))
}

fn named(data: &Data) -> Vec<String> {
    match data {
        Data::Numbers(values) => values.iter().map(f64::to_string).collect(),
        Data::Texts(values) => values.iter().map(|t| t.to_string()).collect(),
    }
}

/// What a graph foretells: the task, the names of its columns, and the classes.
fn told(
    graph: &wire::Graph,
    ends: &[(String, usize)],
    zipped: &HashMap<usize, Vec<String>>,
) -> (Task, Vec<String>, Vec<String>) {
    let shape = |i: usize| graph.outputs.get(i).map(|o| (o.kind, o.shape.as_slice()));
    // Labels are whole numbers or texts, one a row.
    let labels = |i: usize| matches!(shape(i), Some((Some(6..=8), [] | [_] | [_, 1])));
    match ends {
        [_, (_, second)] if labels(0) => {
            let single = || {
                let kinds = ["TreeEnsembleClassifier", "LinearClassifier"];
                let mut found = graph
                    .nodes
                    .iter()
                    .filter(|n| kinds.contains(&n.operator.as_str()));
                let node = found.next().filter(|_| found.next().is_none())?;
                let own = named(&ml::classes(&Attributes(node)));
                (!own.is_empty()).then_some(own)
            };
            let wide = match shape(1) {
                Some((_, [_, side])) => usize::try_from(*side).ok().filter(|n| *n <= MOST_FEATURES),
                _ => None,
            };
            let counted = || wide.map(|n| (0..n).map(|i| i.to_string()).collect::<Vec<_>>());
            let classes = zipped.get(second).cloned().or_else(single).or_else(counted);
            let classes = classes.unwrap_or_default();
            (
                Task::Classification,
                outputs(Task::Classification, 1, &classes),
                classes,
            )
        }
        [_] if labels(0) => (Task::Classification, vec!["label".to_owned()], Vec::new()),
        [_] => {
            let wide = match shape(0) {
                Some((_, [_, side])) => usize::try_from(*side)
                    .ok()
                    .filter(|n| (1..=MOST_FEATURES).contains(n)),
                _ => None,
            };
            (
                Task::Regression,
                outputs(Task::Regression, wide.unwrap_or(1), &[]),
                Vec::new(),
            )
        }
        many => {
            let names = many.iter().map(|(name, _)| name.clone()).collect();
            (Task::Transformation, names, Vec::new())
        }
    }
}

impl Graph {
    /// Scores rows, given as columns in the order of the features.
    pub(in super::super) fn score(&self, schema: &Schema, features: &[&Column]) -> Result<Frame> {
        let rows = features.first().map_or(0, |c| c.len());
        let ends = self.run(features)?;
        self.columns(schema, &ends, rows)
    }

    /// What the outputs are for rows.
    fn run(&self, features: &[&Column]) -> Result<Vec<Tensor>> {
        let rows = features.first().map_or(0, |c| c.len());
        let mut slots: Vec<Option<Tensor>> = vec![None; self.slots];
        let mut budget = Budget::new();
        let mut rest = features;
        for input in &self.inputs {
            let (own, others) = rest.split_at_checked(input.width).unwrap_or((rest, &[]));
            rest = others;
            put(&mut slots, Some(input.slot), input.filled(own, rows)?);
        }
        let constants: HashMap<usize, &Tensor> = self
            .constants
            .iter()
            .map(|(at, tensor)| (*at, tensor))
            .collect();
        for step in &self.steps {
            let find = |at: &Option<usize>| {
                let at = (*at)?;
                constants
                    .get(&at)
                    .copied()
                    .or_else(|| slots.get(at)?.as_ref())
            };
            let made = (step.run)(&Given(step.from.iter().map(find).collect()), &mut budget)?;
            for (to, tensor) in step.to.iter().zip(made) {
                budget.values(tensor.len())?;
                put(&mut slots, *to, tensor);
            }
        }
        let mut end = |at: &usize| match constants.get(at) {
            Some(constant) => Ok((*constant).clone()),
            None => {
                let made = slots.get_mut(*at).and_then(Option::take);
                made.ok_or_else(|| malformed("an output is never made"))
            }
        };
        self.outputs.iter().map(&mut end).collect()
    }

    /// Runs a few made-up rows, since what files say of their outputs is at times wrong: how many columns there are, and whether
    /// those of classes are probabilities. Where the rows cannot be scored, the file is believed.
    fn probe(&self, schema: &mut Schema) {
        const ROWS: [f64; 4] = [0.0, 1.0, -2.0, 7.0];
        let made_up: Vec<Column> = schema
            .features
            .iter()
            .map(|feature| match feature.kind {
                Values::Number => Column::Numbers(ROWS.to_vec()),
                Values::Text => Column::Texts(vec![None; ROWS.len()]),
            })
            .collect();
        let columns: Vec<&Column> = made_up.iter().collect();
        let Ok(ends) = self.run(&columns) else {
            return;
        };
        let width = |tensor: &Tensor| tensor.len() / ROWS.len();
        match (schema.task, ends.as_slice()) {
            (Task::Classification, [_, scores]) => {
                let n = width(scores);
                let share = |row: &[f64]| {
                    let sum: f64 = row.iter().sum();
                    (sum - 1.0).abs() < 1e-3 && row.iter().all(|p| (-1e-6..=1.0 + 1e-6).contains(p))
                };
                let shares = n > 1 && scores.values().is_ok_and(|v| v.chunks(n.max(1)).all(share));
                if shares && n == schema.classes.len() {
                    return;
                }
                let label = std::iter::once("label".to_owned());
                let names: Vec<String> = if n == 1 {
                    vec!["score".to_owned()]
                } else if n == schema.classes.len() {
                    schema
                        .classes
                        .iter()
                        .map(|class| format!("score_{class}"))
                        .collect()
                } else {
                    (0..n.min(MOST_FEATURES))
                        .map(|i| format!("score_{i}"))
                        .collect()
                };
                schema.outputs = label.chain(names).collect();
            }
            (Task::Regression, [one]) => {
                schema.outputs = outputs(Task::Regression, width(one).clamp(1, MOST_FEATURES), &[]);
            }
            _ => {}
        }
    }

    /// Tensors as the columns that the schema names.
    fn columns(&self, schema: &Schema, ends: &[Tensor], rows: usize) -> Result<Frame> {
        let mut columns: Vec<Column> = Vec::new();
        for (i, tensor) in ends.iter().enumerate() {
            let width = tensor.len().checked_div(rows).unwrap_or(1);
            if tensor.len() != rows * width {
                return Err(unscorable("the model does not give one result a row"));
            }
            if schema.task == Task::Classification && i == 0 {
                columns.push(Column::Texts(self.labels(schema, tensor)));
                continue;
            }
            if schema.task == Task::Transformation && width != 1 {
                return Err(unsupported("several outputs of more than one column"));
            }
            match &tensor.data {
                Data::Texts(texts) => {
                    columns.push(Column::Texts(
                        texts.iter().map(|t| Some(t.to_string())).collect(),
                    ));
                }
                Data::Numbers(values) => columns.extend((0..width).map(|column| {
                    let own = values.iter().skip(column).step_by(width.max(1));
                    Column::Numbers(own.copied().collect())
                })),
            }
        }
        if columns.len() != schema.outputs.len() {
            return Err(unscorable(format!(
                "the model gives {} columns, but names {}",
                columns.len(),
                schema.outputs.len()
            )));
        }
        Ok(Frame {
            columns: schema.outputs.iter().cloned().zip(columns).collect(),
        })
    }

    fn labels(&self, schema: &Schema, tensor: &Tensor) -> Vec<Option<String>> {
        let shown = |label: String| {
            let place = self.classes.iter().position(|c| *c == label);
            let renamed = place.and_then(|i| schema.classes.get(i).cloned());
            Some(renamed.unwrap_or(label))
        };
        named(&tensor.data).into_iter().map(shown).collect()
    }
}

impl Input {
    /// Columns as the tensor that the graph takes.
    fn filled(&self, columns: &[&Column], rows: usize) -> Result<Tensor> {
        let shape = if self.flat {
            vec![rows]
        } else {
            vec![rows, self.width]
        };
        let wrong =
            || unscorable("a column is of texts where numbers belong, or the other way round");
        if self.kind == Kind::Text {
            let text = |column: &&Column, row: usize| match column {
                Column::Texts(texts) => Ok(texts.get(row).cloned().flatten().unwrap_or_default()),
                Column::Numbers(_) => Err(wrong()),
            };
            let each = (0..rows).flat_map(|row| columns.iter().map(move |c| text(c, row)));
            let texts = each
                .map(|t| t.map(std::sync::Arc::from))
                .collect::<Result<_>>()?;
            return Ok(Tensor::texts(shape, texts));
        }
        let mut values = Vec::with_capacity(rows * columns.len());
        for row in 0..rows {
            for column in columns {
                values.push(match column {
                    Column::Numbers(numbers) => numbers.get(row).copied().unwrap_or(f64::NAN),
                    Column::Texts(texts) if texts.iter().all(Option::is_none) => f64::NAN,
                    Column::Texts(_) => return Err(wrong()),
                });
            }
        }
        if self.kind == Kind::Integer && values.iter().any(|v| v.fract() != 0.0) {
            return Err(unscorable(
                "a feature of whole numbers has another value, or none",
            ));
        }
        let truth = self.kind == Kind::Truth;
        let values = values.into_iter().map(|v| {
            if truth {
                f64::from(u8::from(v != 0.0))
            } else {
                v
            }
        });
        Ok(Tensor::numbers(self.kind, shape, values.collect()))
    }
}

fn put(slots: &mut [Option<Tensor>], at: Option<usize>, tensor: Tensor) {
    if let Some(slot) = at.and_then(|at| slots.get_mut(at)) {
        *slot = Some(tensor);
    }
}
