//! Twenty million believable events: a million users of very unequal activity over 90 days, from a seed.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::error::ArrowError;

/// The first instant: 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000_000;
const SPAN: i64 = 90 * 86_400_000_000;
const BATCH: u64 = 65_536;

/// Event names and their shares in a thousand.
const NAMES: [(&str, u64); 10] = [
    ("page_view", 320),
    ("search", 240),
    ("view_trip", 190),
    ("login", 70),
    ("wishlist", 45),
    ("start_booking", 45),
    ("review", 30),
    ("error", 15),
    ("complete_booking", 25),
    ("payment", 20),
];

/// Each user is from one of them.
const COUNTRIES: [&str; 8] = ["de", "es", "fr", "gb", "it", "nl", "pl", "us"];

/// Where trips go, the first ones most.
const DESTINATIONS: [&str; 8] = [
    "Lisbon", "Paris", "Rome", "Tokyo", "Oslo", "Cairo", "Lima", "Quito",
];

/// Events in the order of their times, twenty for each user on average.
pub(crate) fn reader(events: u64) -> Result<impl RecordBatchReader + Send + 'static, ArrowError> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("userId", DataType::Utf8, false),
        Field::new("name", DataType::Utf8, false),
        Field::new(
            "ts",
            DataType::Timestamp(TimeUnit::Microsecond, None),
            false,
        ),
        Field::new("country", DataType::Utf8, false),
        Field::new("destination", DataType::Utf8, true),
    ]));
    let of = Arc::clone(&schema);
    let batches = (0..events)
        .step_by(BATCH as usize)
        .map(move |from| batch(&of, from, (from + BATCH).min(events), events));
    Ok(RecordBatchIterator::new(batches, schema))
}

fn batch(schema: &Arc<Schema>, from: u64, to: u64, events: u64) -> Result<RecordBatch, ArrowError> {
    let users = (events / 20).max(1);
    let mut user = Vec::with_capacity(BATCH as usize);
    let mut name = Vec::with_capacity(BATCH as usize);
    let mut ts = Vec::with_capacity(BATCH as usize);
    let mut country = Vec::with_capacity(BATCH as usize);
    let mut destination = Vec::with_capacity(BATCH as usize);
    for i in from..to {
        let [a, b, c] = [mixed(3 * i), mixed(3 * i + 1), mixed(3 * i + 2)];
        // The square of an even draw: a tenth of the users have a third of the events.
        let share = ((a >> 32) * (a & 0xffff_ffff)) >> 32;
        let id = mixed((share * users) >> 32);
        user.push(format!("{id:024x}"));
        country.push(pick(&COUNTRIES, id));
        let draw = b % 1000;
        let mut sum = 0;
        name.push(
            NAMES
                .iter()
                .find(|n| {
                    sum += n.1;
                    draw < sum
                })
                .map_or("page_view", |n| n.0),
        );
        // Only what is about a trip has a destination.
        let trip = name.last().is_some_and(|n| {
            ["search", "view_trip", "start_booking", "complete_booking"].contains(n)
        });
        destination.push(trip.then(|| pick(&DESTINATIONS, b / 1000 % 8 * (b / 8000 % 8) / 7)));
        let at = i128::from(i) * i128::from(SPAN) / i128::from(events);
        ts.push(START + at as i64 + (c % 30_000_000) as i64);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(user)),
        Arc::new(StringArray::from(name)),
        Arc::new(TimestampMicrosecondArray::from(ts)),
        Arc::new(StringArray::from(country)),
        Arc::new(StringArray::from(destination)),
    ];
    RecordBatch::try_new(Arc::clone(schema), columns)
}

/// One of eight, by the remainder.
fn pick(names: &[&'static str; 8], n: u64) -> &'static str {
    names.get((n % 8) as usize).copied().unwrap_or_default()
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the n-th number of its sequence from a fixed seed.
fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
