//! Journeys as a picture.

use super::answer::{JourneyAnswer, Sankey};
use super::node::Node;
use super::options::{StepsFrom, Unit};
use crate::chart::{self, Chart, Flow, Heading, Node as Place, exact};

impl JourneyAnswer {
    /// The paths step by step, those that end as what goes nowhere; nothing where they were not asked for.
    pub fn chart(&self) -> Option<Chart> {
        let sankey = self.sankey.as_ref()?;
        let ends = |node: &Node| matches!(node, Node::Start | Node::End | Node::Truncated);
        // Where steps are counted backwards, time still flows from left to right.
        let backwards = self.switches.steps_from == StepsFrom::Last;
        let last = sankey.columns.len().saturating_sub(1);
        let column = |i: usize| if backwards { last - i } else { i };
        let mut places: Vec<(usize, &Node)> = Vec::new();
        let mut nodes = Vec::new();
        for (i, step) in sankey.columns.iter().enumerate() {
            for node in step.nodes.iter().filter(|n| !ends(&n.node)) {
                places.push((step.step, &node.node));
                nodes.push(Place {
                    label: node.node.label().to_owned(),
                    column: column(i),
                    count: node.paths,
                    other: node.node == Node::Other,
                });
            }
        }
        let place = |step: usize, node: &Node| {
            let found = |(known, of): &(usize, &Node)| *known == step && *of == node;
            places.iter().position(found)
        };
        let flows = sankey.links.iter().filter_map(|link| {
            let next = target(sankey, link.step, &link.target, backwards)?;
            Some(Flow {
                from: place(link.step, &link.source)?,
                to: place(next, &link.target)?,
                count: link.transitions,
            })
        });
        Some(Chart::Sankey(chart::Sankey {
            heading: self.heading(),
            counted: match self.switches.unit {
                Unit::Sessions => "sessions".to_owned(),
                _ => "paths".to_owned(),
            },
            flows: flows.collect(),
            nodes,
        }))
    }

    fn heading(&self) -> Heading {
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let (paths, users) = (exact(self.paths as f64), exact(self.users as f64));
        Heading {
            title: "Ways users take".to_owned(),
            subtitle: format!("{range}. {paths} paths of {users} users."),
            description: format!("Paths step by step, {range}: {paths} paths of {users} users."),
            notes: Vec::new(),
        }
    }
}

/// The step after one in the order of time, where it has this node.
fn target(sankey: &Sankey, step: usize, node: &Node, backwards: bool) -> Option<usize> {
    let next = if backwards {
        step.checked_sub(1)?
    } else {
        step + 1
    };
    let column = sankey.columns.iter().find(|c| c.step == next)?;
    column.nodes.iter().any(|n| n.node == *node).then_some(next)
}
