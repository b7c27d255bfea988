//! Adoption as a picture.

use super::answer::{AdoptionAnswer, FeatureAdoption};
use crate::chart::{self, Bar, BarChart, Chart, Heading, Unit, exact, length, percent};

impl AdoptionAnswer {
    /// The share of the exposed that adopted each feature, as bars with their intervals.
    pub fn chart(&self) -> Chart {
        let bars = self.features.iter().map(|f| Bar {
            label: f.feature.clone(),
            value: f.rate.value,
            interval: f.rate.low.zip(f.rate.high),
            other: false,
        });
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let users = exact(self.active_users as f64);
        let within = length(self.within.micros() as f64 / 1e6);
        let said = |f: &FeatureAdoption| {
            let share = f.rate.value.map_or_else(|| "–".to_owned(), percent);
            format!("{}: {share} of {}", f.feature, exact(f.exposed as f64))
        };
        let each: Vec<String> = self.features.iter().map(said).collect();
        let open: u64 = self.features.iter().map(|f| f.open).sum();
        Chart::Bars(BarChart {
            heading: Heading {
                title: "Features taken up".to_owned(),
                subtitle: format!("{range}. {users} active users, within {within} of exposure."),
                description: format!("Adopters of the exposed. {}.", each.join("; ")),
                notes: if open > 0 {
                    vec!["Some of the exposed have not adopted but still can.".to_owned()]
                } else {
                    Vec::new()
                },
            },
            unit: Unit::Share,
            bars: bars.collect(),
        })
    }
}
