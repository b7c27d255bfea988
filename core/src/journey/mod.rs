//! Which ways users take: paths, the graph of transitions, what comes before and after an event, and where paths end (P1, P2).

mod answer;
mod cells;
mod chart;
mod detail;
mod faults;
mod next;
mod node;
mod options;
mod parse;
mod people;
mod plain;
mod plan;
mod question;
mod report;
mod table;
mod tally;
mod walk;

pub use answer::{
    Around, Column, JourneyAnswer, Likely, Link, Loop, Loops, Matrix, MatrixRow, Neighbour,
    NodeCount, Nodes, Others, Sankey, Sequence, Sequences, StepNode, Switches, Transition,
    Transitions,
};
pub use node::Node;
pub use options::{CollapsedAt, Occurrence, Part, Preset, Rename, StepsFrom, Unit};
pub use people::{Who, people};
pub use question::Journey;
pub use report::answer;
