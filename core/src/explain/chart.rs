//! Why two answers differ, as a picture.

use super::answer::{Explanation, SwitchDifference};
use crate::chart::{Bar, BarChart, Chart, Heading, Unit, exact};

impl Explanation {
    /// How many users the first question counts, what each switch of the second makes of it alone, and all of them together.
    pub fn chart(&self) -> Chart {
        let bar = |label: &str, users: u64| Bar {
            label: label.to_owned(),
            value: Some(users as f64),
            ..Bar::default()
        };
        let alone = |switch: &SwitchDifference| Bar {
            label: format!("{} alone", switch.switch),
            value: switch.users.map(|users| users.b as f64),
            ..Bar::default()
        };
        let Self { users, word, .. } = self;
        let said = format!(
            "{} and {} users, {} of both",
            exact(users.a as f64),
            exact(users.b as f64),
            exact(users.both as f64)
        );
        let switches = self.switches.iter().map(alone);
        let first = std::iter::once(bar("first question", users.a));
        let second = std::iter::once(bar("second question", users.b));
        Chart::Bars(BarChart {
            heading: Heading {
                title: format!("Why two {word} questions differ"),
                subtitle: format!("{said}. Between them, what each switch changes alone."),
                description: said,
                notes: Vec::new(),
            },
            unit: Unit::Number,
            bars: first.chain(switches).chain(second).collect(),
        })
    }
}
