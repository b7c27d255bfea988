//! Churn and value as pictures.

use super::answer::ChurnAnswer;
use super::quality::Quality;
use super::worth::ValueAnswer;
use crate::chart::{
    Across, Bar, BarChart, Chart, Heading, LineChart, Point, Series, Unit, exact, percent,
};
use crate::query::Zone;

impl ChurnAnswer {
    /// How well probabilities were calibrated: the share that churned by the probability given, beside what a calibrated model
    /// shows. Where history is too short to tell, how many users have which risk.
    #[must_use]
    pub fn chart(&self) -> Chart {
        match &self.quality {
            Some(quality) => self.calibration(quality),
            None => self.risks(),
        }
    }

    fn calibration(&self, quality: &Quality) -> Chart {
        let point = |at: f64, value: Option<f64>, interval| Point {
            at: Across::share(at),
            value,
            interval,
            ..Point::default()
        };
        let seen = quality.calibration.iter().map(|bin| {
            let interval = bin.observed.low.zip(bin.observed.high);
            point(bin.predicted, bin.observed.value, interval)
        });
        let ends = [0.0, 1.0].map(|end| point(end, Some(end), None));
        let auc = quality
            .auc
            .map_or_else(|| "–".to_owned(), |auc| format!("{:.3}", auc.value));
        let scores = format!(
            "AUC {auc}, Brier score {:.4}, calibration error {}",
            quality.brier,
            percent(quality.calibration_error),
        );
        let days = self.horizon_days;
        Chart::Line(LineChart {
            heading: Heading {
                title: format!("Churn within {days} days: what was said and what came"),
                description: format!(
                    "The share that churned by the probability given before. {scores}."
                ),
                subtitle: scores,
                notes: vec![format!(
                    "Given at {} by a model that knew nothing of what followed.",
                    quality.cut_off
                )],
            },
            unit: Unit::Share,
            zone: Zone::default(),
            across: Across::Share,
            from_zero: true,
            series: vec![
                Series {
                    name: "came".to_owned(),
                    points: seen.collect(),
                    compared: false,
                },
                Series {
                    name: "calibrated".to_owned(),
                    points: ends.to_vec(),
                    compared: true,
                },
            ],
            ..LineChart::default()
        })
    }

    fn risks(&self) -> Chart {
        let bars = self.summary.bins.iter().map(|bin| Bar {
            label: format!("{:.0} to {:.0} %", 100.0 * bin.from, 100.0 * bin.to),
            value: Some(bin.users as f64),
            ..Bar::default()
        });
        let days = self.horizon_days;
        let users = exact(self.summary.users as f64);
        Chart::Bars(BarChart {
            heading: Heading {
                title: format!("Users by their risk of churn within {days} days"),
                subtitle: format!("{users} users"),
                description: format!("{users} users by their risk of churn within {days} days."),
                notes: vec!["History is too short to tell how good these risks are.".to_owned()],
            },
            unit: Unit::Number,
            bars: bars.collect(),
        })
    }
}

impl ValueAnswer {
    /// The users listed, at most twenty, by what is expected of them: their value, or without amounts their purchases.
    #[must_use]
    pub fn chart(&self) -> Chart {
        let valued = self.amounts.is_some();
        let bars = self.users.iter().take(20).map(|user| Bar {
            label: user.user_id.clone(),
            value: if valued {
                user.expected_value
            } else {
                Some(user.expected_purchases)
            },
            ..Bar::default()
        });
        let what = if valued { "value" } else { "purchases" };
        let title = format!("Expected {what} within {} days", self.horizon_days);
        let all = exact(self.summary.expected_purchases.round());
        Chart::Bars(BarChart {
            heading: Heading {
                subtitle: format!("{all} purchases expected of all"),
                description: format!("{title}, the users of whom most is expected."),
                title,
                notes: Vec::new(),
            },
            unit: if valued {
                Unit::Money(self.currency.clone())
            } else {
                Unit::Number
            },
            bars: bars.collect(),
        })
    }
}
