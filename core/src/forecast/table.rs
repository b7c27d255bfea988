//! A table of series: the field's own `unique_id, ds, y` with how it is forecast, from JSON here and from Arrow in `frame`.

use arrow::datatypes::DataType;
use jiff::civil::{DateTime, Time as Midnight};
use serde_json::Value;

use super::calendar::{self, Event};
use super::form::{Clock, Form, Times};
use super::grid::{Frequency, Gaps, civil, micros};
use super::interval::Kind;
use super::rows::{Rows, lacking};
use super::series::{Options, Series};
use crate::error::{Error, FieldError, Result};
use crate::query::Bound;
use crate::query::fields::{self, Fields, Parsed, fault};

/// Rows of series and how they are forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The series, in the order of their first rows.
    pub series: Vec<Series>,
    /// How they are forecast.
    pub options: Options,
    /// The quantiles wanted beside the intervals, each between 0 and 1.
    pub quantiles: Vec<f64>,
    /// From how many past origins a backtest forecasts.
    pub origins: usize,
    /// How many periods lie between two origins; the horizon where not given.
    pub step: Option<usize>,
    pub(crate) form: Form,
}

/// More rows than this in one table are an error.
pub(super) const MOST_ROWS: usize = 20_000_000;

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
pub(super) enum Time {
    Whole(i64),
    Date(i64),
    Micros(i64),
}

impl Time {
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Whole(n) | Self::Date(n) | Self::Micros(n) => n,
        }
    }
}

/// What a table is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// What comes next in its series.
    Ahead,
    /// What was in them.
    Past,
}

/// How a table is forecast, as it was asked.
pub(super) struct Asked {
    pub(super) options: Options,
    quantiles: Vec<f64>,
    origins: usize,
    step: Option<usize>,
    /// Whether the frequency was given as a number, and not by its name.
    counted: bool,
}

impl Asked {
    /// Reads the options; an instant is read by the clock of the table.
    pub(super) fn read(fields: &mut Fields<'_>, clock: &Clock, aim: Aim) -> Self {
        match aim {
            Aim::Ahead => Self::ahead(fields, clock),
            Aim::Past => {
                let (options, counted) = Self::laid(fields, clock);
                Self {
                    options,
                    quantiles: Vec::new(),
                    origins: 0,
                    step: None,
                    counted,
                }
            }
        }
    }

    /// The options that say how a series is laid out; whether its frequency is a number.
    fn laid(fields: &mut Fields<'_>, clock: &Clock) -> (Options, bool) {
        let freq = fields.optional("freq", frequency);
        let options = Options {
            frequency: freq.map(|f| f.0),
            gaps: fields.optional("gaps", |v| fields::one_of(v, &GAPS)),
            kind: fields.optional("kind", |v| fields::one_of(v, &KINDS)),
            as_of: fields
                .optional("asOf", |v| time(v, clock))
                .map(Time::number),
            ..Options::default()
        };
        (options, freq.is_some_and(|f| f.1))
    }

    fn ahead(fields: &mut Fields<'_>, clock: &Clock) -> Self {
        let horizon = fields.required("horizon", |v| fields::integer(v, 1, 10_000)) as usize;
        let (laid, counted) = Self::laid(fields, clock);
        let options = Options {
            horizon: horizon.max(1),
            levels: fields
                .optional("level", levels)
                .unwrap_or_else(|| vec![80.0, 95.0]),
            seasons: fields.optional("seasonLength", seasons),
            country: fields.optional("country", country),
            events: fields
                .optional("events", |v| fields::list(v, |v| event(v, clock)))
                .unwrap_or_default(),
            ..laid
        };
        Self {
            options,
            quantiles: fields
                .optional("quantiles", |v| fields::list(v, quantile))
                .unwrap_or_default(),
            origins: fields
                .optional("origins", |v| fields::integer(v, 1, 1_000))
                .map_or(5, |n| n as usize),
            step: fields
                .optional("step", |v| fields::integer(v, 1, 10_000))
                .map(|n| n as usize),
            counted,
        }
    }

    /// What does not go together with the times of the table.
    pub(super) fn faults(&self, integers: bool, more: &mut Vec<FieldError>) {
        if self.counted && !integers {
            let message = "must be a name such as D, W, M, Q, Y, H or 15min where times are dates";
            more.push(error("freq", "unknown_frequency", message));
        }
    }

    /// A frequency by name says of an axis of integers only which seasons it has.
    pub(super) fn table(mut self, series: Vec<Series>, form: Form) -> Table {
        if form.integers()
            && !self.counted
            && let Some(frequency) = self.options.frequency.take()
        {
            let seasons = self.options.seasons.take();
            self.options.seasons = seasons.or_else(|| Some(frequency.seasons(false)));
        }
        Table {
            series,
            options: Options {
                integers: form.integers(),
                ..self.options
            },
            quantiles: self.quantiles,
            origins: self.origins,
            step: self.step,
            form,
        }
    }
}

