//! How predictions would have done, by their own history.

use super::answer::{options, series, widen};
use super::history::history;
use super::question::Tested;
use crate::access::Scoped;
use crate::error::Result;
use crate::events::Catalogue;
use crate::forecast::{self, BacktestAnswer};
use crate::query::Segment;
use crate::timeline::View;

/// Answers a valid question of a backtest over timelines: a series for each segment, each forecast from past origins with its
/// intervals as a prediction made then would have had them.
///
/// # Errors
/// As a prediction; a history too short for an origin is no error, and has none.
pub fn backtest(
    asked: &Scoped<&Tested>,
    catalogue: &Catalogue,
    view: &View<'_>,
) -> Result<BacktestAnswer> {
    let tested = *asked.inner();
    let question = &tested.asked;
    let mut made = Vec::with_capacity(1 + question.segments.len());
    for segment in std::iter::once(&question.segment).chain(&question.segments) {
        let history = history(question, *segment, catalogue, view)?;
        let (options, _) = options(question, &history);
        let mut series = series(&history, &question.range.zone);
        series.id = name(*segment);
        let step = tested.step.unwrap_or(options.horizon);
        made.push(forecast::backtest(
            &series,
            &options,
            tested.origins,
            step,
            &|made, past, options| {
                widen(made, past, options);
                view.stop.check().is_ok()
            },
        ));
        view.stop.check()?;
    }
    Ok(BacktestAnswer::of_days(made))
}

/// A segment as questions name it.
fn name(segment: Segment) -> String {
    let written = serde_json::to_value(segment).unwrap_or_default();
    written.as_str().unwrap_or_default().to_owned()
}
