//! Bookings by the day of service (M2): how many are on the books, how early they came, how long they stay, and who made them.

mod answer;
mod chart;
mod ledger;
mod question;
mod table;

pub use answer::{Figures, OnTheBooks, PickupAnswer, PickupPeriod, Users, answer, people};
pub use question::{Cell, Pickup, Which};
