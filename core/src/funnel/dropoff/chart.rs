//! Drop-off points as a picture.

use super::super::chart::label;
use super::answer::{DropOffAnswer, DropOffStep};
use crate::chart::{self, Bar, BarChart, Chart, Heading, Unit, exact, percent};

impl DropOffAnswer {
    /// The share that stopped at each step, as bars with their intervals, of those whose window has passed.
    pub fn chart(&self) -> Chart {
        let bars = self.steps.iter().map(|step| {
            let rate = step.matured.rate;
            Bar {
                label: format!("{}. {}", step.step, label(&step.event)),
                value: rate.value,
                interval: rate.low.zip(rate.high),
                other: false,
            }
        });
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let window = self.switches.within(self.window);
        let entered = exact(self.conversion.entered as f64);
        let said = |step: &DropOffStep| {
            let share = step.matured.rate.value;
            let share = share.map_or_else(|| "–".to_owned(), percent);
            format!("{}: {share}", label(&step.event))
        };
        let each: Vec<String> = self.steps.iter().map(said).collect();
        Chart::Bars(BarChart {
            heading: Heading {
                title: "Where they stop".to_owned(),
                subtitle: format!("{range}. {entered} entered, within {window}."),
                description: format!("The share that stops at each step. {}.", each.join("; ")),
                notes: Vec::new(),
            },
            unit: Unit::Share,
            bars: bars.collect(),
        })
    }
}
