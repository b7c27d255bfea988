//! The metrics of a demo, bucket by bucket.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use arrow::array::{Array as _, AsArray as _, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use serde_json::Value;
use travelsense::anomaly::Measure;
use travelsense::demo::{Demo, Table, World};
use travelsense::{Error, Instant, Result};

use super::{DAY, MINUTE};

/// The lengths of buckets in minutes.
pub(super) const STEPS: [usize; 4] = [1, 5, 15, 60];

/// So many people are made at once; more come in parts with seeds of their own, so that memory stays what it is.
const PART: u32 = 500_000;

/// The buckets of one metric: the value, and for shares of how many, for amounts the sum of their squares.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) measure: Measure,
    pub(super) step: usize,
    pub(super) values: Vec<(f64, f64)>,
}

/// What is counted in buckets of one length.
#[derive(Clone, Default)]
struct Counts {
    events: Vec<f64>,
    users: Vec<f64>,
    views: Vec<f64>,
    errors: Vec<f64>,
    buyers: Vec<f64>,
    money: Vec<f64>,
    squares: Vec<f64>,
}

/// All metrics of so many people over so many days from `start` on, in buckets of every length. The demo goes on for a day more:
/// near its end visits are missing that would go on beyond it.
pub(super) fn count(users: u32, days: usize, start: Instant) -> Result<Vec<Metric>> {
    let mut counts = STEPS.map(|step| Counts::new(days * 24 * 60 / step));
    let mut left = users;
    let mut seed = 0;
    while left > 0 {
        seed += 1;
        let part = left.min(PART);
        left -= part;
        let end = Instant::saturating_from_micros(start.micros() + (days as i64 + 1) * DAY);
        let demo = Demo {
            seed,
            users: part,
            days: days as u32 + 1,
            live_hours: 0,
            ..Demo::until(end)
        };
        add(&demo.make()?, start.micros(), &mut counts)?;
    }
    Ok((STEPS.into_iter().zip(counts))
        .flat_map(|(step, counts)| counts.metrics(step))
        .collect())
}

fn add(world: &World, start: i64, counts: &mut [Counts; STEPS.len()]) -> Result<()> {
    let worth = worth(world)?;
    let mut seen: [HashSet<u64>; STEPS.len()] = Default::default();
    for batch in world.batches(Table::Events) {
        let batch = batch?;
        let (names, known, anonymous, properties) = (
            text(&batch, "name")?,
            text(&batch, "user_id")?,
            text(&batch, "anonymous_id")?,
            text(&batch, "properties")?,
        );
        let times = batch.column_by_name("ts");
        let times = times.and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
        let times = times.ok_or_else(|| Error::internal("the demo has other times"))?;
        for row in 0..batch.num_rows() {
            let id = [&known, &anonymous]
                .into_iter()
                .find(|a| a.is_valid(row) && !a.value(row).is_empty());
            let money = amount(properties.value(row), &worth);
            for ((step, counts), seen) in STEPS.into_iter().zip(&mut *counts).zip(&mut seen) {
                let place = (times.value(row) - start).div_euclid(step as i64 * MINUTE);
                let Some(place) = usize::try_from(place)
                    .ok()
                    .filter(|p| *p < counts.events.len())
                else {
                    continue;
                };
                let add = |to: &mut Vec<f64>, by: f64| {
                    if let Some(value) = to.get_mut(place) {
                        *value += by;
                    }
                };
                let name = names.value(row);
                add(&mut counts.events, 1.0);
                add(&mut counts.money, money);
                add(&mut counts.squares, money * money);
                match name {
                    "page_view" => add(&mut counts.views, 1.0),
                    "error" => add(&mut counts.errors, 1.0),
                    _ => {}
                }
                let Some(id) = id else { continue };
                let mut first = |what: bool| {
                    let mut hash = DefaultHasher::new();
                    (place, id.value(row), what).hash(&mut hash);
                    seen.insert(hash.finish())
                };
                if first(false) {
                    add(&mut counts.users, 1.0);
                }
                if name == "complete_booking" && first(true) {
                    add(&mut counts.buyers, 1.0);
                }
            }
        }
    }
    Ok(())
}

fn text(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    let column = batch.column_by_name(name);
    let column = column.and_then(|c| c.as_string_opt::<i32>());
    column
        .cloned()
        .ok_or_else(|| Error::internal("the demo has other columns"))
}

/// What one unit of each currency is worth on the first day.
fn worth(world: &World) -> Result<HashMap<String, f64>> {
    let mut worth = HashMap::new();
    for batch in world.batches(Table::Rates) {
        let batch = batch?;
        let (currencies, rates) = (text(&batch, "currency")?, text(&batch, "rate")?);
        for (currency, rate) in currencies.iter().zip(&rates) {
            let rate = rate.and_then(|r| r.parse::<f64>().ok());
            if let (Some(currency), Some(rate)) = (currency, rate) {
                worth.entry(currency.to_owned()).or_insert(rate);
            }
        }
    }
    Ok(worth)
}

/// The amount of an event in the base currency; 0 where it has none.
fn amount(properties: &str, worth: &HashMap<String, f64>) -> f64 {
    if !properties.contains("\"amount\"") {
        return 0.0;
    }
    let properties: Value = serde_json::from_str(properties).unwrap_or_default();
    let amount = properties["amount"].as_str().map(str::parse::<f64>);
    let currency = properties["currency"].as_str().unwrap_or_default();
    amount.and_then(std::result::Result::ok).unwrap_or(0.0)
        * worth.get(currency).copied().unwrap_or(1.0)
}

impl Counts {
    fn new(buckets: usize) -> Self {
        let zeros = || vec![0.0; buckets];
        Self {
            events: zeros(),
            users: zeros(),
            views: zeros(),
            errors: zeros(),
            buyers: zeros(),
            money: zeros(),
            squares: zeros(),
        }
    }

    fn metrics(self, step: usize) -> Vec<Metric> {
        let count =
            |values: &[f64]| -> Vec<(f64, f64)> { values.iter().map(|v| (*v, 1.0)).collect() };
        let pair = |values: &[f64], of: &[f64]| -> Vec<(f64, f64)> {
            values.iter().copied().zip(of.iter().copied()).collect()
        };
        let all = [
            ("events_per_second", Measure::Count, count(&self.events)),
            ("active_users", Measure::Count, count(&self.users)),
            ("page_views", Measure::Count, count(&self.views)),
            (
                "error_rate",
                Measure::Share,
                pair(&self.errors, &self.events),
            ),
            (
                "conversion_rate",
                Measure::Share,
                pair(&self.buyers, &self.users),
            ),
            (
                "revenue_per_minute",
                Measure::Amount,
                pair(&self.money, &self.squares),
            ),
        ];
        let metric = |(name, measure, values)| Metric {
            name,
            measure,
            step,
            values,
        };
        all.into_iter().map(metric).collect()
    }
}
