//! Judges a series bucket by bucket: one step a value, whatever came before.

use serde::Serialize;

use super::baseline::{Baseline, Expected, Place};
use super::chance;
use super::finding::{Direction, Finding, Interval, Severity, Shape};
use super::quarters::Quarters;
use super::run::{ALONE, Bucket, Run};
use super::settings::{DAY, HOUR, Measure, Settings};
use super::trend::Days;
use crate::query::Instant;

/// Changes by this share are what sums are tuned to find.
pub(super) const SOUGHT: f64 = 0.3;

/// What sums let pass in one bucket, in standard deviations, that are to find large changes soon: half of what can be told from
/// chance in ten buckets.
const QUICK: f64 = 0.95;

/// No bucket alone is told that is less off; how far it has to be takes longer to compute.
const NEAR: f64 = 3.0;

/// How far expectations follow what is going on, of what is usual.
const FOLLOW: f64 = 0.25;

/// Of so many hours is the average that says how far a series was from its rhythm lately.
const SLOW: f64 = 24.0;

/// With so many hits in the time in which it would follow half of a change, it follows half as fast: few say little.
const FEW: f64 = 10.0;

/// Watches one series: learns its rhythm, and judges each bucket by what came before it. It takes the same time and the same
/// memory for every bucket, below 4 kB, and can be stored between two of them; see [`Detector::encode`].
///
/// Buckets are given once, complete, and in order. It judges after two weeks; incidents do not enter what it learns.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    pub(super) settings: Settings,
    pub(super) baseline: Baseline,
    /// Buckets that start before this have been taken.
    pub(super) next: i64,
    /// How far the series is from its rhythm at present, as a share.
    pub(super) level: f64,
    /// How far it was in the last day or two: what an hour is off beyond that is its own.
    pub(super) slow: f64,
    pub(super) quarters: Quarters,
    /// Sums up and down, first those for changes as they are sought, then those for large ones where such a change drowns in chance.
    pub(super) runs: [Run; 4],
    pub(super) open: Option<Open>,
    pub(super) place: Sum,
    pub(super) day: Sum,
    pub(super) days: Days,
    /// The day until which no further change of growth is told.
    pub(super) bent: i64,
    /// Whether nothing comes any more, for good: the rhythm is kept for when it comes back, and none of it is expected.
    pub(super) gone: bool,
}

/// What has come together in an hour or a day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) slot: u32,
    pub(super) number: i64,
    pub(super) value: f64,
    pub(super) of: f64,
    pub(super) buckets: u32,
}

/// A finding that lasts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Open {
    pub(super) finding: Finding,
    /// All since it began.
    pub(super) whole: Run,
    /// How much speaks for its end.
    pub(super) back: Run,
    /// What the rhythm says of all since it was found, and what came: how large it is, without what was chosen to find it.
    pub(super) rest: (f64, f64),
}

/// Why a bucket was judged or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was compared with what was expected.
    Judged,
    /// Too little is known yet.
    Learning,
    /// Too little is expected to tell.
    TooFew,
    /// It was taken before.
    Seen,
}

/// What became of one bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Whether it was judged.
    pub status: Status,
    /// What was expected; nothing while that is not known.
    pub expected: Option<f64>,
    /// The 95 % interval of what was expected; nothing where the series never varies.
    pub interval: Option<Interval>,
    /// How many robust standard deviations it is off; nothing where the series never varies (S4).
    pub score: Option<f64>,
    /// Findings that began with it, became worse or longer than a point, or ended before it; few buckets have one.
    pub findings: Vec<Finding>,
    /// Whether something is not as usual now.
    pub unusual: bool,
}

