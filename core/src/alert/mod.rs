//! Who is told when something is not as it should be: rules, when they are due, what they find, and the one notification that an
//! incident is worth.
//!
//! Nothing here asks a question or looks at a clock: the handle does, and hands over what it read.

mod answer;
mod channel;
mod condition;
mod machine;
mod message;
mod parse;
mod retry;
mod rule;
mod schedule;
mod summary;
#[cfg(test)]
mod tests;

pub use answer::{Alert, AlertEvent, AlertList, Evaluated};
pub use channel::Channel;
pub use condition::{Against, Condition, Reading, Unusual, Verdict};
pub use machine::{Blind, Incident, Notice, Phase, Policy, Sight, State, Step, step};
pub use message::{Alarm, Message, grouped};
pub(crate) use parse::silence;
pub use retry::{ATTEMPTS, LEASE, after};
pub use rule::{Importance, Patch, Rule, Source, System};
pub use schedule::{Maintenance, Schedule};
