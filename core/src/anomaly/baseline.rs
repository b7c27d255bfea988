//! What is usual: for each hour of the week the median of the last weeks, and how far values stray from it.

use super::settings::{DAY, HOUR, Measure, Settings, WEEK};

/// How many weeks are remembered where a week has an hour for each place.
const WEEKS: usize = 4;

/// How many groups of hours have a spread of their own: one for each hour of the day.
pub(super) const GROUPS: usize = 24;

/// How many days are remembered of each hour: one incident is no habit.
const DAYS: usize = 3;

/// With so many hits an hour is half of what it lately was off by chance.
const SURE: f64 = 100.0;

/// Distances below this are those of rounding.
const EQUAL: f32 = 1e-5;

/// The median distance of independent arrivals, and the one that one in twenty exceeds, in units of chance.
const CHANCE: (f32, f32) = (0.674_5, 1.96);

/// A series varies that strayed from what was expected on two days within so long.
const STILL: i64 = 4 * WEEK;

/// So many hits are what the other days say at an hour, beside what its own weeks say.
const OTHERS: f64 = 10.0;

/// From so many values on a group knows its own spread; before, that of all groups counts as `ALL` of them, and what so few say is
/// as if it were more by `FEW` of how many there are.
const MANY: f64 = 60.0;
const ALL: f64 = 20.0;
const FEW: f64 = 2.0;

/// Where in its week a bucket is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// The place whose values it belongs to.
    pub(super) slot: usize,
    /// Which of the spreads is its own.
    pub(super) group: usize,
    /// How far its middle is from the middle of its place, of a place: −0.5 to 0.5.
    pub(super) aside: f64,
    /// The number of its week.
    pub(super) week: i64,
}

/// The rhythm of a week and the spread around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Baseline {
    /// How many places a week has.
    pub(super) slots: usize,
    /// How many weeks are kept of each.
    pub(super) weeks: usize,
    /// The value of each place in each week, an average of its buckets; not a number where there is none.
    pub(super) values: Vec<f32>,
    /// By how much each hour of the day was off in the last days, of what was usual at their level; the newest last.
    pub(super) hours: [[f32; DAYS]; GROUPS],
    /// The median distance of values, in the unit of chance, for each group.
    pub(super) middle: [f32; GROUPS],
    /// The distance that one value in twenty exceeds.
    pub(super) tail: [f32; GROUPS],
    /// How many values each spread has seen, up to 60,000.
    pub(super) seen: [u16; GROUPS],
    /// How much further sums of ten distances stray than those of independent values, as a variance.
    pub(super) drag: f32,
    /// The distances added up towards the next ten, and how many.
    pub(super) ten: (f32, u8),
    /// When something was not what was expected: first within a day, and the same before that. One incident is no variation.
    pub(super) strayed: (i64, i64),
    /// The amounts of the last weeks and their squares, added up.
    pub(super) amounts: (f64, f64),
}

/// What is expected of one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    /// The value.
    pub(super) value: f64,
    /// One robust standard deviation; nothing where the series never varies.
    pub(super) deviation: Option<f64>,
}

impl Baseline {
    pub(super) fn new(settings: &Settings) -> Self {
        let (slots, weeks) = match settings.step {
            step if step <= HOUR => (168, WEEKS),
            step if step < DAY && DAY % step == 0 => ((WEEK / step) as usize, WEEKS),
            step if step <= DAY => (7, 8),
            _ => (1, 26),
        };
        Self {
            slots,
            weeks,
            values: vec![f32::NAN; slots * weeks],
            hours: [[0.0; DAYS]; GROUPS],
            middle: [0.0; GROUPS],
            tail: [0.0; GROUPS],
            seen: [0; GROUPS],
            drag: 1.0,
            ten: (0.0, 0),
            strayed: (i64::MIN, i64::MIN),
            amounts: (0.0, 0.0),
        }
    }

