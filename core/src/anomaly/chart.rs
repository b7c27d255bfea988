//! What was not as usual, as a picture.

use super::answer::AnomalyAnswer;
use super::question::Metric;
use crate::chart::{self, Across, Chart, Heading, LineChart, Series, State, Unit};

impl AnomalyAnswer {
    /// What came over what was expected with its interval.
    pub fn chart(&self) -> Chart {
        let name = self.metric.replace('_', " ");
        let share = [Metric::ConversionRate, Metric::ErrorRate].map(Metric::name);
        let share = share.contains(&self.metric);
        let came = self.series.iter().map(|p| chart::Point {
            at: p.start,
            value: p.value,
            interval: None,
            state: if p.status.is_some() {
                State::Final
            } else {
                State::Open
            },
        });
        let expected = self.series.iter().map(|p| chart::Point {
            at: p.start,
            value: p.expected,
            interval: p.interval.map(|i| (i.low, i.high)),
            state: State::Final,
        });
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let found = match self.findings.len() {
            0 => "Nothing was unusual".to_owned(),
            1 => "One thing was unusual".to_owned(),
            n => format!("{n} things were unusual"),
        };
        Chart::Line(LineChart {
            heading: Heading {
                description: format!("{found} of {name}, {range}."),
                subtitle: format!("{range}. {found}."),
                title: format!("What was unusual of {name}"),
                notes: Vec::new(),
            },
            unit: if share { Unit::Share } else { Unit::Number },
            zone: self.timezone.clone(),
            across: Across::Time,
            from_zero: !share,
            series: vec![
                Series {
                    name: "came".to_owned(),
                    points: came.collect(),
                    compared: false,
                },
                Series {
                    name: "expected".to_owned(),
                    points: expected.collect(),
                    compared: true,
                },
            ],
            ..LineChart::default()
        })
    }
}
