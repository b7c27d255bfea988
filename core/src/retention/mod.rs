//! Who comes back: retention tables by calendar cohort (R1–R4, R6 `on`, R7–R9).

mod answer;
mod kernel;
mod plain;
mod question;
mod table;

pub use answer::{Cell, Cohort, PeriodAverage, RetentionAnswer, answer};
pub use question::{Mode, Retention};
