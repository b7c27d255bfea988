//! A real-time figure as a picture.

use super::answer::RealtimeMetric;
use super::question::{Measure, Metric};
use crate::chart::{Chart, Heading, Tile, Unit};

impl RealtimeMetric {
    /// The figure, how it changed, and how it went over the window.
    pub fn chart(&self) -> Chart {
        let data = &self.metadata;
        let name = self.metric_name.name().replace('_', " ");
        let metric = match self.metric_name {
            Measure::Metric(metric) => Some(metric),
            _ => None,
        };
        let unit = match metric {
            Some(Metric::ConversionRate | Metric::ErrorRate) => Unit::Share,
            Some(Metric::RevenuePerMinute) => {
                let currency = data.base_currency.clone().unwrap_or_default();
                Unit::Money(currency)
            }
            _ => Unit::Number,
        };
        let range = match data.window_seconds {
            3_600 => "last hour".to_owned(),
            hours if hours % 3_600 == 0 => format!("last {} hours", hours / 3_600),
            minutes if minutes % 60 == 0 => format!("last {} minutes", minutes / 60),
            seconds => format!("last {seconds} seconds"),
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
            more_is_better: metric.map(|metric| metric != Metric::ErrorRate),
            series: data
                .series
                .iter()
                .map(|p| p.value.map(|v| v.number()))
                .collect(),
        })
    }
}