/// An id, and whether it was a whole number.
struct Id(String, bool);

/// Regressors by name, row by row.
type Regressors = Vec<(String, Vec<f64>)>;

/// Rows in their JSON form.
struct Columns {
    ids: Option<Vec<Id>>,
    times: Vec<Time>,
    regressors: Regressors,
}

impl Columns {
    fn read(fields: &mut Fields<'_>, aim: Aim) -> Self {
        Self {
            ids: fields.optional("uniqueId", |v| fields::list(v, id)),
            times: fields.required("ds", |v| fields::list(v, |v| time(v, &Clock::Civil))),
            regressors: match aim {
                Aim::Ahead => fields.optional("regressors", regressors),
                Aim::Past => None,
            }
            .unwrap_or_default(),
        }
    }

    fn id(&self, row: usize) -> &str {
        let id = self.ids.as_ref().and_then(|ids| ids.get(row));
        id.map_or("", |id| &id.0)
    }

    fn more(&self, row: usize) -> impl Iterator<Item = f64> {
        let value = move |r: &(String, Vec<f64>)| r.1.get(row).copied().unwrap_or(f64::NAN);
        self.regressors.iter().map(value)
    }

    fn faults(&self, at: &str, more: &mut Vec<FieldError>) {
        let mut lengths = vec![(
            "uniqueId".to_owned(),
            self.ids.as_ref().map_or(self.times.len(), Vec::len),
        )];
        for (name, values) in &self.regressors {
            lengths.push((format!("regressors.{name}"), values.len()));
        }
        for (field, length) in lengths {
            if length != self.times.len() {
                let message = "must have as many values as ds";
                more.push(error(&format!("{at}{field}"), "different_length", message));
            }
        }
    }
}

impl Table {
    /// Reads a table in its JSON form: the columns `uniqueId` (one series where absent), `ds` (ISO 8601 dates or times, or
    /// integers) and `y` (numbers, null for missing), all of one length; `regressors`, an object of such columns, whose values
    /// for the periods ahead are in `future` (`uniqueId`, `ds`, `regressors`); and the options `horizon`, `level`,
    /// `quantiles`, `freq`, `seasonLength`, `gaps`, `kind`, `country`, `events`, `asOf`; for a backtest `origins` and `step`. `idCol` and `timeCol` are what the columns of the
    /// answer's table are called.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once: `out_of_range` for a horizon or level that cannot be,
    /// `unknown_frequency`, `unknown_country`, `different_length` for columns that are not of one length, `mixed_times` for
    /// integers among dates.
    pub fn parse(question: &Value) -> Result<Self> {
        Self::parse_for(Aim::Ahead, question, |_| ()).map(|(table, ())| table)
    }

    /// Reads a table of which nothing is foretold: without regressors, and of the options `freq`, `gaps`, `kind` and `asOf`. `more`
    /// reads what else is asked of it.
    pub(crate) fn parse_past<T>(
        question: &Value,
        more: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Result<(Self, T)> {
        Self::parse_for(Aim::Past, question, more)
    }

    fn parse_for<T>(
        aim: Aim,
        question: &Value,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Result<(Self, T)> {
        let mut fields = Fields::of(question)?;
        let mut more = Vec::new();
        let columns = Columns::read(&mut fields, aim);
        let values: Vec<f64> = fields.required("y", |v| fields::list(v, number_or_null));
        let future = match aim {
            Aim::Ahead => fields.optional("future", |v| {
                fields::object(v, |fields| Columns::read(fields, aim))
            }),
            Aim::Past => None,
        };
        let id_name = fields.optional("idCol", fields::name);
        let time_name = fields.optional("timeCol", fields::name);
        let asked = Asked::read(&mut fields, &Clock::Civil, aim);
        let read = read(&mut fields);
        let times = &columns.times;
        columns.faults("", &mut more);
        if let Some(future) = &future {
            future.faults("future.", &mut more);
        }
        if values.len() != times.len() {
            more.push(error(
                "y",
                "different_length",
                "must have as many values as ds",
            ));
        }
        if times.len() > MOST_ROWS {
            more.push(too_many("ds"));
        }
        let whole = |t: &Time| matches!(t, Time::Whole(_));
        let ahead = future.as_ref().map_or(&[][..], |f| &f.times);
        let all = || times.iter().chain(ahead);
        if all().any(whole) && !all().all(whole) {
            more.push(error(
                "ds",
                "mixed_times",
                "must be all dates or all integers",
            ));
        }
        if values.is_empty() {
            more.push(error("ds", "empty", "must have at least one row"));
        }
        asked.faults(all().all(whole), &mut more);
        fields.finish(more)?;
        let names: Vec<String> = columns.regressors.iter().map(|r| r.0.clone()).collect();
        let mut rows = Rows::new(&names);
        for (row, (time, value)) in times.iter().zip(&values).enumerate() {
            rows.push(columns.id(row), time.number(), *value, columns.more(row));
        }
        if let Some(future) = &future {
            for (row, time) in future.times.iter().enumerate() {
                let of = |name: &String| future.regressors.iter().find(|r| r.0 == *name);
                let value = |r: &Vec<f64>| r.get(row).copied().unwrap_or(f64::NAN);
                let more = names
                    .iter()
                    .map(|n| of(n).map_or(f64::NAN, |r| value(&r.1)));
                rows.ahead(future.id(row), time.number(), more);
            }
        }
        let whole = |ids: &Vec<Id>| !ids.is_empty() && ids.iter().all(|id| id.1);
        let form = Form {
            id_name: id_name.unwrap_or_else(|| "unique_id".to_owned()),
            time_name: time_name.unwrap_or_else(|| "ds".to_owned()),
            ids: if columns.ids.as_ref().is_some_and(whole) {
                DataType::Int64
            } else {
                DataType::Utf8
            },
            times: match times.first() {
                Some(Time::Whole(_)) => Times::Whole(DataType::Int64),
                _ if times.iter().all(|t| matches!(t, Time::Date(_))) => Times::Dates,
                _ => Times::Text,
            },
            clock: Clock::Civil,
        };
        Ok((asked.table(rows.done(), form), read))
    }

    /// Refuses regressors of which nothing is known ahead.
    pub(super) fn complete(&self) -> Result<()> {
        let faults = lacking(&self.series, &self.options);
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Error::fields(faults))
        }
    }
}

