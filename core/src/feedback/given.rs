//! What others tell: what came, and predictions made elsewhere.

use serde_json::Value;

use super::run::{Actual, Fan, Measure, Run};
use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::query::{Bound, Zone};

/// More rows than this at once are an error.
const MOST: usize = 1_000_000;

/// A time as forecasts write it: numbers as they are, dates without a time of midnight, and of an instant what the clock shows
/// where it was written.
pub(crate) fn ds(value: &Value) -> Parsed<String> {
    if value.is_number() {
        return fields::integer(value, -(1 << 53), 1 << 53).map(|n| n.to_string());
    }
    let time = match fields::date(value)? {
        Bound::Date(date) => return Ok(date.to_string()),
        Bound::Local(time) => time,
        Bound::At(at) => {
            let shown = value.as_str().and_then(|text| text.parse().ok());
            shown.unwrap_or_else(|| Zone::default().civil(at))
        }
    };
    Ok(if time.time() == jiff::civil::Time::midnight() {
        time.date().to_string()
    } else {
        time.to_string()
    })
}

fn id(value: &Value) -> Parsed<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        // Columns of whole numbers among which one is missing come as floats.
        Value::Number(number) => Ok(match number.as_f64() {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e15 => format!("{whole:.0}"),
            _ => number.to_string(),
        }),
        _ => fault("invalid_type", "must be a string or a number"),
    }
}

fn number(value: &Value) -> Parsed<f64> {
    match value.as_f64() {
        Some(number) if number.is_finite() => Ok(number),
        Some(_) => fault("out_of_range", "must be finite"),
        None if value.is_boolean() => Ok(f64::from(u8::from(value == &Value::Bool(true)))),
        None => fault("invalid_type", "must be a number"),
    }
}

/// Columns must be of one length, and of a sane one.
fn lengths(columns: &[(&str, Option<usize>)], n: usize) -> Vec<FieldError> {
    let mut faults: Vec<FieldError> = columns
        .iter()
        .filter(|(_, length)| length.is_some_and(|length| length != n))
        .map(|(field, _)| FieldError {
            field: (*field).to_owned(),
            code: "different_length",
            message: "must have as many values as the others".to_owned(),
        })
        .collect();
    if n > MOST {
        faults.push(FieldError {
            field: "y".to_owned(),
            code: "too_many_rows",
            message: format!("must have at most {MOST} rows"),
        });
    }
    faults
}

/// Reads what came: the columns `uniqueId` (one series where absent), `ds` (absent where what was foretold had no time) and `y`,
/// numbers or true and false.
///
/// # Errors
/// `validation_failed` with every field error at once.
pub fn actuals(body: &Value) -> Result<Vec<Actual>> {
    let mut fields = Fields::of(body)?;
    let ids = fields.optional("uniqueId", |v| fields::list(v, id));
    let times = fields.optional("ds", |v| fields::list(v, ds));
    let y = fields.required("y", |v| fields::list(v, number));
    let columns = [
        ("uniqueId", ids.as_ref().map(Vec::len)),
        ("ds", times.as_ref().map(Vec::len)),
    ];
    let faults = lengths(&columns, y.len());
    fields.finish(faults)?;
    let text = |list: &Option<Vec<String>>, i: usize| {
        list.as_ref()
            .and_then(|l| l.get(i))
            .cloned()
            .unwrap_or_default()
    };
    let each = y.into_iter().enumerate().map(|(i, y)| Actual {
        id: text(&ids, i),
        ds: text(&times, i),
        y,
    });
    Ok(each.collect())
}

