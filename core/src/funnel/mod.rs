//! How many users go through a series of steps, and where they drop off (F1–F16).

mod answer;
mod anyorder;
mod breakdown;
mod chart;
mod compare;
mod counts;
mod dropoff;
mod fast;
mod faults;
mod gaps;
mod options;
mod ordered;
mod outcome;
mod overlap;
mod parse;
mod people;
mod plan;
mod question;
mod run;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod times;

pub use answer::{
    FunnelAnswer, FunnelStep, Group, GroupKind, GroupStep, Groups, Matured, Revenue, Switches,
    TimeToConvert, Trend, TrendBucket, Users, Warning, answer,
};
pub use compare::{
    Between, Compare, Compared, ComparedCell, ComparedStep, Comparison, GroupName, UserGroup,
    compare, compared_people,
};
pub use dropoff::{
    Conversion, DropOff, DropOffAnswer, DropOffCell, DropOffStep, DropOffWho, Factor, Factors,
    Left, Next, PropertiesAt, Side, What, drop_off, drop_off_people,
};
pub use options::{
    Attribution, Breakdown, Entries, Entry, Exclusion, ExclusionMode, Order, Selects, Step, Timed,
    Totals, Unit, Universe,
};
pub use people::{Cell, Who, people};
pub use question::Funnel;
pub use times::Bin;