    /// Where a bucket is that starts at this local time.
    pub(super) fn place(&self, local: i64, step: i64) -> Place {
        // 1970-01-01 was a Thursday, the fourth day of a week from Monday on.
        let since_monday = local + 3 * DAY;
        if self.slots == 1 {
            return Place {
                slot: 0,
                group: 0,
                aside: 0.0,
                week: since_monday.div_euclid(step),
            };
        }
        let length = WEEK / self.slots as i64;
        let middle = since_monday + step.min(length) / 2;
        let of_week = middle.rem_euclid(WEEK);
        let inside = (of_week % length) as f64 / length as f64;
        let slot = (of_week / length) as usize;
        Place {
            slot,
            // Days have one spread, and parts of days each its own.
            group: self.group(slot),
            aside: inside - 0.5,
            week: middle.div_euclid(WEEK),
        }
    }

    /// Which of the spreads is that of a slot.
    pub(super) fn group(&self, slot: usize) -> usize {
        slot % (self.slots / 7).max(1)
    }

    /// What is usual at a place: the median of its weeks, between the middles of two places on the line from one to the other.
    /// Nothing before two weeks are known. `hits` is how many hits a place has for each 1 of its value.
    pub(super) fn usual(&self, place: Place, hits: f64) -> Option<f64> {
        let here = self.of_place(place.slot, hits)?;
        if self.slots != 168 || place.aside == 0.0 {
            return Some(here);
        }
        let next = if place.aside > 0.0 { 1 } else { self.slots - 1 };
        let there = self.of_place((place.slot + next) % self.slots, hits);
        Some(there.map_or(here, |there| here + (there - here) * place.aside.abs()))
    }

    /// The median of a place's weeks. The median of a few small counts is noise and mostly too low, so that where hits are few
    /// those of the same hour on all days of a week count as well.
    fn of_place(&self, slot: usize, hits: f64) -> Option<f64> {
        let own = self.weeks_of(slot)?;
        let here = self.median(own.iter().copied())?;
        let hits = hits * own.iter().filter(|v| !v.is_nan()).count() as f64;
        // Many hits say all there is to say.
        if self.slots == 1 || here.abs() * hits > 50.0 * OTHERS {
            return Some(here);
        }
        let Some(others) = self.of_all_days(slot) else {
            return Some(here);
        };
        let known = others.abs() * hits;
        Some((here * known + others * OTHERS) / (known + OTHERS))
    }

    /// The median week of what an average day has at the hour of a place.
    fn of_all_days(&self, slot: usize) -> Option<f64> {
        let days = self.slots / 7;
        self.median((0..self.weeks).map(|week| {
            let of_day = |day: usize| {
                self.values
                    .get((slot % days + day * days) * self.weeks + week)
            };
            let known = (0..7).filter_map(of_day).filter(|v| !v.is_nan());
            let (sum, count) = known.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
            if count < 4.0 { f32::NAN } else { sum / count }
        }))
    }

    fn weeks_of(&self, slot: usize) -> Option<&[f32]> {
        self.values.get(slot * self.weeks..(slot + 1) * self.weeks)
    }

    /// The median of what is known of so many weeks; nothing of too few.
    fn median(&self, weeks: impl Iterator<Item = f32>) -> Option<f64> {
        let mut known: [f32; 32] = [0.0; 32];
        let mut count = 0;
        for (value, room) in weeks.filter(|v| !v.is_nan()).zip(&mut known) {
            *room = value;
            count += 1;
        }
        let least = if self.slots == 1 { 4 } else { 2 };
        let known = known.get_mut(..count).filter(|k| k.len() >= least)?;
        known.sort_by(f32::total_cmp);
        let (low, high) = (known.get((count - 1) / 2)?, known.get(count / 2)?);
        Some(f64::midpoint(f64::from(*low), f64::from(*high)))
    }

    /// Remembers what a place came to in a week.
    pub(super) fn keep(&mut self, slot: usize, week: i64, value: f64) {
        let at = slot * self.weeks + week.rem_euclid(self.weeks as i64) as usize;
        if let Some(room) = self.values.get_mut(at) {
            *room = value as f32;
        }
    }

