//! The words of a question, as plain types: instants, zones, calendars, ranges, selectors, rates.
//!
//! Nothing here touches a store, a clock or the environment.

pub mod answer;
pub mod calendar;
pub mod condition;
pub mod contrast;
pub(crate) mod fields;
pub mod filter;
pub mod instant;
pub mod money;
pub(crate) mod number;
mod order;
pub mod preset;
pub mod quantiles;
pub mod range;
pub mod rate;
pub mod sample;
pub mod segment;
pub mod selector;
pub(crate) mod survival;
pub mod window;
pub mod zone;

pub use calendar::{Calendar, Period, WeekStart};
pub use condition::Condition;
pub use contrast::Contrast;
pub use filter::{Filter, Property};
pub use instant::Instant;
pub use money::Money;
pub use preset::Preset;
pub use quantiles::Quantiles;
pub use range::{Bound, Range, Span};
pub use rate::Rate;
pub use sample::{Estimate, Sample};
pub use segment::Segment;
pub use selector::Selector;
pub use window::Window;
pub use zone::Zone;