pub(super) fn error(field: &str, code: &'static str, message: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        code,
        message: message.to_owned(),
    }
}

pub(super) fn too_many(field: &str) -> FieldError {
    error(field, "too_many_rows", "must have at most 20000000 rows")
}

fn id(value: &Value) -> Parsed<Id> {
    match value {
        Value::String(text) => Ok(Id(text.clone(), false)),
        Value::Number(n) => Ok(Id(n.to_string(), n.is_i64())),
        _ => fault("invalid_type", "must be a string or a number"),
    }
}

pub(super) fn time(value: &Value, clock: &Clock) -> Parsed<Time> {
    if value.is_number() {
        return fields::integer(value, -(1 << 53), 1 << 53).map(Time::Whole);
    }
    Ok(match fields::date(value)? {
        Bound::Date(date) => Time::Date(micros(date.to_datetime(Midnight::midnight()))),
        Bound::Local(time) => Time::Micros(micros(time)),
        Bound::At(at) => Time::Micros(clock.civil(at.micros())),
    })
}

fn regressors(value: &Value) -> Parsed<Regressors> {
    let Some(columns) = value.as_object() else {
        return fault("invalid_type", "must be an object of columns by name");
    };
    let column = |(name, values): (&String, &Value)| {
        Ok((name.clone(), fields::list(values, number_or_null)?))
    };
    columns.iter().map(column).collect()
}

fn quantile(value: &Value) -> Parsed<f64> {
    match value.as_f64() {
        None => fault("invalid_type", "must be a number"),
        Some(p) if p > 0.0 && p < 1.0 => Ok(p),
        Some(_) => fault("out_of_range", "must be above 0 and below 1"),
    }
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
    if value.is_number() {
        return Ok(vec![level(value)?]);
    }
    let levels = fields::list(value, level)?;
    if levels.len() > 50 {
        return fault("invalid_length", "must have at most 50 levels");
    }
    Ok(levels)
}

/// A frequency, and whether it was given as a number.
fn frequency(value: &Value) -> Parsed<(Frequency, bool)> {
    if value.is_number() {
        let step = fields::integer(value, 1, 1 << 53)?;
        return Ok((Frequency::Steps(step), true));
    }
    let given = fields::text(value)?;
    Frequency::parse(given).map_or_else(
        || {
            fault(
                "unknown_frequency",
                format!("`{given}` is not a frequency, such as D, W, M, Q, Y, H or 15min"),
            )
        },
        |found| Ok((found, false)),
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

/// An event; an instant lies on the day of the table's clock, or on that of its own offset where the table has none.
fn event(value: &Value, clock: &Clock) -> Parsed<Event> {
    let day = |v: &Value| match fields::date(v)? {
        Bound::Date(day) => Ok(day),
        Bound::Local(time) => Ok(time.date()),
        Bound::At(at) => {
            let own = v.as_str().filter(|_| *clock == Clock::Civil);
            let own = own.and_then(|text| text.parse::<DateTime>().ok());
            Ok(own
                .unwrap_or_else(|| civil(clock.civil(at.micros())))
                .date())
        }
    };
    fields::object(value, |fields| Event {
        name: fields.required("name", fields::name),
        days: fields.required("days", |v| fields::list(v, day)),
    })
}
