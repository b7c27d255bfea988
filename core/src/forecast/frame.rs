//! Tables of series in Arrow: batches go in as they come, and no row is written as JSON on the way.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::array::{RecordBatchReader, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use serde_json::Value;

use super::form::{Clock, Form, Times};
use super::rows::Rows;
use super::table::{Aim, Asked, MOST_ROWS, Table, Time, error, time, too_many};
use crate::error::{Error, FieldError, Result};
use crate::query::fields::{self, Fields, Parsed};

/// The batches of a table.
pub type Frame = Box<dyn RecordBatchReader + Send>;

/// More faults than this are not told of one table.
const MOST_FAULTS: usize = 20;

impl Table {
    /// Reads a table of Arrow batches, and the values of its regressors in the periods ahead from another.
    ///
    /// The columns are `unique_id` (text or integers; one series where it is absent), `ds` (dates, times, integers, or ISO 8601
    /// text; what has a time zone is read by its clock) and `y` (numbers; null or not a number where missing), or those that the
    /// options `idCol`, `timeCol` and `targetCol` name; `regressors` lists columns of numbers that explain `y`. The other
    /// options are those of [`Table::parse`].
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong: `unknown_column`, `invalid_type` for a column of another type, `required` for
    /// a row without a time; as [`Table::parse`].
    pub fn read(frame: Frame, future: Option<Frame>, question: &Value) -> Result<Self> {
        Self::read_for(Aim::Ahead, (frame, future), question, |_| ()).map(|(table, ())| table)
    }