/// Reads predictions made elsewhere as a run: `model`, `measure` (`number` or `probability`), the columns `uniqueId`, `ds` and `mean`, and,
/// where there are intervals, `lower` and `upper` of the level `level` (95 by default).
///
/// # Errors
/// `validation_failed` with every field error at once.
pub fn predictions(body: &Value) -> Result<Run> {
    const MEASURES: [(&str, Measure); 2] = [
        ("number", Measure::Number),
        ("probability", Measure::Probability),
    ];
    let mut fields = Fields::of(body)?;
    let model = fields.required("model", fields::log_name);
    let measure = fields.optional("measure", |v| fields::one_of(v, &MEASURES));
    let ids = fields.optional("uniqueId", |v| fields::list(v, id));
    let times = fields.optional("ds", |v| fields::list(v, ds));
    let mean = fields.required("mean", |v| fields::list(v, number));
    let lower = fields.optional("lower", |v| fields::list(v, number));
    let upper = fields.optional("upper", |v| fields::list(v, number));
    let level = fields.optional("level", |v| match v.as_f64() {
        Some(level) if level > 0.0 && level < 100.0 => Ok(level),
        Some(_) => fault("out_of_range", "must be above 0 and below 100"),
        None => fault("invalid_type", "must be a number"),
    });
    let length = |list: &Option<Vec<f64>>| list.as_ref().map(Vec::len);
    let mut faults = lengths(
        &[
            ("uniqueId", ids.as_ref().map(Vec::len)),
            ("ds", times.as_ref().map(Vec::len)),
            ("lower", length(&lower)),
            ("upper", length(&upper)),
        ],
        mean.len(),
    );
    if lower.is_some() != upper.is_some() {
        faults.push(FieldError {
            field: "upper".to_owned(),
            code: "required",
            message: "`lower` and `upper` go together".to_owned(),
        });
    }
    let mut wrong = |field: &str, row: usize, message: &str| {
        if faults.len() < 20 {
            faults.push(FieldError {
                field: format!("{field}[{row}]"),
                code: "out_of_range",
                message: message.to_owned(),
            });
        }
    };
    if measure == Some(Measure::Probability) {
        for (row, _) in mean
            .iter()
            .enumerate()
            .filter(|(_, p)| !(0.0..=1.0).contains(*p))
        {
            wrong("mean", row, "must be a probability, from 0 to 1");
        }
    }
    for (row, (low, high)) in lower
        .iter()
        .flatten()
        .zip(upper.iter().flatten())
        .enumerate()
    {
        if low > high {
            wrong("lower", row, "must not be above `upper`");
        }
    }
    fields.finish(faults)?;
    let bounds = lower.zip(upper);
    let mean: Vec<Option<f64>> = mean.into_iter().map(Some).collect();
    let series = series(ids.as_deref(), times.as_deref(), &mean, bounds.as_ref());
    let tail = (1.0 - level.unwrap_or(95.0) / 100.0) / 2.0;
    Ok(Run {
        word: "predictions".to_owned(),
        model,
        measure: measure.unwrap_or_default(),
        grid: if bounds.is_some() {
            vec![tail, 1.0 - tail]
        } else {
            Vec::new()
        },
        series,
        ..Run::default()
    })
}

/// Reads forecasts of our own as a run: the columns `uniqueId`, `ds` and `mean`, where nulls are what nothing is known of.
///
/// # Errors
/// `validation_failed`, which would be a fault of ours.
pub(crate) fn foretold(columns: &Value) -> Result<Run> {
    let mut fields = Fields::of(columns)?;
    let ids = fields.required("uniqueId", |v| fields::list(v, id));
    let times = fields.required("ds", |v| fields::list(v, ds));
    let maybe = |v: &Value| match v {
        Value::Null => Ok(None),
        v => number(v).map(Some),
    };
    let mean = fields.required("mean", |v| fields::list(v, maybe));
    fields.finish(Vec::new())?;
    Ok(Run {
        series: series(Some(&ids), Some(&times), &mean, None),
        ..Run::default()
    })
}

/// Rows as series, in the order of their first rows.
fn series(
    ids: Option<&[String]>,
    times: Option<&[String]>,
    mean: &[Option<f64>],
    bounds: Option<&(Vec<f64>, Vec<f64>)>,
) -> Vec<Fan> {
    let mut places = std::collections::HashMap::new();
    let mut series: Vec<Fan> = Vec::new();
    for (i, mean) in mean.iter().enumerate() {
        let id = ids.and_then(|l| l.get(i)).cloned().unwrap_or_default();
        let place = *places.entry(id.clone()).or_insert_with(|| {
            series.push(Fan {
                id,
                ..Fan::default()
            });
            series.len() - 1
        });
        let Some(fan) = series.get_mut(place) else {
            continue;
        };
        fan.ds
            .push(times.and_then(|l| l.get(i)).cloned().unwrap_or_default());
        fan.mean.push(*mean);
        if let Some((lower, upper)) = bounds {
            fan.quantiles
                .push(vec![lower.get(i).copied(), upper.get(i).copied()]);
        }
    }
    series
}
