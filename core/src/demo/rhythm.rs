//! When things happen: the day curve and the week in every home's own time, growth, the campaign and the outage.

use jiff::civil::Weekday;

use super::chance::Chance;
use super::places::{HOMES, Home};
use super::{DAY, Demo, HOUR};
use crate::query::{Instant, Zone};

/// How busy each hour of the local day is.
const CURVE: [u64; 24] = [
    14, 8, 5, 4, 4, 7, 15, 28, 40, 48, 54, 58, 66, 60, 54, 53, 56, 62, 74, 90, 100, 94, 66, 34,
];

/// How busy each local weekday is, from Monday: travel is dreamt of on Sundays.
const WEEK: [u64; 7] = [100, 94, 90, 92, 86, 104, 132];

/// A stretch of time, half-open, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Stretch {
    pub(super) fn has(self, at: i64) -> bool {
        self.from <= at && at < self.to
    }
}

/// The hours of the demo as one home lives them.
struct Hours {
    home: &'static Home,
    /// The local hour of day of each hour.
    local: Vec<u8>,
    /// The local month of each hour.
    month: Vec<i8>,
    /// How busy the hours before each hour were, added up.
    visits: Vec<u64>,
    /// How many people arrived before each hour, added up.
    arrivals: Vec<u64>,
    /// How busy the busiest day is.
    busiest: u64,
}

/// The clockwork of the demo.
pub(super) struct Rhythm {
    /// From the first event to the end of the live hours.
    pub(super) all: Stretch,
    /// Four days in which many new people come.
    pub(super) campaign: Stretch,
    /// Two hours in which hardly anything works.
    pub(super) outage: Stretch,
    /// When price alerts were released.
    pub(super) release: i64,
    homes: Vec<Hours>,
}

impl Rhythm {
    pub(super) fn of(demo: &Demo) -> crate::Result<Self> {
        // Hours are whole hours of UTC, the first and the last perhaps cut by the range.
        let start = demo.start().div_euclid(HOUR) * HOUR;
        let to = demo.end.micros() + i64::from(demo.live_hours) * HOUR;
        let all = Stretch {
            from: demo.start(),
            to,
        };
        let span = demo.end.micros() - all.from;
        let day = |at: i64| at.div_euclid(DAY) * DAY;
        let campaign = day(all.from + span * 11 / 18);
        let outage = day(all.from + span * 4 / 5) + 18 * HOUR;
        let mut rhythm = Self {
            all,
            campaign: Stretch {
                from: campaign,
                to: campaign + 4 * DAY,
            },
            outage: Stretch {
                from: outage,
                to: outage + 2 * HOUR,
            },
            release: day(all.from + span / 2) + 9 * HOUR,
            homes: Vec::with_capacity(HOMES.len()),
        };
        let hours = (to - start + HOUR - 1).div_euclid(HOUR).max(1);
        for home in &HOMES {
            let hours = rhythm.hours(home, start, hours, span)?;
            rhythm.homes.push(hours);
        }
        Ok(rhythm)
    }

    fn hours(
        &self,
        home: &'static Home,
        start: i64,
        hours: i64,
        span: i64,
    ) -> crate::Result<Hours> {
        let zone = Zone::named(home.zone)?;
        let mut all = Hours {
            home,
            local: Vec::new(),
            month: Vec::new(),
            visits: vec![0],
            arrivals: vec![0],
            busiest: 1,
        };
        let (mut visits, mut arrivals) = (0, 0);
        for hour in 0..hours {
            let at = start + hour * HOUR;
            let instant = Instant::saturating_from_micros(at);
            let date = zone.date(instant);
            let local = (at + zone.offset(instant)).rem_euclid(DAY) / HOUR;
            let weekday = WEEK
                .get(monday_based(date.weekday()))
                .copied()
                .unwrap_or(100);
            let busy = CURVE.get(local as usize).copied().unwrap_or(1) * weekday;
            // Arrivals grow by three fifths over the range; the campaign more than doubles them.
            let growth = 1_000 + (600 * i128::from(at - start) / i128::from(span.max(1))) as u64;
            let boost = if self.campaign.has(at) { 26 } else { 10 };
            visits += busy;
            arrivals += busy * growth * boost;
            all.local.push(local as u8);
            all.month.push(date.month());
            all.visits.push(visits);
            all.arrivals.push(arrivals);
        }
        all.busiest = (0..all.local.len())
            .map(|h| all.day(h))
            .max()
            .unwrap_or(1)
            .max(1);
        Ok(all)
    }

