//! What the platform itself leaves behind: latency samples, exchange rates, events of nobody.

use super::chance::Chance;
use super::person::{Event, NOBODY, What};
use super::places::CURRENCIES;
use super::rhythm::Rhythm;
use super::{DAY, Demo, MINUTE};

/// How long one request took.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) at: i64,
    pub(super) endpoint: &'static str,
    pub(super) micros: i64,
    pub(super) status: u16,
}

/// What one unit of a currency was worth on a day, in hundred-millionths of a euro.
#[derive(Clone, Copy)]
pub(super) struct DailyRate {
    pub(super) day: i64,
    pub(super) currency: &'static str,
    pub(super) worth: i64,
}

/// The endpoints and their usual time in microseconds.
const ENDPOINTS: [(&str, i64); 6] = [
    ("/home", 38_000),
    ("/search", 145_000),
    ("/trips/{id}", 62_000),
    ("/bookings", 110_000),
    ("/payments", 320_000),
    ("/chat", 45_000),
];

// Streams above every person's number.
const SAMPLES: u64 = 1 << 40;
const RATES: u64 = SAMPLES + 1;
const CRAWLERS: u64 = SAMPLES + 2;

/// One sample of each endpoint every five minutes: slower when it is busy, ten times as slow in the outage.
pub(super) fn performance(seed: u64, rhythm: &Rhythm) -> Vec<Sample> {
    let mut chance = Chance::of(seed, SAMPLES);
    let mut samples = Vec::new();
    let mut at = rhythm.all.from;
    while at < rhythm.all.to {
        let down = rhythm.outage.has(at);
        let load = 70 + rhythm.load(at) as i64;
        for (endpoint, usual) in ENDPOINTS {
            let slow = if down { 1_000 } else { 100 };
            let least = usual * load * slow / 20_000;
            let status = match chance.hits(if down { 5_500 } else { 30 }) {
                true if down => 503,
                true => 500,
                false => 200,
            };
            let at = at + chance.between(0, 299_999) * 1_000;
            samples.push(Sample {
                at,
                endpoint,
                micros: least + chance.wait(least),
                status,
            });
        }
        at += 5 * MINUTE;
    }
    samples.retain(|s| s.at < rhythm.all.to);
    samples.sort_by_key(|s| s.at);
    samples
}

/// One rate a day for every currency but the base, from the day before the first event to the last day; each moves by at
/// most 0.45 % a day.
pub(super) fn rates(seed: u64, rhythm: &Rhythm) -> Vec<DailyRate> {
    let mut chance = Chance::of(seed, RATES);
    let mut worth: Vec<_> = CURRENCIES
        .iter()
        .skip(1)
        .map(|c| (c.code, c.worth))
        .collect();
    let mut rates = Vec::new();
    for day in rhythm.all.from.div_euclid(DAY) - 1..=rhythm.all.to.div_euclid(DAY) {
        for (currency, worth) in &mut worth {
            *worth += *worth * chance.between(-45, 45) / 10_000;
            rates.push(DailyRate {
                day,
                currency,
                worth: *worth,
            });
        }
    }
    rates
}

/// Crawlers and probes: events without any user, about 3 in 1,000.
pub(super) fn nobody(demo: &Demo, rhythm: &Rhythm) -> Vec<Event> {
    let mut chance = Chance::of(demo.seed, CRAWLERS);
    let hours = u64::from(demo.days) * 24 + u64::from(demo.live_hours);
    let count = (u64::from(demo.users) * hours * 7 / 240_000).max(8) as u32;
    let millis = (rhythm.all.to - rhythm.all.from) / 1_000;
    let event = |seq| {
        let ts = rhythm.all.from + chance.below(millis as u64) as i64 * 1_000;
        let page = chance.pick(&[(3, "home"), (5, "destination"), (2, "guide")]);
        let what = if chance.hits(800) {
            What::Error { status: 404, page }
        } else {
            What::Page(page, "crawler")
        };
        let received = ts + 20_000 + chance.wait(200_000);
        Event {
            received,
            ts,
            person: NOBODY,
            seq,
            session: 0,
            device: 0,
            known: false,
            premium: false,
            what,
        }
    };
    (0..count).map(event).collect()
}
