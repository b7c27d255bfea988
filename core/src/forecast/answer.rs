//! Forecasts and backtests of a table as columns: JSON for people and small tables, Arrow for everything else.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use serde::Serialize;
use serde_json::Value;

use super::backtest::{Backtest, Score, pooled, watched_backtests};
use super::batch::{Watch, watched};
use super::form::{Form, Times};
use super::interval::Kind;
use super::series::{Forecast, ModelShare, Notes};
use super::table::Table;
use crate::error::{Error, ErrorKind, Result};

/// The bounds of one level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// The level in per cent.
    pub level: f64,
    /// The lower bounds, row by row.
    pub lower: Vec<Option<f64>>,
    /// The upper bounds.
    pub upper: Vec<Option<f64>>,
}

/// The values of one quantile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quantile {
    /// The probability, between 0 and 1, of a value at or below.
    pub quantile: f64,
    /// The values, row by row.
    pub values: Vec<Option<f64>>,
}

/// Forecasts as columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForecastRows {
    /// The series of each row.
    pub unique_id: Vec<String>,
    /// The time of each row, written as it came.
    pub ds: Vec<Value>,
    /// The forecasts; null for a series without any value.
    pub mean: Vec<Option<f64>>,
    /// The intervals, level by level.
    pub intervals: Vec<Level>,
    /// The quantiles, where any were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Quantile>,
}

/// What was done and found in one series.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The series.
    pub unique_id: String,
    /// The models with their shares.
    pub models: Vec<ModelShare>,
    /// What values are taken to be.
    pub kind: Kind,
    /// The rest.
    #[serde(flatten)]
    pub notes: Notes,
}

/// The forecasts of a table, before anybody said in which form they are wanted.
#[derive(Debug, Clone)]
pub struct ForecastAnswer {
    /// The forecasts, series by series.
    pub forecasts: Vec<Forecast>,
    pub(super) levels: Vec<f64>,
    pub(super) quantiles: Vec<f64>,
    pub(super) form: Form,
}

/// Every compared value of a backtest as columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BacktestRows {
    /// The series.
    pub unique_id: Vec<String>,
    /// The last time that the forecast knew.
    pub cutoff: Vec<Value>,
    /// The time of the value.
    pub ds: Vec<Value>,
    /// What came.
    pub y: Vec<f64>,
    /// What was forecast.
    pub mean: Vec<Option<f64>>,
    /// What the seasonal naive forecast said.
    pub naive: Vec<f64>,
}

/// The backtests of a table.
#[derive(Debug, Clone)]
pub struct BacktestAnswer {
    /// The scores, series by series, with every compared value.
    pub series: Vec<Backtest>,
    pub(super) form: Form,
}

/// The scores of all series together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overall {
    /// How many series have a score.
    pub series: usize,
    /// How many values were compared.
    pub points: usize,
    /// The forecasts.
    pub model: Score,
    /// The seasonal naive forecast from the same origins.
    pub naive: Score,
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn figures(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(values.map(finite).collect::<Float64Array>())
}

