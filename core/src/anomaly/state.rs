//! What a detector knows, as bytes that can be stored between two buckets: below 4 kB.

use super::detector::{Detector, Open, Sum};
use super::finding::{Direction, Finding, Interval, Severity, Shape};
use super::run::Run;
use super::settings::{Measure, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;

/// The first byte: which edition of this format it is.
const EDITION: u8 = 5;

impl Detector {
    /// All that it knows, in less than 4 kB.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Out(vec![EDITION]);
        let s = &self.settings;
        out.0.push(match s.measure {
            Measure::Count => 0,
            Measure::Share => 1,
            Measure::Amount => 2,
        });
        out.whole(s.step);
        for number in [s.alarms_a_week, s.least_change, s.least_volume] {
            out.number(number);
        }
        let q = &self.quarters;
        for number in [self.level, self.slow, q.now.1, q.now.2] {
            out.number(number);
        }
        out.whole(q.now.0);
        for off in q.off {
            out.0.extend(off.to_le_bytes());
        }
        out.whole(self.next);
        out.whole(self.bent);
        out.0.push(u8::from(self.gone));
        out.whole(self.days.last);
        let b = &self.baseline;
        let hours = b.hours.iter().flatten();
        for value in (b.values.iter().chain(&b.middle))
            .chain(&b.tail)
            .chain(hours)
        {
            out.single(*value);
        }
        for seen in b.seen {
            out.0.extend(seen.to_le_bytes());
        }
        out.single(b.drag);
        out.single(b.ten.0);
        out.0.push(b.ten.1);
        out.whole(b.strayed.0);
        out.whole(b.strayed.1);
        out.number(b.amounts.0);
        out.number(b.amounts.1);
        for value in self.days.values {
            out.single(value);
        }
        for sum in [&self.place, &self.day] {
            out.0.extend(sum.slot.to_le_bytes());
            out.whole(sum.number);
            out.number(sum.value);
            out.number(sum.of);
            out.0.extend(sum.buckets.to_le_bytes());
        }
        self.runs.iter().for_each(|run| out.run(run));
        if let Some(open) = &self.open {
            out.run(&open.whole);
            out.run(&open.back);
            out.number(open.rest.0);
            out.number(open.rest.1);
            out.finding(&open.finding);
        }
        out.0
    }

    /// The detector of which these bytes are what it knew.
    ///
    /// # Errors
    /// `corrupt` for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        read(bytes).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "corrupt",
                "the state of a detector cannot be read",
            )
        })
    }
}

fn read(bytes: &[u8]) -> Option<Detector> {
    let mut from = In(bytes);
    if from.byte()? != EDITION {
        return None;
    }
    let measure = match from.byte()? {
        0 => Measure::Count,
        1 => Measure::Share,
        2 => Measure::Amount,
        _ => return None,
    };
    let step = from.whole().filter(|s| *s > 0)?;
    let mut detector = Detector::new(Settings {
        alarms_a_week: from.number()?,
        least_change: from.number()?,
        least_volume: from.number()?,
        ..Settings::new(measure, step)
    });
    (detector.level, detector.slow) = (from.number()?, from.number()?);
    let (came, said) = (from.number()?, from.number()?);
    detector.quarters.now = (from.whole()?, came, said);
    for off in &mut detector.quarters.off {
        *off = i16::from_le_bytes(from.take()?);
    }
    detector.next = from.whole()?;
    detector.bent = from.whole()?;
    detector.gone = from.byte()? != 0;
    detector.days.last = from.whole()?;
    let b = &mut detector.baseline;
    let hours = b.hours.iter_mut().flatten();
    for value in (b.values.iter_mut().chain(&mut b.middle))
        .chain(&mut b.tail)
        .chain(hours)
    {
        *value = from.single()?;
    }
    for seen in &mut b.seen {
        *seen = u16::from_le_bytes(from.take()?);
    }
    b.drag = from.single()?;
    b.ten = (from.single()?, from.byte()?);
    b.strayed = (from.whole()?, from.whole()?);
    b.amounts = (from.number()?, from.number()?);
    for value in &mut detector.days.values {
        *value = from.single()?;
    }
    for sum in [&mut detector.place, &mut detector.day] {
        *sum = Sum {
            slot: u32::from_le_bytes(from.take()?),
            number: from.whole()?,
            value: from.number()?,
            of: from.number()?,
            buckets: u32::from_le_bytes(from.take()?),
        };
    }
    for run in &mut detector.runs {
        *run = from.run()?;
    }
    if !from.0.is_empty() {
        detector.open = Some(Open {
            whole: from.run()?,
            back: from.run()?,
            rest: (from.number()?, from.number()?),
            finding: from.finding()?,
        });
    }
    from.0.is_empty().then_some(detector)
}

