//! Answers as pictures, asked of the handle.

use serde_json::Value;

use super::Analytics;
use crate::access::Principal;
use crate::chart::Chart;
use crate::error::{Error, Result};

impl Analytics {
    /// The words whose answers have charts.
    pub const CHARTED: [&str; 18] = [
        "funnel",
        "drop_off",
        "compare",
        "explain_difference",
        "retention",
        "engagement",
        "adoption",
        "journey",
        "realtime",
        "anomalies",
        "detect_anomalies",
        "pickup",
        "predictive",
        "churn",
        "value",
        "next_action",
        "forecast",
        "backtest",
    ];

    /// The chart of the answer of a word to a question in its JSON form; of real-time figures the first that is asked for, of forecasts,
    /// backtests and anomalies of a table the first series.
    ///
    /// # Errors
    /// As the word's; `not_in_list` for another word; `not_available` for figures without a chart.
    pub fn chart(&self, who: &Principal, word: &str, question: &Value) -> Result<Chart> {
        match word {
            "funnel" => Ok(self.funnel_json(who, question)?.chart()),
            "drop_off" => Ok(self.drop_off_json(who, question)?.chart()),
            "compare" => Ok(self.compare_json(who, question)?.chart()),
            "explain_difference" => Ok(self.explain_difference_json(who, question)?.chart()),
            "pickup" => Ok(self.pickup_json(who, question)?.chart()),
            "adoption" => Ok(self.adoption_json(who, question)?.chart()),
            "anomalies" => Ok(self.anomalies_json(who, question)?.chart()),
            "detect_anomalies" => {
                let chart = self.detect_anomalies_json(who, question)?.chart(None);
                chart.ok_or_else(|| Error::internal("a table without a series"))
            }
            "retention" => Ok(self.retention_json(who, question)?.chart()),
            "engagement" => {
                let chart = self.engagement_json(who, question)?.chart();
                chart.ok_or_else(|| {
                    Error::field("metrics", "not_available", "these figures have no chart")
                })
            }
            "journey" => {
                let chart = self.journey_json(who, question)?.chart();
                chart.ok_or_else(|| {
                    Error::field("report", "not_available", "these paths have no chart")
                })
            }
            "predictive" => Ok(self.predictive_json(who, question)?.chart()),
            "churn" => Ok(self.churn_json(who, question)?.chart()),
            "value" => Ok(self.value_json(who, question)?.chart()),
            "next_action" => Ok(self.next_action_json(who, question)?.chart()),
            "forecast" => {
                let chart = self.forecast_json(who, question)?.chart(None);
                chart.ok_or_else(|| Error::internal("forecasts without a series"))
            }
            "backtest" => {
                let chart = self.backtest_json(who, question)?.chart(None);
                chart.ok_or_else(|| Error::internal("backtests without a series"))
            }
            "realtime" => {
                let figures = self.realtime_json(who, question)?;
                let first = figures.first().map(|f| f.chart());
                first.ok_or_else(|| Error::internal("real-time figures without a figure"))
            }
            other => Err(Error::field(
                "word",
                "not_in_list",
                format!("`{other}` is not one of {}", Self::CHARTED.join(", ")),
            )),
        }
    }
}
