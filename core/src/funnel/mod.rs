//! How many users go through a series of steps, and where they drop off (F1–F5, F13).

mod answer;
mod kernel;
mod overlap;
mod question;
mod table;

pub use answer::{FunnelAnswer, FunnelStep, Matured, Switches, TimeToConvert, answer};
pub use question::Funnel;