    /// Learns from an hour that is over, and came to that at an even level, by how much it is off from what was usual until then.
    pub(super) fn keep_lately(&mut self, slot: usize, hits: f64, value: f64) {
        let off = self.of_place(slot, hits).map(|usual| value / usual - 1.0);
        if let (168, Some(off), Some(days)) = (
            self.slots,
            off.filter(|off| off.is_finite()),
            self.hours.get_mut(slot % GROUPS),
        ) {
            days.rotate_left(1);
            if let Some(last) = days.last_mut() {
                *last = off as f32;
            }
        }
    }

    /// By how much the hour of a bucket was off lately, as where clocks change and habits with them: the median of its last days, on
    /// the line from hour to hour. `hits` is how many an hour has.
    pub(super) fn lately(&self, place: Place, hits: f64) -> f64 {
        if self.slots != 168 {
            return 0.0;
        }
        let of = |slot: usize| {
            let mut days = self.hours.get(slot % GROUPS).copied().unwrap_or_default();
            days.sort_by(f32::total_cmp);
            f64::from(days.get(DAYS / 2).copied().unwrap_or_default())
        };
        let next = if place.aside > 0.0 { 1 } else { self.slots - 1 };
        let (here, there) = (of(place.slot), of(place.slot + next));
        let off = here + (there - here) * place.aside.abs();
        off * hits.abs() / (hits.abs() + SURE)
    }

    /// What is usual in an average bucket of a week; `hits` is how many hits a place has for each 1 of its value.
    pub(super) fn average(&self, hits: f64) -> f64 {
        let known = (0..self.slots).filter_map(|slot| self.of_place(slot, hits));
        let (sum, count) = known.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
        sum / count
    }

    /// Makes all that was known before a local time larger or smaller by a factor, at a place that has only begun; it is forgotten
    /// where there is no factor.
    pub(super) fn scale_before(
        &mut self,
        factor: Option<f64>,
        (before, now): (i64, Place),
        step: i64,
    ) {
        let factor = factor.map_or(f32::NAN, |factor| factor as f32);
        let (length, week) = match self.slots {
            1 => (step, step),
            slots => (WEEK / slots as i64, WEEK),
        };
        let weeks = self.weeks as i64;
        for (at, value) in self.values.iter_mut().enumerate() {
            let (slot, which) = (at / self.weeks, (at % self.weeks) as i64);
            let last = now.week - i64::from(slot >= now.slot);
            let number = last - (last - which).rem_euclid(weeks);
            let middle = number * week + slot as i64 * length + length / 2 - 3 * DAY;
            if middle < before {
                *value *= factor;
            }
        }
    }

    /// Remembers an amount and the sum of the squares it is made of, as part of the last four weeks.
    pub(super) fn add(&mut self, step: i64, amount: f64, squares: f64) {
        let keep = 0.5_f64.powf(step as f64 / (4 * WEEK) as f64);
        self.amounts.0 = self.amounts.0 * keep + amount;
        self.amounts.1 = self.amounts.1 * keep + squares;
    }

    /// What one hit is: 1 of counts and shares. A sum of independent amounts strays as far as a count of equal pieces does whose
    /// size is the mean of the amounts weighted by themselves (of a compound Poisson sum the variance is that of the squares).
    pub(super) fn piece(&self, measure: Measure) -> f64 {
        let piece = self.amounts.1 / self.amounts.0.abs();
        if measure == Measure::Amount && piece.is_finite() && piece > 0.0 {
            piece
        } else {
            1.0
        }
    }

    /// What one hit is as far as values tell: those that stray so many times as far as their pieces say are as sure as if each was so
    /// much larger. Counts and shares are what they are.
    pub(super) fn grain(&self, measure: Measure, group: usize, at: i64) -> f64 {
        let strays = match measure {
            Measure::Amount => self.deviation(group, at),
            Measure::Count | Measure::Share => None,
        };
        self.piece(measure) * strays.unwrap_or(1.0).powi(2)
    }

