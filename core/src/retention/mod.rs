//! Who comes back: retention tables by calendar cohort (R1–R11), and who is in each of their cells (D1).

mod answer;
mod chart;
mod clock;
mod columns;
mod kernel;
mod measure;
mod options;
mod parse;
mod people;
mod plain;
mod question;
mod register;
mod table;
#[cfg(test)]
mod tests;
mod user;

pub use answer::{Cell, Cohort, Group, Groups, PeriodAverage, RetentionAnswer, Switches, answer};
pub use options::{
    Breakdown, ClockStart, CohortPeriod, Criterion, Maturity, Metric, Mode, Pooling, Unit,
};
pub use people::{Place, Who, people};
pub use question::Retention;
