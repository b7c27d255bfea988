//! Believable events from a seed: users of very unequal activity over 90 days, who come in visits and go from page to page.

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
const SECOND: u64 = 1_000_000;
const BATCH: usize = 65_536;

const NAMES: [&str; 10] = [
    "page_view",
    "search",
    "view_trip",
    "login",
    "wishlist",
    "start_booking",
    "review",
    "error",
    "complete_booking",
    "payment",
];

/// How many of a thousand visits begin with each name.
const FIRST: [u64; 10] = [400, 300, 120, 140, 5, 0, 25, 10, 0, 0];

/// For each name, how many of a thousand times each name follows.
const NEXT: [[u64; 10]; 10] = [
    [330, 330, 170, 60, 20, 10, 60, 20, 0, 0],
    [150, 300, 430, 20, 30, 30, 10, 30, 0, 0],
    [200, 250, 280, 20, 90, 120, 20, 20, 0, 0],
    [350, 350, 150, 10, 40, 40, 40, 20, 0, 0],
    [300, 300, 250, 10, 30, 60, 30, 20, 0, 0],
    [120, 80, 100, 60, 20, 60, 10, 60, 490, 0],
    [500, 250, 150, 20, 20, 10, 30, 20, 0, 0],
    [400, 250, 150, 60, 20, 70, 10, 40, 0, 0],
    [100, 40, 40, 0, 0, 10, 10, 20, 10, 770],
    [500, 150, 100, 20, 30, 20, 140, 40, 0, 0],
];

/// The names that are about a trip, which alone have a destination.
const OF_TRIPS: [usize; 4] = [1, 2, 5, 8];

/// Each user is from one of them.
const COUNTRIES: [&str; 8] = ["de", "es", "fr", "gb", "it", "nl", "pl", "us"];

/// Where trips go, the first ones most.
const DESTINATIONS: [&str; 8] = [
    "Lisbon", "Paris", "Rome", "Tokyo", "Oslo", "Cairo", "Lima", "Quito",
];

/// So many events, twenty a user on average and five a visit; visits stand in the order in which they begin.
pub(crate) fn reader(events: u64) -> impl RecordBatchReader + Send + 'static {
    let (mut made, mut visit) = (0, 0);
    batches(move |rows| {
        while made < events && rows.ts.len() < BATCH {
            let at = i128::from(made) * i128::from(SPAN) / i128::from(events);
            made += visited(rows, visit, START + at as i64, events, made);
            visit += 1;
        }
    })
}

/// So many events of one user who searches again and again, looks at every tenth trip, begins to book every hundredth and
/// never completes: a funnel that can begin anywhere and never ends.
pub(crate) fn busy(events: u64) -> impl RecordBatchReader + Send + 'static {
    let mut made = 0;
    batches(move |rows| {
        while made < events && rows.ts.len() < BATCH {
            let at = i128::from(made) * i128::from(SPAN) / i128::from(events);
            let name = match made {
                n if n % 100 == 99 => 5,
                n if n % 10 == 9 => 2,
                _ => 1,
            };
            rows.push(0, name, START + at as i64, mixed(made));
            made += 1;
        }
    })
}

/// Adds one visit and tells how many events it has.
fn visited(rows: &mut Rows, visit: u64, start: i64, events: u64, made: u64) -> u64 {
    let mut drawn = visit << 6;
    let mut draw = || {
        drawn += 1;
        mixed(drawn)
    };
    // The product of two even draws: a tenth of the users have a third of the visits.
    let (a, b) = (draw(), draw());
    let share = ((a >> 32) * (b >> 32)) >> 32;
    let user = mixed((share * (events / 20).max(1)) >> 32);
    let length = (1 + draw() % 9).min(events - made);
    let mut ts = start;
    let mut name = chosen(&FIRST, draw());
    for place in 0..length {
        if place > 0 {
            name = NEXT.get(name).map_or(0, |next| chosen(next, draw()));
            // Now and then somebody comes back so late that it is another session.
            let pause = draw();
            let long = if pause % 40 == 0 { 2_400 * SECOND } else { 0 };
            ts += (5 * SECOND + pause / 64 % (235 * SECOND) + long) as i64;
        }
        rows.push(user, name, ts, draw());
    }
    length
}

/// The place at which a thousand shares reach a draw.
fn chosen(shares: &[u64; 10], draw: u64) -> usize {
    let mut left = draw % 1000;
    shares
        .iter()
        .position(|share| {
            let here = left < *share;
            left = left.saturating_sub(*share);
            here
        })
        .unwrap_or_default()
}

#[derive(Default)]
struct Rows {
    user: Vec<String>,
    name: Vec<&'static str>,
    ts: Vec<i64>,
    country: Vec<&'static str>,
    destination: Vec<Option<&'static str>>,
}

impl Rows {
    fn push(&mut self, user: u64, name: usize, ts: i64, draw: u64) {
        self.user.push(format!("{user:024x}"));
        self.name.push(NAMES.get(name).copied().unwrap_or_default());
        self.ts.push(ts);
        self.country.push(pick(&COUNTRIES, user));
        let trip = draw % 8 * (draw / 8 % 8) / 7;
        let of_trip = OF_TRIPS.contains(&name);
        self.destination
            .push(of_trip.then(|| pick(&DESTINATIONS, trip)));
    }

    fn batch(self, schema: &Arc<Schema>) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(self.user)),
            Arc::new(StringArray::from(self.name)),
            Arc::new(TimestampMicrosecondArray::from(self.ts)),
            Arc::new(StringArray::from(self.country)),
            Arc::new(StringArray::from(self.destination)),
        ];
        RecordBatch::try_new(Arc::clone(schema), columns)
    }
}

fn batches(
    mut fill: impl FnMut(&mut Rows) + Send + 'static,
) -> impl RecordBatchReader + Send + 'static {
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let schema = Arc::new(Schema::new(vec![
        Field::new("userId", DataType::Utf8, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("ts", micros, false),
        Field::new("country", DataType::Utf8, false),
        Field::new("destination", DataType::Utf8, true),
    ]));
    let of = Arc::clone(&schema);
    let all = std::iter::from_fn(move || {
        let mut rows = Rows::default();
        fill(&mut rows);
        (!rows.ts.is_empty()).then(|| rows.batch(&of))
    });
    RecordBatchIterator::new(all, schema)
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