struct Out(Vec<u8>);

impl Out {
    fn whole(&mut self, number: i64) {
        self.0.extend(number.to_le_bytes());
    }

    fn number(&mut self, number: f64) {
        self.0.extend(number.to_le_bytes());
    }

    fn single(&mut self, number: f32) {
        self.0.extend(number.to_le_bytes());
    }

    /// A number that may be missing.
    fn maybe(&mut self, number: Option<f64>) {
        self.number(number.unwrap_or(f64::NAN));
    }

    fn run(&mut self, run: &Run) {
        self.single(run.height);
        self.whole(run.since);
        self.0.extend(run.buckets.to_le_bytes());
        for number in [run.expected, run.observed, run.of] {
            self.number(number);
        }
    }

    fn finding(&mut self, finding: &Finding) {
        self.0.push(match finding.shape {
            Shape::Point => 0,
            Shape::Burst => 1,
            Shape::LevelShift => 2,
            Shape::TrendChange => 3,
        });
        self.0.push(match finding.direction {
            Direction::Up => 0,
            Direction::Down => 1,
        });
        self.0.push(match finding.severity {
            Severity::Minor => 0,
            Severity::Major => 1,
            Severity::Critical => 2,
        });
        self.whole(finding.since.micros());
        self.whole(finding.found_at.micros());
        for number in [
            finding.expected,
            finding.interval.low,
            finding.interval.high,
            finding.observed,
        ] {
            self.number(number);
        }
        self.maybe(finding.change);
        self.maybe(finding.score);
        self.maybe(finding.p_value);
    }
}

struct In<'a>(&'a [u8]);

impl In<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn whole(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    fn number(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    fn single(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes)
    }

    fn maybe(&mut self) -> Option<Option<f64>> {
        self.number().map(|n| Some(n).filter(|n| !n.is_nan()))
    }

    fn run(&mut self) -> Option<Run> {
        Some(Run {
            height: self.single()?,
            since: self.whole()?,
            buckets: u32::from_le_bytes(self.take()?),
            expected: self.number()?,
            observed: self.number()?,
            of: self.number()?,
        })
    }

    fn finding(&mut self) -> Option<Finding> {
        Some(Finding {
            shape: match self.byte()? {
                0 => Shape::Point,
                1 => Shape::Burst,
                2 => Shape::LevelShift,
                3 => Shape::TrendChange,
                _ => return None,
            },
            direction: match self.byte()? {
                0 => Direction::Up,
                1 => Direction::Down,
                _ => return None,
            },
            severity: match self.byte()? {
                0 => Severity::Minor,
                1 => Severity::Major,
                2 => Severity::Critical,
                _ => return None,
            },
            since: Instant::from_micros(self.whole()?)?,
            found_at: Instant::from_micros(self.whole()?)?,
            until: None,
            expected: self.number()?,
            interval: Interval {
                low: self.number()?,
                high: self.number()?,
            },
            observed: self.number()?,
            change: self.maybe()?,
            score: self.maybe()?,
            p_value: self.maybe()?,
        })
    }
}
