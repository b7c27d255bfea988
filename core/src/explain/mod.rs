//! Why two questions have different answers (G4): the switches that differ, what each does alone, and the users that differ.
//!
//! It knows the names and rules of switches, and compares what it is given; the handle asks the words.

mod answer;
mod chart;
mod question;
mod rules;
mod table;

pub(crate) use answer::{Counted, changed, explain};
pub use answer::{Explanation, Side, SwitchDifference, Users};
pub use question::{DifferenceCell, ExplainDifference, Which};
pub(crate) use rules::{FUNNEL, RETENTION};
pub use rules::{Rule, rules};
