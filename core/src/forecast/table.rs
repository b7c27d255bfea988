//! A table of series in its JSON form, and its forecasts as a table again.

use jiff::civil::Time as Clock;
use serde::Serialize;
use serde_json::Value;

use super::backtest::{Backtest, backtests};
use super::batch::forecasts;
use super::calendar::{self, Event};
use super::grid::{Frequency, Gaps, civil, micros};
use super::interval::Kind;
use super::series::{ModelShare, Notes, Options, Series, label};
use crate::error::{FieldError, Result};
use crate::query::Bound;
use crate::query::fields::{self, Fields, Parsed, fault};

/// Rows of series and how they are forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The series, in the order of their first rows.
    pub series: Vec<Series>,
    /// How they are forecast.
    pub options: Options,
    /// From how many past origins a backtest forecasts.
    pub origins: usize,
    /// How many periods lie between two origins; the horizon where not given.
    pub step: Option<usize>,
}

/// More rows than this in one table are an error.
const MOST_ROWS: usize = 20_000_000;

const KINDS: [(&str, Kind); 4] = [
    ("value", Kind::Value),
    ("count", Kind::Count),
    ("amount", Kind::Amount),
    ("share", Kind::Share),
];

const GAPS: [(&str, Gaps); 3] = [
    ("zero", Gaps::Zero),
    ("missing", Gaps::Missing),
    ("closed", Gaps::Closed),
];

/// A time of a row: an integer, or microseconds of local civil time.
#[derive(Clone, Copy)]
enum Time {
    Whole(i64),
    Micros(i64),
}

impl Table {
    /// Reads a table in its JSON form: the columns `uniqueId` (one series where absent), `ds` (ISO 8601 dates or times, or
    /// integers) and `y` (numbers, null for missing), all of one length, and the options `horizon`, `level`, `freq`,
    /// `seasonLength`, `gaps`, `kind`, `country`, `events`, `asOf`; for a backtest `origins` and `step`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once: `out_of_range` for a horizon or level that cannot be,
    /// `unknown_frequency`, `unknown_country`, `different_length` for columns that are not of one length, `mixed_times` for
    /// integers among dates.
    pub fn parse(question: &Value) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let mut more = Vec::new();
        let ids = fields.optional("uniqueId", |v| fields::list(v, id));
        let times: Vec<Time> = fields.required("ds", |v| fields::list(v, time));
        let values: Vec<f64> = fields.required("y", |v| fields::list(v, number_or_null));
        let horizon = fields.required("horizon", |v| fields::integer(v, 1, 10_000)) as usize;
        let levels = fields.optional("level", levels);
        let options = Options {
            horizon: horizon.max(1),
            levels: levels.unwrap_or_else(|| vec![80.0, 95.0]),
            frequency: fields.optional("freq", frequency),
            seasons: fields.optional("seasonLength", seasons),
            gaps: fields.optional("gaps", |v| fields::one_of(v, &GAPS)),
            kind: fields.optional("kind", |v| fields::one_of(v, &KINDS)),
            country: fields.optional("country", country),
            events: fields
                .optional("events", |v| fields::list(v, event))
                .unwrap_or_default(),
            as_of: fields.optional("asOf", time).map(|t| match t {
                Time::Whole(n) | Time::Micros(n) => n,
            }),
            integers: matches!(times.first(), Some(Time::Whole(_))),
        };
        let origins = fields
            .optional("origins", |v| fields::integer(v, 1, 1_000))
            .map_or(5, |n| n as usize);
        let step = fields
            .optional("step", |v| fields::integer(v, 1, 10_000))
            .map(|n| n as usize);
        let lengths = [
            ("y", values.len()),
            ("uniqueId", ids.as_ref().map_or(times.len(), Vec::len)),
        ];
        for (field, length) in lengths {
            if length != times.len() {
                more.push(error(
                    field,
                    "different_length",
                    "must have as many values as ds",
                ));
            }
        }
        if times.len() > MOST_ROWS {
            more.push(error(
                "ds",
                "too_many_rows",
                "must have at most 20000000 rows",
            ));
        }
        let whole = |t: &Time| matches!(t, Time::Whole(_));
        if times.iter().any(whole) && !times.iter().all(whole) {
            more.push(error(
                "ds",
                "mixed_times",
                "must be all dates or all integers",
            ));
        }
        if values.is_empty() {
            more.push(error("ds", "empty", "must have at least one row"));
        }
        fields.finish(more)?;
        Ok(Self {
            series: series(ids.as_deref(), &times, &values),
            options,
            origins,
            step,
        })
    }
}

fn error(field: &str, code: &'static str, message: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        code,
        message: message.to_owned(),
    }
}

/// The rows of each series together, series in the order of their first rows.
fn series(ids: Option<&[String]>, times: &[Time], values: &[f64]) -> Vec<Series> {
    let mut places = std::collections::HashMap::new();
    let mut out: Vec<Series> = Vec::new();
    for (i, (time, value)) in times.iter().zip(values).enumerate() {
        let id = ids.and_then(|ids| ids.get(i)).map_or("", String::as_str);
        let place = *places.entry(id).or_insert_with(|| {
            out.push(Series {
                id: id.to_owned(),
                ..Series::default()
            });
            out.len() - 1
        });
        if let Some(series) = out.get_mut(place) {
            series.times.push(match time {
                Time::Whole(n) | Time::Micros(n) => *n,
            });
            series.values.push(*value);
        }
    }
    out
}

