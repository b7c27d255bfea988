//! A real-time figure as a picture.

use super::answer::RealtimeMetric;
use super::question::Metric;
use crate::chart::{Chart, Heading, Tile, Unit};

impl RealtimeMetric {
    /// The figure, how it changed, and how it went over the window.
    pub fn chart(&self) -> Chart {
        let data = &self.metadata;
        let name = self.metric_name.name().replace('_', " ");
        let unit = match self.metric_name {
            Metric::ConversionRate | Metric::ErrorRate => Unit::Share,
            Metric::RevenuePerMinute => {
                let currency = data.base_currency.clone().unwrap_or_default();
                Unit::Money(currency)
            }
            _ => Unit::Number,
        };
        let range = match data.window_seconds / 60 {
            60 => "last hour".to_owned(),
            minutes => format!("last {minutes} minutes"),
        };
        let said = self.value.map_or_else(
            || "nothing to count".to_owned(),
            |value| unit.exact(value.number()),
        );
        let interval = data.sample.and_then(|s| s.low.zip(s.high));
        let mut title = name.clone();
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Chart::Tile(Tile {
            heading: Heading {
                description: format!("{title} in the {range} to {}: {said}.", self.timestamp),
                title,
                subtitle: range,
                notes: Vec::new(),
            },
            unit,
            value: self.value.map(|v| v.number()),
            interval,
            change: data.change,
            more_is_better: Some(self.metric_name != Metric::ErrorRate),
            series: data
                .series
                .iter()
                .map(|p| p.value.map(|v| v.number()))
                .collect(),
        })
    }
}
