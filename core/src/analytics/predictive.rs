//! Predictions and forecasts, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::error::{Error, Result};
use crate::forecast::{BacktestAnswer, ForecastAnswer, Table};
use crate::predictive::{self, Predictive, PredictiveAnswer};
use crate::timeline::Stop;

pub(super) const WORD: Word = Word {
    name: "predictive",
    ask: |a, who, question| json(&a.predictive_json(who, question)?),
    people: None,
};

pub(super) const FORECAST: Word = Word {
    name: "forecast",
    ask: |a, who, question| json(&a.forecast_json(who, question)?),
    people: None,
};

pub(super) const BACKTEST: Word = Word {
    name: "backtest",
    ask: |a, who, question| json(&a.backtest_json(who, question)?),
    people: None,
};

impl Analytics {
    /// What comes after the history of a range: new users, revenue, bookings, churn or adoption, with intervals.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the question; `too_little_history` where no day of the range has
    /// wholly passed; `missing_rate` for revenue in a currency without a rate; `too_many_periods`; `forbidden`.
    pub fn predictive(&self, who: &Principal, question: &Predictive) -> Result<PredictiveAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        let catalogue = self.warehouse.catalogue()?;
        self.over(
            asked.as_of,
            asked.widest(),
            asked.range.span(),
            &asked.needs(),
            |view| predictive::answer(&question, &catalogue, view),
        )
    }

    /// `predictive` of a question in its JSON form, see [`Predictive::parse`].
    ///
    /// # Errors
    /// As `predictive`.
    pub fn predictive_json(&self, who: &Principal, question: &Value) -> Result<PredictiveAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.predictive(who, &Predictive::parse(question, self.now())?)
    }

    /// The forecasts of a table of series in its JSON form, see [`Table::parse`]; nothing stored is looked at.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the table; `forbidden` for a principal who may not read.
    pub fn forecast_json(&self, who: &Principal, question: &Value) -> Result<ForecastAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let table = Table::parse(question)?;
        let made = self
            .pool
            .install(|| table.forecast_watched(&|share| self.goes_on(share)));
        made.map_err(|e| self.given_up(e))
    }

    /// The backtests of a table of series in its JSON form, see [`Table::parse`].
    ///
    /// # Errors
    /// As `forecast_json`.
    pub fn backtest_json(&self, who: &Principal, question: &Value) -> Result<BacktestAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let table = Table::parse(question)?;
        let made = self
            .pool
            .install(|| table.backtest_watched(&|share| self.goes_on(share)));
        made.map_err(|e| self.given_up(e))
    }

    /// Tells how far a question is, and whether it goes on.
    fn goes_on(&self, share: f64) -> bool {
        if let Some(hear) = &self.progress {
            hear(share);
        }
        self.stop.as_deref().is_none_or(|stop| stop().is_none())
    }

    /// Why a question was given up: nobody waits, or its time is over.
    fn given_up(&self, error: Error) -> Error {
        let stop = self.stop.as_deref().map(|s| Stop::when(s));
        let said = stop.and_then(|stop| stop.check().err());
        if error.code() == "cancelled" {
            said.unwrap_or(error)
        } else {
            error
        }
    }
}
