//! Which features users take up, how soon and how many of them (L3), and who is behind each number (D1).

mod answer;
mod chart;
mod people;
mod plan;
mod question;
mod table;
mod tally;

pub use answer::{
    AdoptionAnswer, Breadth, BreadthCell, BreadthRow, FeatureAdoption, FirstUses, Matured, answer,
};
pub use people::{Cell, Who, people};
pub use question::{Adoption, Feature};
