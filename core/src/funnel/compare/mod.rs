//! The groups of a funnel compared: each against the rest, over the whole funnel and at each step (S1).

mod answer;
mod chart;
mod people;
mod question;
mod tally;

pub use answer::{Compared, ComparedStep, Comparison, GroupName, UserGroup, compare};
pub use people::{ComparedCell, compared_people};
pub use question::{Between, Compare};