fn options(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn batch(columns: Vec<(String, ArrayRef)>) -> Result<RecordBatch> {
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .map_err(Error::internal)
}

impl Table {
    /// The forecasts of all series.
    ///
    /// # Errors
    /// `regressor_too_short` for a regressor without a value for each period ahead.
    pub fn forecast(&self) -> Result<ForecastAnswer> {
        self.forecast_watched(&|_| true)
    }

    /// `forecast`, telling how far it is: the share of the series that is done. `false` from `watch` gives it up.
    ///
    /// # Errors
    /// `cancelled` where it was given up; as `forecast`.
    pub fn forecast_watched(&self, watch: Watch<'_>) -> Result<ForecastAnswer> {
        self.complete()?;
        let forecasts = watched(&self.series, &self.options, watch).ok_or_else(given_up)?;
        Ok(ForecastAnswer {
            forecasts,
            levels: self.options.levels.clone(),
            quantiles: self.quantiles.clone(),
            form: self.form.clone(),
        })
    }

    /// The backtests of all series.
    ///
    /// # Errors
    /// As `forecast`.
    pub fn backtest(&self) -> Result<BacktestAnswer> {
        self.backtest_watched(&|_| true)
    }

    /// `backtest`, telling how far it is, as `forecast_watched`.
    ///
    /// # Errors
    /// As `forecast_watched`.
    pub fn backtest_watched(&self, watch: Watch<'_>) -> Result<BacktestAnswer> {
        let step = self.step.unwrap_or(self.options.horizon);
        let made = watched_backtests(&self.series, &self.options, self.origins, step, watch);
        Ok(BacktestAnswer {
            series: made.ok_or_else(given_up)?,
            form: self.form.clone(),
        })
    }
}

pub(super) fn given_up() -> Error {
    Error::new(
        ErrorKind::Cancelled,
        "cancelled",
        "the question was given up before it was answered",
    )
}

impl ForecastAnswer {
    /// The forecasts as columns of JSON.
    #[must_use]
    pub fn rows(&self) -> ForecastRows {
        let ids = self.each().map(|(one, _)| one.id.clone());
        let times = self.each().map(|(one, h)| {
            let time = one.times.get(h).copied().unwrap_or_default();
            self.form.written(time)
        });
        let level = |level: &f64| {
            let bounds = || self.each().map(|(one, h)| one.interval(h, *level));
            Level {
                level: *level,
                lower: bounds().map(|b| finite(b.0)).collect(),
                upper: bounds().map(|b| finite(b.1)).collect(),
            }
        };
        let quantile = |p: &f64| Quantile {
            quantile: *p,
            values: self
                .each()
                .map(|(one, h)| finite(one.quantile(h, *p)))
                .collect(),
        };
        ForecastRows {
            unique_id: ids.collect(),
            ds: times.collect(),
            mean: self.means().map(finite).collect(),
            intervals: self.levels.iter().map(level).collect(),
            quantiles: self.quantiles.iter().map(quantile).collect(),
        }
    }

    /// What was done and found, series by series.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        let told = self.forecasts.iter().map(|one| Told {
            unique_id: one.id.clone(),
            models: one.models.clone(),
            kind: one.kind,
            notes: one.notes.clone(),
        });
        told.collect()
    }

    /// The forecasts as one Arrow batch: `unique_id` and `ds` of the types they came in, `mean`, and for each level `lo-80`
    /// and `hi-80` (the level in per cent); for each quantile asked for `q-0.1`.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let times: Vec<i64> = self
            .each()
            .map(|(one, h)| one.times.get(h).copied().unwrap_or_default())
            .collect();
        let ids = self.each().map(|(one, _)| one.id.as_str());
        let mut columns = vec![
            (self.form.id_name(), self.form.ids(ids)?),
            (self.form.time_name(), self.form.times(&times)?),
            ("mean".to_owned(), figures(self.means())),
        ];
        for level in &self.levels {
            let bounds: Vec<(f64, f64)> = self
                .each()
                .map(|(one, h)| one.interval(h, *level))
                .collect();
            let low = figures(bounds.iter().map(|b| b.0));
            let high = figures(bounds.iter().map(|b| b.1));
            columns.push((format!("lo-{level}"), low));
            columns.push((format!("hi-{level}"), high));
        }
        for p in &self.quantiles {
            let values = self.each().map(|(one, h)| one.quantile(h, *p));
            columns.push((format!("q-{p}"), figures(values)));
        }
        batch(columns)
    }

    fn each(&self) -> impl Iterator<Item = (&Forecast, usize)> {
        let ahead = |one: &Forecast| 0..one.times.len();
        self.forecasts
            .iter()
            .flat_map(move |one| ahead(one).map(move |h| (one, h)))
    }

    fn means(&self) -> impl Iterator<Item = f64> {
        self.each()
            .map(|(one, h)| one.mean.get(h).copied().unwrap_or(f64::NAN))
    }
}

impl Serialize for ForecastAnswer {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Form {
            forecasts: ForecastRows,
            series: Vec<Told>,
        }
        let form = Form {
            forecasts: self.rows(),
            series: self.told(),
        };
        form.serialize(to)
    }
}

impl BacktestAnswer {
    /// Of series of days.
    pub(crate) fn of_days(series: Vec<Backtest>) -> Self {
        Self {
            series,
            form: Form {
                times: Times::Dates,
                ..Form::default()
            },
        }
    }