    /// The unit of chance: how far independent arrivals stray from an expectation.
    pub(super) fn unit(&self, measure: Measure, expected: f64, of: f64) -> f64 {
        let piece = self.piece(measure);
        let hits = expected.abs() / piece;
        let variance = if measure == Measure::Share {
            hits * (1.0 - (hits / of.max(1.0)).min(1.0))
        } else {
            hits
        };
        variance.max(0.25).sqrt() * piece
    }

    /// One robust standard deviation in units of chance: of the median distance or of the tail, whichever says more, and never
    /// surer than arrivals that know nothing of each other; of a group of which few values were seen, between its own and that of
    /// all. Nothing where all was as expected for weeks.
    pub(super) fn deviation(&self, group: usize, at: i64) -> Option<f64> {
        let varies = at.saturating_sub(self.strayed.1) <= STILL;
        // No value strays by less, and none was seen of a group that does.
        let own = self.spread(group)?.max(0.5);
        let seen = f64::from(*self.seen.get(group)?);
        let spread = if seen < MANY {
            let between = (seen * own.ln() + ALL * self.spread_of_all()?.ln()) / (seen + ALL);
            between.exp() * (1.0 + FEW / (seen + 1.0))
        } else {
            own
        };
        varies.then(|| spread.max(1.0))
    }

    /// How far the values of a group stray, in units of chance.
    fn spread(&self, group: usize) -> Option<f64> {
        let middle = f64::from(*self.middle.get(group)?);
        let tail = f64::from(*self.tail.get(group)?);
        Some((1.482_6 * middle).max(tail / 1.96))
    }

    /// How far those of all groups do, as a mean of those that know it.
    fn spread_of_all(&self) -> Option<f64> {
        let mut sums = (0.0, 0.0);
        for (group, seen) in self.seen.iter().enumerate().filter(|(_, seen)| **seen > 0) {
            let seen = f64::from(*seen);
            sums = (sums.0 + seen * self.spread(group)?.ln(), sums.1 + seen);
        }
        Some((sums.0 / sums.1).exp())
    }

    /// Learns from the value of the bucket that starts at `at` how far values stray: `distance` in units of chance.
    pub(super) fn stray(&mut self, group: usize, at: i64, distance: f64) {
        let (Some(middle), Some(tail), Some(seen)) = (
            self.middle.get_mut(group),
            self.tail.get_mut(group),
            self.seen.get_mut(group),
        ) else {
            return;
        };
        let away = distance.abs() as f32;
        if away >= EQUAL && at.saturating_sub(self.strayed.0) >= DAY {
            self.strayed = (at, self.strayed.0);
        }
        if *seen == 0 {
            // One value says little, and one that is as expected nothing: chance is the least.
            (*middle, *tail) = (away.max(CHANCE.0), (2.5 * away).max(CHANCE.1));
        }
        // Steps that grow smaller find the quantiles; the least of them keeps following what changes.
        let gain = (1.0 / (1.0 + f32::from(*seen) * 0.5)).max(0.02);
        let toward = |value: &mut f32, above: f32, below: f32, least: f32| {
            let by = if away > *value { above } else { -below };
            *value = (*value * (gain * by).exp()).max(least);
        };
        // Below chance there is nothing to know, and from far below the way back is long.
        toward(middle, 0.5, 0.5, 0.5 * CHANCE.0);
        toward(tail, 0.95, 0.05, 0.5 * CHANCE.1);
        *seen = seen.saturating_add(1).min(60_000);
        let unit = *middle * 1.482_6;
        self.ten.0 += (distance as f32 / unit).clamp(-4.0, 4.0);
        self.ten.1 += 1;
        if self.ten.1 >= 10 {
            let variance = (self.ten.0 * self.ten.0 / 10.0).min(16.0);
            self.drag += 0.01 * (variance - self.drag);
            self.ten = (0.0, 0);
        }
    }
}