fn id(value: &Value) -> Parsed<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(n) => Ok(n.to_string()),
        _ => fault("invalid_type", "must be a string or a number"),
    }
}

fn time(value: &Value) -> Parsed<Time> {
    if value.is_number() {
        return fields::integer(value, -(1 << 53), 1 << 53).map(Time::Whole);
    }
    let at = match fields::date(value)? {
        Bound::Date(date) => micros(date.to_datetime(Clock::midnight())),
        Bound::Local(time) => micros(time),
        Bound::At(at) => at.micros(),
    };
    Ok(Time::Micros(at))
}

fn number_or_null(value: &Value) -> Parsed<f64> {
    if value.is_null() {
        return Ok(f64::NAN);
    }
    value
        .as_f64()
        .map_or_else(|| fault("invalid_type", "must be a number or null"), Ok)
}

fn level(value: &Value) -> Parsed<f64> {
    match value.as_f64() {
        None => fault("invalid_type", "must be a number"),
        Some(level) if level > 0.0 && level < 100.0 => Ok(level),
        Some(_) => fault("out_of_range", "must be above 0 and below 100"),
    }
}

fn levels(value: &Value) -> Parsed<Vec<f64>> {
    let levels = fields::list(value, level)?;
    if levels.len() > 50 {
        return fault("invalid_length", "must have at most 50 levels");
    }
    Ok(levels)
}

fn frequency(value: &Value) -> Parsed<Frequency> {
    let given = fields::text(value)?;
    Frequency::parse(given).map_or_else(
        || {
            fault(
                "unknown_frequency",
                format!("`{given}` is not a frequency, such as D, W, M, Q, Y, H or 15min"),
            )
        },
        Ok,
    )
}

fn seasons(value: &Value) -> Parsed<Vec<usize>> {
    let one = |v: &Value| fields::integer(v, 1, 10_000).map(|n| n as usize);
    let mut seasons = if value.is_array() {
        fields::list(value, one)?
    } else {
        vec![one(value)?]
    };
    if seasons.len() > 5 {
        return fault("invalid_length", "must have at most 5 seasons");
    }
    seasons.sort_unstable();
    seasons.dedup();
    Ok(seasons)
}

fn country(value: &Value) -> Parsed<String> {
    let given = fields::text(value)?;
    if calendar::holidays(given).is_some() {
        return Ok(given.to_ascii_uppercase());
    }
    fault(
        "unknown_country",
        format!(
            "`{given}` is not one of {}",
            calendar::countries().join(", ")
        ),
    )
}

fn event(value: &Value) -> Parsed<Event> {
    let day = |v: &Value| match fields::date(v)? {
        Bound::Date(day) => Ok(day),
        Bound::Local(time) => Ok(time.date()),
        Bound::At(at) => Ok(civil(at.micros()).date()),
    };
    fields::object(value, |fields| Event {
        name: fields.required("name", fields::name),
        days: fields.required("days", |v| fields::list(v, day)),
    })
}

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

/// The forecasts of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForecastAnswer {
    /// The forecasts.
    pub forecasts: ForecastRows,
    /// What was done and found, series by series.
    pub series: Vec<Told>,
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
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BacktestAnswer {
    /// The scores, series by series.
    pub series: Vec<Backtest>,
    /// Every compared value.
    pub rows: BacktestRows,
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn written(time: i64, integers: bool) -> Value {
    if integers {
        return Value::from(time);
    }
    Value::from(label(time, false))
}

impl Table {
    /// The forecasts of all series.
    #[must_use]
    pub fn forecast(&self) -> ForecastAnswer {
        let made = forecasts(&self.series, &self.options);
        let mut rows = ForecastRows {
            unique_id: Vec::new(),
            ds: Vec::new(),
            mean: Vec::new(),
            intervals: self
                .options
                .levels
                .iter()
                .map(|level| Level {
                    level: *level,
                    lower: Vec::new(),
                    upper: Vec::new(),
                })
                .collect(),
        };
        for one in &made {
            for (h, (time, mean)) in one.times.iter().zip(&one.mean).enumerate() {
                rows.unique_id.push(one.id.clone());
                rows.ds.push(written(*time, self.options.integers));
                rows.mean.push(finite(*mean));
                for level in &mut rows.intervals {
                    let (low, high) = one.interval(h, level.level);
                    level.lower.push(finite(low));
                    level.upper.push(finite(high));
                }
            }
        }
        let told = made.into_iter().map(|one| Told {
            unique_id: one.id,
            models: one.models,
            kind: one.kind,
            notes: one.notes,
        });
        ForecastAnswer {
            forecasts: rows,
            series: told.collect(),
        }
    }

    /// The backtests of all series.
    #[must_use]
    pub fn backtest(&self) -> BacktestAnswer {
        let step = self.step.unwrap_or(self.options.horizon);
        let series = backtests(&self.series, &self.options, self.origins, step);
        let mut rows = BacktestRows::default();
        for one in &series {
            for row in &one.rows {
                rows.unique_id.push(one.id.clone());
                rows.cutoff.push(written(row.origin, self.options.integers));
                rows.ds.push(written(row.time, self.options.integers));
                rows.y.push(row.value);
                rows.mean.push(finite(row.mean));
                rows.naive.push(row.naive);
            }
        }
        BacktestAnswer { series, rows }
    }
}