    /// Reads a table of which nothing is foretold, as `parse_past`.
    pub(crate) fn read_past<T>(
        frame: Frame,
        question: &Value,
        more: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Result<(Self, T)> {
        Self::read_for(Aim::Past, (frame, None), question, more)
    }

    fn read_for<T>(
        aim: Aim,
        (frame, future): (Frame, Option<Frame>),
        question: &Value,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Result<(Self, T)> {
        let mut fields = Fields::of(question)?;
        let mut more = Vec::new();
        let names = Names::read(&mut fields, aim);
        let mut form = names.form(&frame, &mut more);
        let mut asked = Asked::read(&mut fields, &form.clock, aim);
        let read = read(&mut fields);
        asked.faults(form.integers(), &mut more);
        if let Some(future) = &future {
            names.ahead(future, &form, &mut more);
        }
        fields.finish(more)?;
        let mut rows = Rows::new(&names.regressors);
        let mut count = 0;
        // Instants stay what they are until all are there: whether they are hours decides by which clock they are read.
        let clock = std::mem::take(&mut form.clock);
        for batch in frame {
            let batch = batch.map_err(|e| unreadable("frame", &e))?;
            let part = Part::read(&batch, &names, &form, count, true)?;
            count += part.times.len();
            if count > MOST_ROWS {
                return Err(Error::fields(vec![too_many("frame")]));
            }
            for row in 0..part.times.len() {
                let value = |v: &Float64Array| number(v, row);
                let y = part.values.as_ref().map_or(f64::NAN, value);
                let more = part.regressors.iter().map(value);
                rows.push(part.id(row), part.time(row), y, more);
            }
        }
        if count == 0 {
            let message = "must have at least one row";
            return Err(Error::fields(vec![error("frame", "empty", message)]));
        }
        form.clock = rows.settle(&clock, asked.options.frequency);
        let moved = |time| form.clock.civil(clock.instant(time));
        asked.options.as_of = asked.options.as_of.map(moved);
        rows.each_time(|time| form.clock.civil(time));
        count = 0;
        for batch in future.into_iter().flatten() {
            let batch = batch.map_err(|e| unreadable("future", &e))?;
            let part = Part::read(&batch, &names, &form, count, false)?;
            count += part.times.len();
            for row in 0..part.times.len() {
                let more = part.regressors.iter().map(|v| number(v, row));
                rows.ahead(part.id(row), part.time(row), more);
            }
        }
        Ok((asked.table(rows.done(), form), read))
    }
}

fn unreadable(field: &str, cause: &arrow::error::ArrowError) -> Error {
    let message = format!("could not be read: {cause}");
    Error::fields(vec![error(field, "invalid_arrow", &message)])
}

fn number(values: &Float64Array, row: usize) -> f64 {
    if values.is_valid(row) {
        values.value(row)
    } else {
        f64::NAN
    }
}

/// What the columns are called.
struct Names {
    id: String,
    /// Whether the ids' column must be there.
    named: bool,
    time: String,
    target: String,
    regressors: Vec<String>,
}

impl Names {
    fn read(fields: &mut Fields<'_>, aim: Aim) -> Self {
        let name = |v: &Value| fields::text(v).map(str::to_owned);
        let id = fields.optional("idCol", name);
        Self {
            named: id.is_some(),
            id: id.unwrap_or_else(|| "unique_id".to_owned()),
            time: fields
                .optional("timeCol", name)
                .unwrap_or_else(|| "ds".to_owned()),
            target: fields
                .optional("targetCol", name)
                .unwrap_or_else(|| "y".to_owned()),
            regressors: match aim {
                Aim::Ahead => fields.optional("regressors", |v| fields::list(v, name)),
                Aim::Past => None,
            }
            .unwrap_or_default(),
        }
    }

    /// How the ids and times of a frame come, with all that is wrong with its columns.
    fn form(&self, frame: &Frame, more: &mut Vec<FieldError>) -> Form {
        let schema = frame.schema();
        let kind = |name: &str| schema.field_with_name(name).ok().map(|f| f.data_type());
        let mut form = Form {
            id_name: self.id.clone(),
            time_name: self.time.clone(),
            ..Form::default()
        };
        match kind(&self.id) {
            None if self.named => more.push(absent(&self.id, "idCol")),
            None => {}
            Some(kind) if kind.is_integer() => form.ids = kind.clone(),
            Some(DataType::Dictionary(..)) if kind(&self.id).is_some_and(text) => {}
            Some(kind) if text(kind) => form.ids = kind.clone(),
            Some(kind) => more.push(mistyped(&self.id, kind, "text or integers")),
        }
        match kind(&self.time) {
            None => more.push(absent(&self.time, "timeCol")),
            Some(kind) if kind.is_integer() => form.times = Times::Whole(kind.clone()),
            Some(kind @ (DataType::Date32 | DataType::Date64)) => {
                form.times = Times::Typed(kind.clone());
            }
            Some(kind @ DataType::Timestamp(_, zone)) => {
                form.times = Times::Typed(kind.clone());
                if let Some(zone) = zone {
                    match Clock::named(zone) {
                        Some(clock) => form.clock = clock,
                        None => {
                            let message = format!("has the unknown time zone `{zone}`");
                            more.push(error(&self.time, "unknown_zone", &message));
                        }
                    }
                }
            }
            Some(kind) if text(kind) => {}
            Some(kind) => more.push(mistyped(&self.time, kind, "dates, times or integers")),
        }
        self.numbers(frame, std::iter::once(&self.target), more);
        self.numbers(frame, self.regressors.iter(), more);
        form
    }

    /// What is wrong with the columns of the periods ahead.
    fn ahead(&self, future: &Frame, form: &Form, more: &mut Vec<FieldError>) {
        let schema = future.schema();
        let Ok(field) = schema.field_with_name(&self.time) else {
            more.push(absent(&format!("future.{}", self.time), "timeCol"));
            return;
        };
        if field.data_type().is_integer() != form.integers() {
            let message = "must be all dates or all integers, as the frame's";
            more.push(error(
                &format!("future.{}", self.time),
                "mixed_times",
                message,
            ));
        }
        self.numbers(future, self.regressors.iter(), more);
    }

    fn numbers<'a>(
        &self,
        frame: &Frame,
        names: impl Iterator<Item = &'a String>,
        more: &mut Vec<FieldError>,
    ) {
        let schema = frame.schema();
        for name in names {
            match schema.field_with_name(name).map(|f| f.data_type()) {
                Err(_) if *name == self.target => more.push(absent(name, "targetCol")),
                Err(_) => more.push(absent(name, "regressors")),
                Ok(kind) if kind.is_numeric() || *kind == DataType::Boolean => {}
                // A column of nulls has no type of its own.
                Ok(DataType::Null) => {}
                Ok(kind) => more.push(mistyped(name, kind, "numbers")),
            }
        }
    }
}

fn text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => text(values),
        _ => false,
    }
}

fn absent(name: &str, option: &str) -> FieldError {
    let message = format!("is no column of the frame; {option} names another");
    error(name, "unknown_column", &message)
}