impl Detector {
    /// Knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            baseline: Baseline::new(&settings),
            settings,
            next: i64::MIN,
            level: 0.0,
            slow: 0.0,
            quarters: Quarters::new(),
            runs: [Run::default(); 4],
            open: None,
            place: Sum::default(),
            day: Sum::default(),
            days: Days::new(),
            bent: i64::MIN,
            gone: false,
        }
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is not as usual now.
    pub fn finding(&self) -> Option<&Finding> {
        self.open.as_ref().map(|open| &open.finding)
    }

    /// Takes the next complete bucket: its start, the offset of local time from UTC there in microseconds, its value and, for
    /// shares, of how many it is, for amounts the sum of their squares. A bucket that was taken before changes nothing.
    pub fn take(&mut self, start: Instant, offset: i64, value: f64, of: f64) -> Judgement {
        let at = start.micros();
        if at < self.next || !value.is_finite() || !of.is_finite() {
            return self.unjudged(Status::Seen, None);
        }
        self.next = at.saturating_add(self.settings.step);
        let measure = self.settings.measure;
        let of = if measure == Measure::Count { 1.0 } else { of };
        let whole = if measure == Measure::Share { of } else { 1.0 };
        if measure == Measure::Amount && self.open.is_none() {
            self.baseline.add(self.settings.step, value, of);
        }
        let local = at.saturating_add(offset);
        let place = self.baseline.place(local, self.settings.step);
        let grain = self.baseline.grain(measure, place.group, at);
        let hits = whole / grain * self.settings.places();
        let grown = self.turn(place, (at, local), hits);
        let Some(usual) = self.baseline.usual(place, hits).map(|u| u * whole) else {
            self.gather(place, local, (value, whole, 0.0));
            return self.unjudged(Status::Learning, grown);
        };
        let lately = self.baseline.lately(place, usual / whole * hits);
        let said = usual * (1.0 + self.level) * (1.0 + lately);
        let aside = said.abs() / self.baseline.piece(measure);
        let aside = self.quarters.of(&self.settings, local, aside);
        let rhythm = said * (1.0 + aside);
        let bucket = Bucket {
            start: at,
            local,
            rhythm,
            expected: if self.gone { 0.0 } else { rhythm },
            observed: value,
            of,
        };
        let unit = self.baseline.unit(measure, bucket.expected, of);
        let deviation = self.baseline.deviation(place.group, at);
        let expected = Expected {
            value: bucket.expected,
            deviation: deviation.map(|d| d * unit),
        };
        if !self.knows(place) {
            self.learn(place, &bucket, (usual, said), expected);
            return self.unjudged(Status::Learning, grown);
        }
        let z = self.standard(&bucket, expected);
        let found = match self.open.take() {
            Some(open) => self.go_on(open, &bucket, expected, z),
            None => (self.begin(&bucket, expected, z, None).into_iter()).collect(),
        };
        if self.gone {
            // What does not come teaches no rhythm.
        } else if self.open.is_none() {
            self.learn(place, &bucket, (usual, said), expected);
        } else {
            // One week in four moves no median, and what comes again at the same hour of a week is usual.
            self.gather(place, local, (value, whole, 0.0));
        }
        let volume = self.volume(bucket.expected, bucket.expected, of);
        // Short buckets are judged together.
        let together = if self.settings.coarse() { 1.0 } else { 10.0 };
        Judgement {
            status: if volume * together < self.settings.least_volume {
                Status::TooFew
            } else {
                Status::Judged
            },
            expected: Some(expected.value),
            interval: expected
                .deviation
                .map(|d| self.around(expected.value, d, whole)),
            score: expected.deviation.map(|d| (value - expected.value) / d),
            findings: grown.into_iter().chain(found).collect(),
            unusual: self.open.is_some(),
        }
    }

    fn unjudged(&self, status: Status, finding: Option<Finding>) -> Judgement {
        Judgement {
            status,
            expected: None,
            interval: None,
            score: None,
            findings: finding.into_iter().collect(),
            unusual: self.open.is_some(),
        }
    }

    /// What is expected of nineteen in twenty; a share is a part of `whole`.
    pub(super) fn around(&self, expected: f64, deviation: f64, whole: f64) -> Interval {
        let (low, high) = (expected - 1.96 * deviation, expected + 1.96 * deviation);
        match self.settings.measure {
            Measure::Amount => Interval { low, high },
            Measure::Count => Interval {
                low: low.max(0.0),
                high,
            },
            Measure::Share => Interval {
                low: low.max(0.0),
                high: high.min(whole),
            },
        }
    }

    /// How many hits speak where so much was expected and came; of a share the misses speak as well.
    pub(super) fn volume(&self, expected: f64, observed: f64, of: f64) -> f64 {
        let measure = self.settings.measure;
        let hits = expected.abs().max(observed.abs()) / self.baseline.piece(measure);
        match measure {
            Measure::Count | Measure::Amount => hits,
            Measure::Share => hits.min((of - expected).max(of - observed)),
        }
    }

    /// Whether enough values were seen to know how far they stray.
    fn knows(&self, place: Place) -> bool {
        let three_days = (3 * HOUR / self.settings.step).clamp(7, 180);
        let seen = self.baseline.seen.get(place.group).copied().unwrap_or(0);
        i64::from(seen) >= three_days
    }

    /// How many standard deviations a bucket is off. Of a series that never varies, a change that is worth telling is beyond any
    /// number of them, and a smaller one is none.
    fn standard(&self, bucket: &Bucket, expected: Expected) -> f64 {
        let off = bucket.observed - bucket.expected;
        match expected.deviation {
            Some(deviation) => off / deviation,
            None if off.abs() >= self.settings.least_change * bucket.expected.abs()
                && off != 0.0 =>
            {
                off.signum() * 100.0
            }
            None => 0.0,
        }
    }

    /// What sums let pass in one bucket: half of the change they are to find, or a quarter of a standard deviation where so
    /// little is expected that it drowns in chance.
    pub(super) fn allowance(&self, expected: Expected) -> f64 {
        expected.deviation.map_or(1.0, |deviation| {
            (0.5 * SOUGHT * expected.value.abs() / deviation).max(0.25)
        })
    }

    /// How high a sum has to come: as high as chance seldom brings it, and higher than one bucket alone can.
    fn height(&self, allowance: f64) -> f64 {
        // Two sums each way share the alarms.
        (chance::height(allowance, 2.0 * self.settings.patience()) * self.drag()).max(ALONE)
    }

    pub(super) fn drag(&self) -> f64 {
        f64::from(self.baseline.drag).clamp(1.0, 4.0)
    }

    /// Which way each sum goes, and what it lets pass in one bucket.
    fn ways(&self, expected: Expected) -> [(f64, f64); 4] {
        let allowance = self.allowance(expected);
        let quick = allowance.max(QUICK * self.drag().sqrt());
        [
            (1.0, allowance),
            (-1.0, allowance),
            (1.0, quick),
            (-1.0, quick),
        ]
    }

    /// Adds a bucket to the sums.
    fn sum(&mut self, bucket: &Bucket, expected: Expected, (z, tail): (f64, f64)) {
        // Few minutes of few hits are skewed, and no more than they say on either scale.
        let sure = if tail.abs() < z.abs() { tail } else { z };
        let ways = self.ways(expected);
        let sums = self.runs.iter_mut().zip(ways).zip([z, z, sure, sure]);
        for ((run, (sign, allowance)), z) in sums {
            run.take(sign * z, allowance, bucket);
        }
    }

    /// Whether a finding begins with a bucket; while one lasts, only one the other way does.
    pub(super) fn begin(
        &mut self,
        bucket: &Bucket,
        expected: Expected,
        z: f64,
        lasts: Option<Direction>,
    ) -> Option<Finding> {
        let ways = self.ways(expected);
        let allowance = self.allowance(expected);
        let tail = self.tail(bucket, expected, z);
        self.sum(bucket, expected, (z, tail));
        let along = |sign: f64| match lasts {
            Some(Direction::Up) => sign > 0.0,
            Some(Direction::Down) => sign < 0.0,
            None => false,
        };
        for (run, (sign, _)) in self.runs.iter_mut().zip(ways) {
            if along(sign) {
                *run = Run::default();
            }
        }
        if self.settings.coarse() {
            let mut alone = Run::default();
            alone.take(100.0, 0.0, bucket);
            if tail.abs() > NEAR && tail.abs() > self.far() && !along(tail) && self.worth(&alone) {
                return Some(self.found(Shape::Point, alone, expected, (tail, allowance)));
            }
        }
        for (run, (_, allowance)) in self.runs.into_iter().zip(ways) {
            if f64::from(run.height) > self.height(allowance) && self.worth(&run) {
                return Some(self.found(Shape::Burst, run, expected, (z, allowance)));
            }
        }
        None
    }

    /// How many standard deviations of a normal value one bucket alone is off: rises of small counts are less rare than their
    /// difference says, and falls are rarer.
    fn tail(&self, bucket: &Bucket, expected: Expected, z: f64) -> f64 {
        let Some(deviation) = expected.deviation else {
            return z;
        };
        let measure = self.settings.measure;
        let piece = self.baseline.piece(measure);
        let of = (measure == Measure::Share).then_some(bucket.of);
        let (count, hits) = (bucket.observed / piece, bucket.expected / piece);
        if count < 0.0 || hits < 0.0 {
            return z;
        }
        let unit = self.baseline.unit(measure, bucket.expected, bucket.of);
        chance::off(count, hits, of) * unit / deviation
    }

    /// How far one bucket alone has to be off.
    pub(super) fn far(&self) -> f64 {
        (1.2 * chance::out((2.0 / self.settings.patience()).min(0.5))).max(NEAR)
    }

    /// Whether a stretch is off by enough, and of enough, to be told.
    pub(super) fn worth(&self, run: &Run) -> bool {
        let enough = self.volume(run.expected, run.observed, run.of);
        let change = run
            .change()
            .is_none_or(|c| c.abs() >= self.settings.least_change);
        enough >= self.settings.least_volume && change && run.observed != run.expected
    }

    fn found(
        &mut self,
        shape: Shape,
        run: Run,
        expected: Expected,
        (z, allowance): (f64, f64),
    ) -> Finding {
        let finding = self.describe(shape, &run, expected, (z, allowance));
        self.runs = [Run::default(); 4];
        self.open = Some(Open {
            finding: finding.clone(),
            whole: run,
            back: Run::default(),
            rest: (0.0, 0.0),
        });
        finding
    }

    fn describe(
        &self,
        shape: Shape,
        run: &Run,
        expected: Expected,
        (z, allowance): (f64, f64),
    ) -> Finding {
        let measure = self.settings.measure;
        let buckets = f64::from(run.buckets.max(1));
        let (mean, came, spread) = {
            // A share is told as such, and not as a count.
            let per = if measure == Measure::Share {
                run.of.max(1.0)
            } else {
                buckets
            };
            let unit = expected.deviation.map(|d| {
                let last = self
                    .baseline
                    .unit(measure, expected.value, run.of / buckets);
                run.spread(&self.baseline, measure, (d / last, self.drag()))
            });
            (
                run.expected / per,
                run.observed / per,
                unit.map(|u| u / per),
            )
        };
        let change = run.change();
        let score = spread.map(|s| (came - mean) / s);
        Finding {
            shape,
            direction: if came >= mean {
                Direction::Up
            } else {
                Direction::Down
            },
            severity: Severity::of(change),
            since: Instant::saturating_from_micros(run.since),
            found_at: Instant::saturating_from_micros(self.next - self.settings.step),
            until: None,
            expected: mean,
            interval: spread.map_or(
                Interval {
                    low: mean,
                    high: mean,
                },
                |s| self.around(mean, s, 1.0),
            ),
            observed: came,
            change,
            score,
            p_value: score.map(|_| match shape {
                Shape::Point => chance::beyond(z),
                _ => chance::reaches(allowance, f64::from(run.height), self.drag()),
            }),
        }
    }

    /// Learns from a bucket that is part of no finding.
    fn learn(
        &mut self,
        place: Place,
        bucket: &Bucket,
        (usual, said): (f64, f64),
        expected: Expected,
    ) {
        let measure = self.settings.measure;
        let unit = self.baseline.unit(measure, bucket.expected, bucket.of);
        let off = bucket.observed - bucket.expected;
        self.quarters
            .learn(&self.settings, bucket.local, bucket.observed, said);
        self.baseline.stray(place.group, bucket.start, off / unit);
        if usual != 0.0 {
            // What is clipped is as rare above as below, or few hits would draw the level down.
            let relative = off / usual.abs();
            let most = expected.deviation.map_or(0.0, |d| 2.0 * d / usual.abs());
            let half = (2 * HOUR).max(7 * self.settings.step) as f64 / self.settings.step as f64;
            let grain = self.baseline.grain(measure, place.group, bucket.start);
            let hits = usual.abs() / grain * half;
            let gain = (1.0 - 0.5_f64.powf(1.0 / half)) * hits / (hits + FEW);
            self.level = (self.level + gain * relative.clamp(-most, most)).clamp(-FOLLOW, FOLLOW);
        }
        let whole = if measure == Measure::Share {
            bucket.of
        } else {
            1.0
        };
        self.gather(place, bucket.local, (bucket.observed, whole, usual));
    }

    /// Adds a bucket to its hour, and to its day where something was usual and it is part of no finding.
    fn gather(&mut self, place: Place, local: i64, (value, of, usual): (f64, f64, f64)) {
        self.place = Sum {
            slot: place.slot as u32,
            number: place.week,
            value: self.place.value + value,
            of: self.place.of + of,
            buckets: self.place.buckets + 1,
        };
        if usual > 0.0 {
            self.day = Sum {
                slot: 0,
                number: local.div_euclid(DAY),
                value: self.day.value + value,
                of: self.day.of + usual,
                buckets: self.day.buckets + 1,
            };
        }
    }

    /// Ends the hour and the day before a bucket, if it is in the next.
    fn turn(&mut self, place: Place, (at, local): (i64, i64), hits: f64) -> Option<Finding> {
        let before = self.place;
        if before.buckets > 0 && (before.slot as usize, before.number) != (place.slot, place.week) {
            if before.of > 0.0 {
                let value = before.value / before.of;
                let slot = before.slot as usize;
                let group = self.baseline.group(slot);
                let grain = self.baseline.grain(self.settings.measure, group, at);
                let hits = before.of / grain;
                self.baseline
                    .keep_lately(slot, hits, value / (1.0 + self.slow));
                self.slow += (self.level - self.slow) / SLOW;
                self.baseline.keep(slot, before.number, value);
            }
            self.place = Sum::default();
        }
        let day = self.day;
        if day.buckets == 0 || day.number == local.div_euclid(DAY) {
            return None;
        }
        self.day = Sum::default();
        // What an average day of the week would have been, in the unit of the series.
        let level = self.baseline.average(hits) * day.value / day.of;
        self.days.push(day.number, level);
        let enough = self.volume(day.of, day.value, f64::INFINITY) >= self.settings.least_volume;
        let told = enough && self.open.is_none() && !self.gone && self.settings.step <= DAY;
        told.then(|| self.grown((at, local))).flatten()
    }
}
