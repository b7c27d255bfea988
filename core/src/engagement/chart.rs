//! Engagement as a picture.

use super::answer::{ActivePeriod, EngagementAnswer, LifecyclePeriod, Stickiness};
use crate::chart::{
    self, Across, Bar, BarChart, Bucket, Chart, Heading, Layer, LineChart, Point, Series,
    StackedBars, State, Unit, exact,
};
use crate::query::Period;

impl EngagementAnswer {
    /// The first of these that was asked for: the lifecycle as stacked columns, with those who left below the line; active users
    /// over time; stickiness by the number of periods. Nothing where only other figures were.
    pub fn chart(&self) -> Option<Chart> {
        if let Some(periods) = &self.lifecycle {
            return Some(self.lifecycle(periods));
        }
        if let Some(active) = &self.active_users {
            let periods = match self.period {
                Period::Daily => &active.daily,
                Period::Weekly => &active.weekly,
                Period::Monthly => &active.monthly,
            };
            return Some(self.active(periods));
        }
        let stickiness = self.stickiness.as_ref();
        stickiness.map(|s| self.sticky(s))
    }

    fn lifecycle(&self, periods: &[LifecyclePeriod]) -> Chart {
        let layer = |name: &str, below| Layer {
            name: name.to_owned(),
            below,
        };
        let buckets = periods.iter().map(|p| Bucket {
            start: p.start,
            values: [p.returning, p.new, p.resurrected, p.dormant]
                .map(|n| n as f64)
                .to_vec(),
            open: p.partial || !p.complete,
        });
        Chart::Stacked(StackedBars {
            heading: self.heading(format!("Lifecycle of users by {}", self.period())),
            unit: Unit::Number,
            zone: self.timezone.clone(),
            layers: vec![
                layer("returning", false),
                layer("new", false),
                layer("resurrected", false),
                layer("dormant", true),
            ],
            buckets: buckets.collect(),
            ..StackedBars::default()
        })
    }

    fn active(&self, periods: &[ActivePeriod]) -> Chart {
        let points = periods.iter().map(|p| Point {
            at: p.start,
            value: Some(p.users as f64),
            interval: None,
            state: if p.partial || !p.complete {
                State::Open
            } else {
                State::Final
            },
        });
        Chart::Line(LineChart {
            heading: self.heading(format!("Active users by {}", self.period())),
            unit: Unit::Number,
            zone: self.timezone.clone(),
            across: Across::Time,
            from_zero: true,
            series: vec![Series {
                name: "active users".to_owned(),
                points: points.collect(),
                compared: false,
            }],
            ..LineChart::default()
        })
    }

    fn sticky(&self, stickiness: &Stickiness) -> Chart {
        let name = self.period();
        let bars = stickiness.rows.iter().map(|row| Bar {
            label: match row.periods {
                1 => format!("1 {name}"),
                n => format!("{n} {name}s"),
            },
            value: row.exactly.value,
            interval: row.exactly.low.zip(row.exactly.high),
            other: false,
        });
        let title = format!("In how many {name}s users come");
        Chart::Bars(BarChart {
            heading: self.heading(title),
            unit: Unit::Share,
            bars: bars.collect(),
        })
    }

    fn heading(&self, title: String) -> Heading {
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let users = exact(self.users as f64);
        Heading {
            description: format!("{title}, {range}: {users} users."),
            subtitle: format!("{range}. {users} users."),
            title,
            notes: Vec::new(),
        }
    }

    fn period(&self) -> &'static str {
        match self.period {
            Period::Daily => "day",
            Period::Weekly => "week",
            Period::Monthly => "month",
        }
    }
}
