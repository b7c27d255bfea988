//! A journey made ready for the pass: which events are nodes, which anchor a path, and the small numbers that stand for nodes.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, codes below the number of values"
)]

use std::collections::BTreeSet;

use serde_json::Value;

use super::node::Node;
use super::options::{CollapsedAt, Part, Unit};
use super::question::Journey;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Condition;
use crate::timeline::column::Reader;
use crate::timeline::{Meaning, Members, Timeline, View};

/// An event that is no node.
pub(super) const NONE: u16 = u16::MAX;

/// The most nodes; the reserved ones come after them.
const MAX_NODES: usize = u16::MAX as usize - 8;

/// How events become nodes.
#[derive(Debug)]
enum Nodes<'a> {
    /// By name key.
    Name(Vec<u16>),
    /// By the code of a property's value.
    Value(Reader<'a>, Vec<u16>),
}

/// A journey made ready for the pass.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) question: &'a Journey,
    pub(super) members: Members<'a>,
    /// One bit for each part of the answer that is asked for.
    parts: u8,
    pub(super) from: i64,
    pub(super) to: i64,
    /// The longest pause of a session; none where a unit is a user.
    pub(super) timeout: Option<i64>,
    pub(super) collapse: bool,
    /// Whether a collapsed node stands at the time of its last event.
    pub(super) at_last: bool,
    pub(super) anchor: Option<Meaning>,
    pub(super) around: Option<Meaning>,
    nodes: Nodes<'a>,
    /// What decides by row which events are nodes, where their names do not.
    filters: Option<Meaning>,
    include: Vec<Meaning>,
    exclude: Vec<Meaning>,
    /// The names of nodes in their order; a node's number is its place.
    texts: Vec<String>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(question: &'a Journey, view: &View<'a>) -> Result<Self> {
        let span = question.range.span();
        let meanings = |of: &[Condition]| -> Result<Vec<Meaning>> {
            of.iter().map(|c| view.meaning(c)).collect()
        };
        let meaning = |of: Option<&Condition>| of.map(|c| view.meaning(c)).transpose();
        let mut include = meanings(&question.include)?;
        let mut exclude = meanings(&question.exclude)?;
        let names = view.timelines.names();
        let renamed = |text: String| {
            let found = question.rename.iter().find(|r| r.matches(&text));
            found.map_or(text, |r| r.name.clone())
        };
        let (mut nodes, texts) = match &question.node_by {
            None => {
                let texts: Vec<String> = names.iter().map(|n| renamed(n.clone())).collect();
                let (numbers, texts) = numbered(&texts)?;
                (Nodes::Name(numbers), texts)
            }
            Some(property) => {
                let reader = view.columns.reader(property, view.as_of.micros())?;
                let values = reader.dictionary().values().iter();
                let texts: Vec<String> = values.map(|json| renamed(text(json))).collect();
                let (numbers, texts) = numbered(&texts)?;
                (Nodes::Value(reader, numbers), texts)
            }
        };
        // Where names alone decide, they are decided once.
        let by_name = |m: &Meaning| m.rows.is_none();
        if let Nodes::Name(numbers) = &mut nodes
            && include.iter().chain(&exclude).all(by_name)
        {
            let means = |m: &Meaning, name: usize| m.names.as_ref().is_none_or(|n| n[name]);
            for (name, number) in numbers.iter_mut().enumerate() {
                let taken = include.is_empty() || include.iter().any(|m| means(m, name));
                if !taken || exclude.iter().any(|m| means(m, name)) {
                    *number = NONE;
                }
            }
            include.clear();
            exclude.clear();
        }
        Ok(Self {
            question,
            members: Members::new(question.segment, span, view),
            parts: question
                .parts
                .iter()
                .fold(0, |bits, part| bits | 1 << *part as u8),
            from: span.from.micros(),
            to: span.to.micros(),
            timeout: (question.unit == Unit::Sessions).then(|| question.session_timeout.micros()),
            collapse: question.collapse,
            at_last: question.collapsed_at == CollapsedAt::Last,
            anchor: meaning(question.anchor())?,
            around: meaning(question.around.as_ref())?,
            nodes,
            filters: view.rows(&question.filters)?.map(|rows| Meaning {
                names: None,
                rows: Some(rows),
            }),
            include,
            exclude,
            texts,
        })
    }

    /// Whether a part of the answer is asked for.
    #[inline]
    pub(super) fn wants(&self, part: Part) -> bool {
        self.parts >> part as u8 & 1 == 1
    }

    /// Whether no other part is asked for.
    pub(super) fn wants_only(&self, part: Part) -> bool {
        self.parts == 1 << part as u8
    }

    /// The node that the i-th event is, or `NONE`.
    #[inline]
    pub(super) fn node_of(&self, timeline: &Timeline<'_>, i: usize) -> u16 {
        let (name, row) = (timeline.name[i], timeline.row[i]);
        let holds = |m: &Meaning| m.holds(name, row);
        if !self.filters.as_ref().is_none_or(holds)
            || !(self.include.is_empty() || self.include.iter().any(holds))
            || self.exclude.iter().any(holds)
        {
            return NONE;
        }
        match &self.nodes {
            Nodes::Name(numbers) => numbers[usize::from(name)],
            Nodes::Value(reader, numbers) => reader
                .code(timeline.user, timeline.ts[i], row)
                .map_or(NONE, |code| numbers[code as usize]),
        }
    }

    /// For each name key the node, where names alone decide.
    pub(super) fn nodes_of_names(&self) -> Option<&[u16]> {
        match &self.nodes {
            Nodes::Name(numbers)
                if self.filters.is_none() && self.include.is_empty() && self.exclude.is_empty() =>
            {
                Some(numbers)
            }
            _ => None,
        }
    }

    /// How many nodes there are that are not reserved.
    pub(super) fn named(&self) -> u16 {
        self.texts.len() as u16
    }

    pub(super) fn other(&self) -> u16 {
        self.named()
    }

    pub(super) fn start(&self) -> u16 {
        self.named() + 1
    }

    pub(super) fn end(&self) -> u16 {
        self.named() + 2
    }

    pub(super) fn truncated(&self) -> u16 {
        self.named() + 3
    }

    /// One more than the largest number of a node.
    pub(super) fn width(&self) -> usize {
        self.texts.len() + 4
    }

    /// The node of a number.
    pub(super) fn node(&self, number: u16) -> Node {
        match self.texts.get(usize::from(number)) {
            Some(text) => Node::Named(text.clone()),
            None if number == self.start() => Node::Start,
            None if number == self.end() => Node::End,
            None if number == self.truncated() => Node::Truncated,
            None => Node::Other,
        }
    }

    /// The number of a node; none where there is no such node.
    pub(super) fn number(&self, node: &Node) -> Option<u16> {
        match node {
            Node::Named(name) => self.texts.binary_search(name).ok().map(|n| n as u16),
            Node::Other => Some(self.other()),
            Node::Start => Some(self.start()),
            Node::End => Some(self.end()),
            Node::Truncated => Some(self.truncated()),
        }
    }
}

/// A number for each text, equal for equal ones and in their order, and the texts by number.
fn numbered(of: &[String]) -> Result<(Vec<u16>, Vec<String>)> {
    let texts: BTreeSet<&String> = of.iter().collect();
    let texts: Vec<String> = texts.into_iter().cloned().collect();
    if texts.len() > MAX_NODES {
        return Err(Error::new(
            ErrorKind::Limit,
            "too_many_nodes",
            format!(
                "there are {} different nodes, more than {MAX_NODES}; `rename` can take many for one",
                texts.len()
            ),
        ));
    }
    let number = |text| texts.binary_search(text).map_or(NONE, |n| n as u16);
    Ok((of.iter().map(number).collect(), texts))
}

/// The name of a value: text as it is, anything else as JSON.
fn text(json: &str) -> String {
    match serde_json::from_str(json) {
        Ok(Value::String(text)) => text,
        _ => json.to_owned(),
    }
}
