//! Where a funnel loses its units, what those did next, and what separates them from those who went on.
//!
//! It lives inside the funnel because it is the funnel's own pass over its own plan, with another sink.

mod answer;
mod chart;
mod people;
mod probe;
mod question;
mod tally;

pub use answer::{
    Conversion, DropOffAnswer, DropOffStep, Factor, Factors, Left, Next, What, drop_off,
};
pub use people::{DropOffCell, DropOffWho, Side, drop_off_people};
pub use question::{DropOff, PropertiesAt};