    /// Every compared value as columns of JSON.
    #[must_use]
    pub fn rows(&self) -> BacktestRows {
        let mut rows = BacktestRows::default();
        for (one, row) in self.each() {
            rows.unique_id.push(one.id.clone());
            rows.cutoff.push(self.form.written(row.origin));
            rows.ds.push(self.form.written(row.time));
            rows.y.push(row.value);
            rows.mean.push(finite(row.mean));
            rows.naive.push(row.naive);
        }
        rows
    }

    /// The scores of all series together: MASE the mean over values, the others over the sums.
    #[must_use]
    pub fn overall(&self) -> Overall {
        let (model, naive) = pooled(&self.series);
        Overall {
            series: self.series.iter().filter(|s| s.points > 0).count(),
            points: self.series.iter().map(|s| s.points).sum(),
            model,
            naive,
        }
    }

    /// Every compared value as one Arrow batch: `unique_id`, `cutoff`, `ds`, `y`, `mean`, `lo-80`, `hi-80`, `lo-95`, `hi-95` and
    /// `naive`.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let ids = self.each().map(|(one, _)| one.id.as_str());
        let cutoffs: Vec<i64> = self.each().map(|(_, row)| row.origin).collect();
        let times: Vec<i64> = self.each().map(|(_, row)| row.time).collect();
        let mut columns = vec![
            (self.form.id_name(), self.form.ids(ids)?),
            ("cutoff".to_owned(), self.form.times(&cutoffs)?),
            (self.form.time_name(), self.form.times(&times)?),
            (
                "y".to_owned(),
                figures(self.each().map(|(_, row)| row.value)),
            ),
            (
                "mean".to_owned(),
                figures(self.each().map(|(_, row)| row.mean)),
            ),
        ];
        for (i, name) in ["lo-80", "hi-80", "lo-95", "hi-95"].into_iter().enumerate() {
            let bounds = self.each().map(|(_, row)| row.bounds.get(i).copied());
            columns.push((name.to_owned(), options(bounds)));
        }
        let naive = self.each().map(|(_, row)| row.naive);
        columns.push(("naive".to_owned(), figures(naive)));
        batch(columns)
    }

    /// The scores as one Arrow batch, a row a series: `unique_id`, `origins`, `points`, `mase`, `wape`, `bias`, `coverage_80`,
    /// `coverage_95`, `width_80`, `width_95`, and the same of the seasonal naive forecast with `naive_` before them.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn scores(&self) -> Result<RecordBatch> {
        type Figure = fn(&Score) -> Option<f64>;
        const FIGURES: [(&str, Figure); 7] = [
            ("mase", |s| s.mase),
            ("wape", |s| s.wape),
            ("bias", |s| s.bias),
            ("coverage_80", |s| s.coverage80),
            ("coverage_95", |s| s.coverage95),
            ("width_80", |s| s.width80),
            ("width_95", |s| s.width95),
        ];
        let ids = self.series.iter().map(|one| one.id.as_str());
        let counts = |of: fn(&Backtest) -> usize| {
            let values = self.series.iter().map(|one| i64::try_from(of(one)).ok());
            Arc::new(values.collect::<Int64Array>()) as ArrayRef
        };
        let mut columns = vec![
            (self.form.id_name(), self.form.ids(ids)?),
            ("origins".to_owned(), counts(|one| one.origins)),
            ("points".to_owned(), counts(|one| one.points)),
        ];
        for (name, of) in FIGURES {
            let model = options(self.series.iter().map(|one| of(&one.model)));
            columns.push((name.to_owned(), model));
        }
        for (name, of) in FIGURES {
            let naive = options(self.series.iter().map(|one| of(&one.naive)));
            columns.push((format!("naive_{name}"), naive));
        }
        batch(columns)
    }

    fn each(&self) -> impl Iterator<Item = (&Backtest, &super::backtest::Row)> {
        self.series
            .iter()
            .flat_map(|one| one.rows.iter().map(move |row| (one, row)))
    }
}

impl Serialize for BacktestAnswer {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Form<'a> {
            overall: Overall,
            series: &'a [Backtest],
            rows: BacktestRows,
        }
        let form = Form {
            overall: self.overall(),
            series: &self.series,
            rows: self.rows(),
        };
        form.serialize(to)
    }
}