fn mistyped(name: &str, kind: &DataType, wanted: &str) -> FieldError {
    let message = format!("must hold {wanted}, not {kind}");
    error(name, "invalid_type", &message)
}

/// The columns of one batch.
struct Part {
    ids: Option<StringArray>,
    times: Vec<i64>,
    values: Option<Float64Array>,
    regressors: Vec<Float64Array>,
}

impl Part {
    fn read(
        batch: &RecordBatch,
        names: &Names,
        form: &Form,
        before: usize,
        valued: bool,
    ) -> Result<Self> {
        let column = |name: &String| batch.column_by_name(name);
        let numbers = |name: &String| -> Result<Float64Array> {
            let found = column(name).ok_or_else(|| Error::internal("a column went away"))?;
            let cast = as_type(found, &DataType::Float64, name)?;
            Ok(cast.as_primitive::<Float64Type>().clone())
        };
        let ids = match column(&names.id) {
            Some(ids) => Some(
                as_type(ids, &DataType::Utf8, &names.id)?
                    .as_string::<i32>()
                    .clone(),
            ),
            None => None,
        };
        let times = column(&names.time).ok_or_else(|| Error::internal("a column went away"))?;
        Ok(Self {
            ids,
            times: read_times(times, names, form, before)?,
            values: valued.then(|| numbers(&names.target)).transpose()?,
            regressors: names
                .regressors
                .iter()
                .map(numbers)
                .collect::<Result<_>>()?,
        })
    }

    fn id(&self, row: usize) -> &str {
        match &self.ids {
            Some(ids) if ids.is_valid(row) => ids.value(row),
            _ => "",
        }
    }

    fn time(&self, row: usize) -> i64 {
        self.times.get(row).copied().unwrap_or_default()
    }
}

fn as_type(column: &ArrayRef, kind: &DataType, name: &str) -> Result<ArrayRef> {
    cast(column, kind).map_err(|e| {
        let message = format!("could not be read as {kind}: {e}");
        Error::fields(vec![error(name, "invalid_type", &message)])
    })
}

/// The times of a batch: integers, or microseconds of civil time.
fn read_times(times: &ArrayRef, names: &Names, form: &Form, before: usize) -> Result<Vec<i64>> {
    let absent = |row: usize| FieldError {
        field: format!("{}[{}]", names.time, before + row),
        code: "required",
        message: "is required".to_owned(),
    };
    let mut faults = Vec::new();
    let mut out = Vec::with_capacity(times.len());
    if text(times.data_type()) {
        let texts = as_type(times, &DataType::Utf8, &names.time)?;
        let texts: &StringArray = texts.as_string::<i32>();
        for (row, given) in texts.iter().enumerate() {
            let parsed: Option<Parsed<Time>> =
                given.map(|given| time(&Value::from(given), &form.clock));
            match parsed {
                Some(Ok(time)) => out.push(time.number()),
                Some(Err(_)) => faults.push(FieldError {
                    field: format!("{}[{}]", names.time, before + row),
                    code: "invalid_date",
                    message: format!(
                        "`{}` is not an ISO 8601 date, such as 2026-01-31 or 2026-01-31T10:00:00Z",
                        given.unwrap_or_default()
                    ),
                }),
                None => faults.push(absent(row)),
            }
        }
    } else if form.integers() {
        let whole = as_type(times, &DataType::Int64, &names.time)?;
        let whole: &Int64Array = whole.as_primitive::<Int64Type>();
        for (row, time) in whole.iter().enumerate() {
            match time {
                Some(time) => out.push(time),
                None => faults.push(absent(row)),
            }
        }
    } else {
        let zone = match times.data_type() {
            DataType::Timestamp(_, zone) => zone.clone(),
            _ => None,
        };
        let kind = DataType::Timestamp(TimeUnit::Microsecond, zone);
        let instants = as_type(times, &kind, &names.time)?;
        let instants: &TimestampMicrosecondArray =
            instants.as_primitive::<TimestampMicrosecondType>();
        for (row, time) in instants.iter().enumerate() {
            match time {
                Some(time) => out.push(form.clock.civil(time)),
                None => faults.push(absent(row)),
            }
        }
    }
    if faults.is_empty() {
        Ok(out)
    } else {
        faults.truncate(MOST_FAULTS);
        Err(Error::fields(faults))
    }
}
