//! A comparison as a picture.

use super::answer::{Compared, Comparison};
use crate::chart::{self, Bar, BarChart, Chart, Heading, Unit, exact, percent};

impl Comparison {
    /// The share that converted in each group, as bars with their intervals.
    pub fn chart(&self) -> Chart {
        let bars = self.groups.iter().map(|group| {
            let rate = group.conversion.with;
            Bar {
                label: group.label.clone(),
                value: rate.value,
                interval: rate.low.zip(rate.high),
                other: false,
            }
        });
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let window = self.switches.within(self.window);
        let said = |group: &Compared| {
            let rate = group.conversion.with;
            let share = rate.value.map_or_else(|| "–".to_owned(), percent);
            format!("{}: {share} of {}", group.label, exact(rate.n as f64))
        };
        let each: Vec<String> = self.groups.iter().map(said).collect();
        let mut notes = Vec::new();
        if self.shared > 0 {
            let shared = exact(self.shared as f64);
            notes.push(format!("{shared} are of several groups."));
        }
        Chart::Bars(BarChart {
            heading: Heading {
                title: "Conversion by group".to_owned(),
                subtitle: format!("{range}. Within {window}, of those whose window has passed."),
                description: format!("The share that converts. {}.", each.join("; ")),
                notes,
            },
            unit: Unit::Share,
            bars: bars.collect(),
        })
    }
}
