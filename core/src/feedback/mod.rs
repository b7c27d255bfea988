//! What became of what was foretold. Forecasts and scores are kept under a name with what they knew; what came joins them, and tells
//! how good they were, whether the world has changed, and how wide their intervals should have been.
//!
//! The room computes on what it is given; it knows no store.

mod adapt;
mod answer;
mod drift;
mod given;
mod join;
mod question;
mod run;
mod score;

#[cfg(test)]
mod tests;

pub use adapt::{Adapted, adapted};
pub use answer::{FeedbackAnswer, FeedbackRows, answer};
pub use drift::{Advice, Drift, PageHinkley, Shifted};
pub use given::{actuals, predictions};
pub(crate) use given::{ds, foretold};
pub use join::{Joined, Point, join};
pub use question::Feedback;
pub use run::{Actual, Fan, GRID, Measure, Profile, Run, profile, scale};
pub use score::{Covered, Horizon, Probabilities, Scores};