    /// Somebody's home.
    pub(super) fn home(&self, chance: &mut Chance) -> usize {
        let mut mark = chance.below(HOMES.iter().map(|h| h.share).sum());
        for (at, home) in HOMES.iter().enumerate() {
            if mark < home.share {
                return at;
            }
            mark -= home.share;
        }
        0
    }

    /// When somebody from there comes for the first time.
    pub(super) fn arrival(&self, home: usize, chance: &mut Chance) -> i64 {
        let Some(hours) = self.homes.get(home) else {
            return self.all.from;
        };
        let total = hours.arrivals.last().copied().unwrap_or(0);
        let mark = chance.below(total);
        let hour = hours
            .arrivals
            .partition_point(|sum| *sum <= mark)
            .saturating_sub(1);
        let at = self.within(hour, chance);
        // The last hour may be cut too: who would come after the end comes an hour earlier.
        if at < self.all.to {
            at
        } else {
            (at - HOUR).max(self.all.from)
        }
    }

    /// A moment at which somebody from there would come by who meant to at about `near`: that day or soon after,
    /// at an hour of day at which people are awake, on Sundays rather than on Wednesdays.
    pub(super) fn visit(&self, home: usize, near: i64, chance: &mut Chance) -> i64 {
        let Some(hours) = self.homes.get(home) else {
            return near;
        };
        let mut hour = self.hour(near);
        for _ in 0..6 {
            if hour >= hours.local.len() || chance.below(hours.busiest) < hours.day(hour) {
                break;
            }
            hour += 24;
        }
        if hour >= hours.local.len() {
            return self.all.to;
        }
        let (from, to) = hours.bounds(hour);
        let sum = |h: usize| hours.visits.get(h).copied().unwrap_or(0);
        let mark = sum(from) + chance.below(sum(to) - sum(from));
        self.within(
            hours
                .visits
                .partition_point(|s| *s <= mark)
                .saturating_sub(1),
            chance,
        )
    }

    /// The local month there, 1 to 12.
    pub(super) fn month(&self, home: usize, at: i64) -> i8 {
        let months = self.homes.get(home).map(|h| &h.month);
        months
            .and_then(|m| m.get(self.hour(at)).or(m.last()))
            .copied()
            .unwrap_or(1)
    }

    /// How busy the platform is at that hour, of all homes together, in hundredths of the busiest hour.
    pub(super) fn load(&self, at: i64) -> u64 {
        let hour = self.hour(at);
        let busy = |h: &Hours| {
            let curve = h.local.get(hour).and_then(|l| CURVE.get(usize::from(*l)));
            curve.copied().unwrap_or(0) * h.home.share
        };
        self.homes.iter().map(busy).sum::<u64>() / HOMES.iter().map(|h| h.share).sum::<u64>()
    }

    fn hour(&self, at: i64) -> usize {
        let start = self.all.from.div_euclid(HOUR);
        (at.div_euclid(HOUR) - start).max(0) as usize
    }

    fn within(&self, hour: usize, chance: &mut Chance) -> i64 {
        let start = (self.all.from.div_euclid(HOUR) + hour as i64) * HOUR;
        // The first hour may be cut; clients stamp in milliseconds.
        let from = start.max(self.all.from);
        from + chance.between(0, (start + HOUR - from) / 1_000 - 1) * 1_000
    }
}

impl Hours {
    /// The local day around an hour, as far as it is in the range.
    fn bounds(&self, hour: usize) -> (usize, usize) {
        let local = usize::from(self.local.get(hour).copied().unwrap_or(0));
        (
            hour.saturating_sub(local),
            (hour + 24 - local).min(self.local.len()),
        )
    }

    fn day(&self, hour: usize) -> u64 {
        let (from, to) = self.bounds(hour);
        let sum = |h: usize| self.visits.get(h).copied().unwrap_or(0);
        sum(to) - sum(from)
    }
}

fn monday_based(day: Weekday) -> usize {
    day.to_monday_zero_offset() as usize
}
