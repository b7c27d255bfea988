//! A prediction as a picture.

use super::answer::{Interval, Past, PredictiveAnswer};
use super::question::Prediction;
use crate::chart::{self, Across, Chart, Heading, LineChart, Point, Series, State, Unit};

impl PredictiveAnswer {
    /// The history and what comes after it with its interval; the other segments beside it.
    #[must_use]
    pub fn chart(&self) -> Chart {
        let mut series = vec![line(
            self.segment.name(),
            &self.historical_data,
            &self.predictions,
        )];
        for one in &self.segments {
            let name = one.segment.name();
            series.push(line(name, &one.historical_data, &one.predictions));
        }
        let unit = match self.prediction_type {
            Prediction::ChurnRate => Unit::Share,
            _ => Unit::Number,
        };
        Chart::Line(LineChart {
            heading: self.heading(),
            unit,
            zone: self.timezone.clone(),
            across: Across::Time,
            from_zero: self.prediction_type != Prediction::ChurnRate,
            series,
            ..LineChart::default()
        })
    }

    fn heading(&self) -> Heading {
        let title = match self.prediction_type {
            Prediction::UserGrowth => "New users a day",
            Prediction::Revenue => "Revenue a day",
            Prediction::DemandForecast => "Bookings a day",
            Prediction::ChurnRate => "Share of the users of a week who do not return within four",
            Prediction::FeatureAdoption => "First uses of a feature a day",
        };
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let level = self.confidence_level;
        let mut notes = Vec::new();
        if let Some(tested) = &self.backtest
            && let (Some(model), Some(naive)) = (tested.model.mase, tested.naive.mase)
        {
            notes.push(format!(
                "From {} past origins MASE {model:.2}, of the seasonal naive forecast {naive:.2}.",
                tested.origins
            ));
        }
        if self.notes.short {
            notes.push("The history is too short for more than a wide guess.".to_owned());
        }
        Heading {
            title: title.to_owned(),
            subtitle: format!("{range}, {} ahead, intervals of {level} %", self.horizon),
            description: format!(
                "{title}, {range}, and the forecast of the next {} with intervals of {level} %.",
                self.horizon
            ),
            notes,
        }
    }
}

fn line(name: &str, past: &[Past], ahead: &[Interval]) -> Series {
    let known = past.iter().map(|p| Point {
        at: p.date,
        value: p.value,
        ..Point::default()
    });
    let foretold = ahead.iter().map(|p| Point {
        at: p.date,
        value: p.value,
        interval: p.lower_bound.zip(p.upper_bound),
        state: State::Forecast,
    });
    Series {
        name: name.to_owned(),
        points: known.chain(foretold).collect(),
        compared: false,
    }
}
