//! What happens within hours: days do not only change from hour to hour, and where they jump no line between two hours follows.

use super::settings::{MINUTE, Settings};

const QUARTER: i64 = 15 * MINUTE;

/// A day has so many.
const QUARTERS: usize = 96;

/// What a quarter is off its hour is an average of about so many days.
const HABIT: f64 = 10.0;

/// The unit in which that is kept, and the most that is kept, of what its hour says.
const FINE: f64 = 1.0 / 20_000.0;
const MOST: f64 = 0.5;

/// With so many hits a quarter is half of what it was off by chance.
const SURE: f64 = 300.0;

/// By how much each quarter of an hour of the day is off what its hour says; nothing for buckets that are longer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quarters {
    pub(super) off: [i16; QUARTERS],
    /// The quarter that is going on: its number since 1970, what came, and what its hour says.
    pub(super) now: (i64, f64, f64),
}

impl Quarters {
    pub(super) fn new() -> Self {
        Self {
            off: [0; QUARTERS],
            now: (0, 0.0, 0.0),
        }
    }

    /// How far the bucket is off that starts at this local time, where its hour says so many hits.
    pub(super) fn of(&self, settings: &Settings, local: i64, hits: f64) -> f64 {
        let Some(number) = number(settings, local) else {
            return 0.0;
        };
        let off = self.off.get(place(number)).copied().unwrap_or_default();
        let hits = hits * QUARTER as f64 / settings.step as f64;
        f64::from(off) * FINE * hits / (hits + SURE)
    }

    /// Learns from a bucket that is part of no finding.
    pub(super) fn learn(&mut self, settings: &Settings, local: i64, came: f64, said: f64) {
        let Some(number) = number(settings, local) else {
            return;
        };
        let (before, sum, of) = self.now;
        if before == number {
            self.now = (number, sum + came, of + said);
            return;
        }
        self.now = (number, came, said);
        let off = (sum / of - 1.0).clamp(-MOST, MOST) / FINE;
        if let Some(known) = (self.off.get_mut(place(before))).filter(|_| of > 0.0) {
            let next = f64::from(*known) + (off - f64::from(*known)) / HABIT;
            *known = next.round() as i16;
        }
    }
}

/// The number of a bucket's quarter since 1970.
fn number(settings: &Settings, local: i64) -> Option<i64> {
    (settings.step <= QUARTER).then(|| (local + settings.step / 2).div_euclid(QUARTER))
}

/// Which quarter of its day it is.
fn place(number: i64) -> usize {
    number.rem_euclid(QUARTERS as i64) as usize
}
