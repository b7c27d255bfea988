//! The tables as Arrow batches, with the column names that an import expects.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;

use super::chance::hash;
use super::places::decimal;
use super::{Table, World};
use crate::error::{Error, Result};

/// How many rows a batch has.
const ROWS: usize = 32_768;

/// What an id is of, so that two things of one number never share one.
#[derive(Clone, Copy)]
pub(super) enum Thing {
    User,
    Anonymous,
    Event,
    Session,
    Trip,
    Booking,
    Payment,
    Review,
}

impl World {
    /// The rows of a table, batch by batch; events in the order in which they were received, late ones and copies among
    /// them. Amounts are exact decimal text, times are microseconds in UTC, properties are JSON objects as text.
    ///
    /// A booking's status is the one at the demo's `end`.
    ///
    /// # Errors
    /// None is expected: an error here is a fault of travelsense.
    pub fn batches(&self, table: Table) -> impl Iterator<Item = Result<RecordBatch>> + Send + '_ {
        (0..self.count(table))
            .step_by(ROWS)
            .map(move |from| self.chunk(table, from))
    }

    /// The same as a source that an import takes; it holds on to the platform until it has been read.
    ///
    /// # Errors
    /// None is expected: an error here is a fault of travelsense.
    pub fn reader(self: &Arc<Self>, table: Table) -> Result<Box<dyn RecordBatchReader + Send>> {
        let schema = self.chunk(table, usize::MAX)?.schema();
        let world = Arc::clone(self);
        let batches = (0..self.count(table)).step_by(ROWS).map(move |from| {
            world
                .chunk(table, from)
                .map_err(|e| ArrowError::ExternalError(Box::new(e)))
        });
        Ok(Box::new(RecordBatchIterator::new(batches, schema)))
    }

    /// The rows from there on, as many as a batch has.
    fn chunk(&self, table: Table, from: usize) -> Result<RecordBatch> {
        let count = self.count(table);
        let rows = from.min(count)..from.saturating_add(ROWS).min(count);
        match table {
            Table::Events => self.events(rows),
            Table::Profiles => self.profiles(rows),
            Table::Rates => self.rates(rows),
            Table::Trips => self.trips(rows),
            Table::Bookings => self.bookings(rows),
            Table::Payments => self.payments(rows),
            Table::Reviews => self.reviews(rows),
            Table::Performance => self.performance(rows),
        }
    }

    /// An id of 24 hex digits, as the platform gives them.
    pub(super) fn id(&self, thing: Thing, person: u32, number: u16, at: i64) -> String {
        let (seed, kind) = (self.demo.seed, thing as u64);
        let person = u64::from(person) << 16 | u64::from(number);
        let high = hash([seed, kind, person, at as u64]);
        let low = hash([high, kind, person, seed]);
        format!("{:08x}{low:016x}", high >> 32)
    }

    pub(super) fn user(&self, person: u32) -> Option<String> {
        let member = self.people.get(person as usize)?.member?;
        Some(self.id(Thing::User, person, 0, member))
    }

    pub(super) fn money(&self, person: u32, minor: i64) -> String {
        decimal(
            minor,
            self.people
                .get(person as usize)
                .map_or(2, |t| t.currency().digits),
        )
    }

    pub(super) fn currencies(&self, people: impl Iterator<Item = u32>) -> ArrayRef {
        let code = |person: u32| self.people.get(person as usize).map(|t| t.currency().code);
        Arc::new(people.map(code).collect::<StringArray>())
    }
}

pub(super) fn text(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

pub(super) fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values))
}

pub(super) fn dates(days: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(days.map(|d| d.map(|d| d as i32)).collect::<Date32Array>())
}

pub(super) fn batch<const N: usize>(columns: [(&'static str, ArrayRef); N]) -> Result<RecordBatch> {
    let field = |(name, column): &(&'static str, ArrayRef)| {
        Field::new(*name, column.data_type().clone(), true)
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|c| c.1).collect())
        .map_err(Error::internal)
}
