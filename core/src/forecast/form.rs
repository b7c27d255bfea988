//! How the ids and times of a table came, so that those of its forecasts leave alike.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde_json::Value;

use super::grid::{civil, micros};
use super::series::label;
use crate::error::{Error, Result};
use crate::query::{Instant, Zone};

const DAY: i64 = 86_400_000_000;

/// The clock that a table's times are read by.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Clock {
    /// Times are civil times already.
    #[default]
    Civil,
    /// Times are instants, so many microseconds behind which civil time stands.
    Offset(i64),
    /// Times are instants, and civil time follows the rules of a zone.
    Zone(Zone),
}

impl Clock {
    /// The clock of an Arrow time zone: an IANA name, or an offset such as `+02:00`.
    pub(super) fn named(name: &str) -> Option<Self> {
        if let Ok(zone) = Zone::named(name) {
            return Some(Self::Zone(zone));
        }
        let (sign, rest) = match name.as_bytes().first()? {
            b'+' => (1, name.get(1..)?),
            b'-' => (-1, name.get(1..)?),
            _ => return None,
        };
        let (hours, minutes) = match rest.split_once(':') {
            Some((hours, minutes)) => (hours, minutes),
            None => (rest.get(..2)?, rest.get(2..)?),
        };
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        let fine = (0..=18).contains(&hours) && (0..60).contains(&minutes);
        fine.then_some(Self::Offset(sign * (hours * 60 + minutes) * 60_000_000))
    }

    /// The civil time of an instant, both in microseconds since 1970.
    pub(super) fn civil(&self, at: i64) -> i64 {
        match self {
            Self::Civil => at,
            Self::Offset(offset) => at.saturating_add(*offset),
            Self::Zone(zone) => micros(zone.civil(Instant::saturating_from_micros(at))),
        }
    }

    /// The instant of a civil time: the first of two, or the end of the gap where it is missing.
    pub(super) fn instant(&self, time: i64) -> i64 {
        match self {
            Self::Civil => time,
            Self::Offset(offset) => time.saturating_sub(*offset),
            Self::Zone(zone) => zone.instant(civil(time)).micros(),
        }
    }
}

/// How times came.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Times {
    /// Whole numbers of an Arrow type.
    Whole(DataType),
    /// Dates as text.
    Dates,
    /// Dates with times as text.
    Text,
    /// Dates or times of an Arrow type.
    Typed(DataType),
}

/// How the ids and times of a table came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Form {
    pub(super) id_name: String,
    pub(super) time_name: String,
    /// The Arrow type of the ids.
    pub(super) ids: DataType,
    pub(super) times: Times,
    pub(super) clock: Clock,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            id_name: "unique_id".to_owned(),
            time_name: "ds".to_owned(),
            ids: DataType::Utf8,
            times: Times::Text,
            clock: Clock::Civil,
        }
    }
}

impl Form {
    /// Whether times are whole numbers.
    pub(crate) fn integers(&self) -> bool {
        matches!(self.times, Times::Whole(_))
    }

    pub(crate) fn id_name(&self) -> String {
        self.id_name.clone()
    }

    pub(crate) fn time_name(&self) -> String {
        self.time_name.clone()
    }

    /// A time in JSON.
    pub(crate) fn written(&self, time: i64) -> Value {
        if self.integers() {
            return Value::from(time);
        }
        Value::from(label(time, false))
    }

    /// A column of ids.
    pub(crate) fn ids<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Result<ArrayRef> {
        let texts: StringArray = ids.map(Some).collect();
        cast(&texts, &self.ids).map_err(Error::internal)
    }

    /// A column of times.
    pub(crate) fn times(&self, times: &[i64]) -> Result<ArrayRef> {
        let wide: ArrayRef = match &self.times {
            Times::Whole(_) => Arc::new(times.iter().copied().collect::<Int64Array>()),
            Times::Dates => {
                let days = times.iter().map(|t| i32::try_from(t.div_euclid(DAY)).ok());
                Arc::new(days.collect::<Date32Array>())
            }
            Times::Text | Times::Typed(_) => {
                let instants = times.iter().map(|t| Some(self.clock.instant(*t)));
                let zone = match &self.times {
                    Times::Typed(DataType::Timestamp(_, zone)) => zone.clone(),
                    _ => None,
                };
                let array: TimestampMicrosecondArray = instants.collect();
                Arc::new(array.with_timezone_opt(zone))
            }
        };
        let (Times::Whole(kind) | Times::Typed(kind)) = &self.times else {
            return Ok(wide);
        };
        // A type too narrow for what lies ahead leaves the wide one.
        let narrow = cast(&wide, kind).map_err(Error::internal)?;
        Ok(if narrow.null_count() > 0 {
            wide
        } else {
            narrow
        })
    }
}
