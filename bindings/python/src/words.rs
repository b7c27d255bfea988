//! The words whose answers have a table, and for most charts.

use serde_json::Value;
use travelsense::forecast::BacktestAnswer;
use travelsense::insight::Insight;
use travelsense::realtime::RealtimeMetric;
use travelsense::{Analytics, Error, Principal, Result};

use crate::answer::Answer;

/// The answer of a word to a question in its JSON form.
pub(crate) fn answer(
    a: &Analytics,
    who: &Principal,
    word: &str,
    question: &Value,
) -> Result<Answer> {
    Ok(match word {
        "funnel" => Answer::of(
            a.funnel_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "drop_off" => Answer::of(
            a.drop_off_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "compare" => Answer::of(
            a.compare_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "explain_difference" => Answer::of(
            a.explain_difference_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "retention" => Answer::of(
            a.retention_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "engagement" => Answer::of(
            a.engagement_json(who, question)?,
            |a| a.table(),
            |a| a.chart().into_iter().collect(),
        ),
        "adoption" => Answer::of(
            a.adoption_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "journey" => Answer::of(
            a.journey_json(who, question)?,
            |a| a.table(),
            |a| a.chart().into_iter().collect(),
        ),
        "realtime" => Answer::of(
            a.realtime_json(who, question)?,
            |a| RealtimeMetric::table(a),
            |a| a.iter().map(RealtimeMetric::chart).collect(),
        ),
        "anomalies" => Answer::of(
            a.anomalies_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "user_insights" => Answer::of(
            a.user_insights_json(who, question)?,
            |a| Insight::table(a),
            |a| a.iter().filter_map(Insight::chart).collect(),
        ),
        "predictive" => Answer::of(
            a.predictive_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "backtest" => Answer::of_series(
            a.backtest_json(who, question)?,
            BacktestAnswer::table,
            BacktestAnswer::chart,
            Some(BacktestAnswer::scores),
        ),
        "churn" => Answer::of(
            a.churn_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "value" => Answer::of(
            a.value_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "next_action" => Answer::of(
            a.next_action_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        "pickup" => Answer::of(
            a.pickup_json(who, question)?,
            |a| a.table(),
            |a| vec![a.chart()],
        ),
        other => {
            return Err(Error::field(
                "word",
                "not_in_list",
                format!("`{other}` has no table"),
            ));
        }
    })
}
