//! Next actions as a picture.

use super::answer::NextActionAnswer;
use crate::chart::{Bar, BarChart, Chart, Heading, Unit, exact};

impl NextActionAnswer {
    /// The likeliest next actions: of the one user asked for with their intervals, otherwise of the segment together.
    #[must_use]
    pub fn chart(&self) -> Chart {
        let alone = match self.users.as_slice() {
            [one] => Some(one),
            _ => None,
        };
        let bar = |event: &str, probability: f64, interval| Bar {
            label: event.to_owned(),
            value: Some(probability),
            interval,
            other: false,
        };
        let (subtitle, bars): (String, Vec<Bar>) = match alone {
            Some(user) => {
                let next = user.next.iter();
                let bars = next.map(|n| bar(&n.event, n.probability, Some((n.low, n.high))));
                (format!("User {}", user.user_id), bars.collect())
            }
            None => {
                let bars = self.actions.iter();
                let bars = bars.map(|n| bar(&n.event, n.probability, None));
                let users = exact(self.segment_users as f64);
                (format!("{users} users together"), bars.collect())
            }
        };
        Chart::Bars(BarChart {
            heading: Heading {
                title: "What users will do next".to_owned(),
                description: format!("{subtitle}: the likeliest next actions."),
                subtitle,
                notes: Vec::new(),
            },
            unit: Unit::Share,
            bars,
        })
    }
}
