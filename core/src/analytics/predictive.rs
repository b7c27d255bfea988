//! Predictions and forecasts, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::error::{Error, Result};
use crate::feedback::{self, Actual, Fan, GRID, Run};
use crate::forecast::{BacktestAnswer, ForecastAnswer, Table};
use crate::predictive::{self, Predictive, PredictiveAnswer, Tested};
use crate::timeline::Stop;

pub(super) const WORD: Word = Word {
    name: "predictive",
    ask: |a, who, question| json(&a.predictive_json(who, question)?),
    people: None,
};

pub(super) const FORECAST: Word = Word {
    name: "forecast",
    ask: |a, who, question| match question.get("feedback") {
        None | Some(Value::Null) => json(&a.forecast_json(who, question)?),
        Some(log) => json(&a.forecast_kept(who, log, question)?),
    },
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
    /// wholly passed; `missing_rate` for revenue in a currency without a rate; `too_many_periods`; `forbidden`, also
    /// for a principal who wants it kept for feedback and may not manage models.
    pub fn predictive(&self, who: &Principal, question: &Predictive) -> Result<PredictiveAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        let catalogue = self.warehouse.catalogue()?;
        let answer = |question: &Predictive, grid: &[f64]| {
            let question = access::grant(who, Permission::ReadAnalytics, question)?;
            self.over(
                asked.as_of,
                asked.widest(),
                asked.range.span(),
                &asked.needs(),
                |view| predictive::answer(&question, &catalogue, view, grid),
            )
        };
        match &asked.feedback {
            None => answer(asked, &[]),
            Some(log) => self.predicted(who, log, asked, &|question| answer(question, &GRID)),
        }
    }

    /// A prediction whose intervals learn from what is kept under a name, kept there too.
    fn predicted(
        &self,
        who: &Principal,
        log: &str,
        asked: &Predictive,
        answer: &dyn Fn(&Predictive) -> Result<PredictiveAnswer>,
    ) -> Result<PredictiveAnswer> {
        access::grant(who, Permission::ManageModels, ())?;
        let level = asked.confidence_level;
        let learned = self.learned(log)?;
        let used = match level > 0.0 && level < 100.0 {
            true => feedback::adapted(level, &learned.points).used,
            false => level,
        };
        let question = Predictive {
            confidence_level: used,
            ..asked.clone()
        };
        let mut made = answer(&question)?;
        made.learned(level, used)?;
        let versions = made.stamp.versions.as_ref();
        let mut run = Run {
            word: WORD.name.to_owned(),
            model: made.model_version.clone(),
            data: versions.map(|v| v.data_version.clone()).unwrap_or_default(),
            grid: GRID.to_vec(),
            ..Run::default()
        };
        let mut history = Vec::new();
        for (segment, fan) in std::mem::take(&mut made.fans) {
            let name = serde_json::to_value(segment).map_err(Error::internal)?;
            let id = name.as_str().unwrap_or_default();
            let finite = |v: &f64| v.is_finite().then_some(*v);
            run.series.push(Fan {
                id: id.to_owned(),
                ds: fan.ds,
                mean: fan.mean.iter().map(finite).collect(),
                quantiles: fan
                    .quantiles
                    .iter()
                    .map(|at| at.iter().map(finite).collect())
                    .collect(),
                scale: feedback::scale(fan.history.iter().map(|(_, y)| *y)),
            });
            history.extend(fan.history.into_iter().map(|(ds, y)| Actual {
                id: id.to_owned(),
                ds,
                y,
            }));
        }
        made.run = Some(self.keep_run(who, log, &run, &history)?);
        Ok(made)
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
        self.forecasts(&Table::parse(question)?)
    }

    /// The forecasts of a table.
    pub(super) fn forecasts(&self, table: &Table) -> Result<ForecastAnswer> {
        let made = self
            .pool
            .install(|| table.forecast_watched(&|share| self.goes_on(share)));
        made.map_err(|e| self.given_up(e))
    }

    /// How the predictions of a range would have done from past origins of it, beside the seasonal naive forecast: MASE, WAPE, bias,
    /// and coverage and width of their intervals at 80 and 95 %, for each segment.
    ///
    /// # Errors
    /// As `predictive`; a history too short for an origin is no error, and has no score.
    pub fn backtest(&self, who: &Principal, question: &Tested) -> Result<BacktestAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = &question.inner().asked;
        refuse(asked.faults(self.now()))?;
        let catalogue = self.warehouse.catalogue()?;
        self.over(
            asked.as_of,
            asked.widest(),
            asked.range.span(),
            &asked.needs(),
            |view| predictive::backtest(&question, &catalogue, view),
        )
    }

    /// The backtests of a table of series in its JSON form, see [`Table::parse`]; with a `predictionType`, those of predictions, see
    /// [`Tested::parse`].
    ///
    /// # Errors
    /// As `forecast_json` and `backtest`.
    pub fn backtest_json(&self, who: &Principal, question: &Value) -> Result<BacktestAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        if question.get("predictionType").is_some() {
            return self.backtest(who, &Tested::parse(question, self.now())?);
        }
        let table = Table::parse(question)?;
        let made = self
            .pool
            .install(|| table.backtest_watched(&|share| self.goes_on(share)));
        made.map_err(|e| self.given_up(e))
    }

    /// Tells how far a question is, and whether it goes on.
    pub(super) fn goes_on(&self, share: f64) -> bool {
        if let Some(hear) = &self.progress {
            hear(share);
        }
        self.stop.as_deref().is_none_or(|stop| stop().is_none())
    }

    /// Why a question was given up: nobody waits, or its time is over.
    pub(super) fn given_up(&self, error: Error) -> Error {
        let stop = self.stop.as_deref().map(Stop::when);
        let said = stop.and_then(|stop| stop.check().err());
        if error.code() == "cancelled" {
            said.unwrap_or(error)
        } else {
            error
        }
    }
}
