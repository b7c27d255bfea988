//! The pass for lifecycle and stickiness alone, over at most 128 periods and any event.
//!
//! A user's activity is the bits of one word, a bit for each period, and every state is a bit operation on it.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: the bits of rows are below the number of rows, ends of slices within their timeline"
)]

use super::people::State;
use super::plan::{Plan, before};
use super::question::{Metric, Preset};
use super::tally::Tally;
use crate::error::Result;
use crate::query::calendar::{Bits, DayBits, day_beginning};
use crate::query::{Calendar, Instant, Period};
use crate::timeline::{Day, Days, Timeline};

/// A question made ready for the pass.
#[derive(Debug)]
pub(super) struct Fast<'a> {
    plan: &'a Plan<'a>,
    bits: Bits<u128>,
    /// The same by days, where they tell all of it.
    pub(super) by_day: Option<ByDay>,
    /// The first instant that has a bit.
    start: i64,
    /// The bit of the first row, and those of all rows.
    shift: u32,
    rows: u128,
    stickiness: bool,
    lifecycle: bool,
    /// The bits of the trailing windows.
    trailing: [u128; 2],
}

/// The days of a question of all users whose range is one of whole days.
#[derive(Debug)]
pub(super) struct ByDay {
    bits: DayBits<u128>,
    /// The first day of the range, and the one after it.
    from: usize,
    until: usize,
}

impl ByDay {
    fn new(plan: &Plan<'_>, calendar: &Calendar) -> Option<Self> {
        let day = |micros| {
            day_beginning(
                &plan.question.range.zone,
                Instant::saturating_from_micros(micros),
            )
        };
        // What is not visible yet is not seen by days at all.
        let until = if plan.until > plan.as_of {
            usize::MAX
        } else {
            day(plan.until)?
        };
        let bit = |bucket: usize| 1_u128.checked_shl(bucket as u32);
        Some(Self {
            bits: DayBits::new(calendar, bit).filter(|_| plan.members.are_all())?,
            from: day(plan.from)?,
            until,
        })
    }
}

impl<'a> Fast<'a> {
    /// Nothing where the general pass is needed.
    pub(super) fn new(plan: &'a Plan<'a>) -> Result<Option<Self>> {
        let question = plan.question;
        let only = [Metric::Stickiness, Metric::Lifecycle];
        let plain = plan.activity.is_none()
            && question.preset == Preset::Exact
            && question.metrics.iter().all(|m| only.contains(m));
        let scale = plan.scale();
        let Some(first) = scale.rows.first().filter(|_| plain) else {
            return Ok(None);
        };
        let stickiness = question.asks(Metric::Stickiness);
        // Days are counted within the range only, so that it must not cut the first.
        let whole = question.min_events == 1 && first.start.micros() == plan.from;
        let daily = question.period == Period::Daily;
        if stickiness && !(daily && whole) {
            return Ok(None);
        }
        let longer;
        let (calendar, shift) = if daily {
            let shift = scale.place.iter().filter(|place| **place < 0).count();
            (&plan.days, shift)
        } else {
            let at = |micros| Instant::saturating_from_micros(micros);
            longer = Calendar::new(
                &question.range.zone,
                question.period,
                question.week_start,
                at(first.start.micros() - 1),
                at(plan.until),
            )?;
            (&longer, longer.buckets().len() - scale.rows.len())
        };
        let (Some(bits), Some(begin)) = (calendar.wide_bits(), calendar.buckets().first()) else {
            return Ok(None);
        };
        let ones = |count: usize| {
            u128::MAX
                .checked_shr(128 - count as u32)
                .unwrap_or_default()
        };
        let by_day = ByDay::new(plan, calendar);
        Ok((shift > 0).then(|| Self {
            plan,
            by_day,
            bits,
            start: begin.start.micros(),
            shift: shift as u32,
            rows: ones(scale.rows.len()) << shift,
            stickiness,
            lifecycle: question.asks(Metric::Lifecycle),
            trailing: plan.trailing.map(|w| {
                let count = (w.last - w.first + 1) as usize;
                if stickiness {
                    ones(count) << w.first
                } else {
                    0
                }
            }),
        }))
    }

    /// Counts one user.
    #[inline]
    pub(super) fn count(&self, t: &Timeline<'_>, tally: &mut Tally) {
        if !self.plan.members.hold(t) {
            return;
        }
        let ts = &t.ts[..before(t.ts, self.plan.until)];
        let Some(first) = ts.first() else {
            return;
        };
        let inside = ts.len() - before(ts, self.plan.from);
        tally.users += u64::from(inside > 0);
        tally.events += inside as u64;
        let word = ts.iter().fold(0, |word, at| word | self.bits.of(*at));
        self.add(word, *first < self.start, tally);
    }

    /// Counts the users of these days.
    pub(super) fn count_days(&self, by_day: &ByDay, days: &Days, tally: &mut Tally) {
        tally.events += days.events(by_day.from..by_day.until);
        days.for_each(|days| {
            let Some(first) = days.first().filter(|day| day.number() < by_day.until) else {
                return;
            };
            let (mut word, mut inside) = (0, false);
            for day in days.iter().map(|day: &Day| day.number()) {
                if day >= by_day.until {
                    break;
                }
                word |= by_day.bits.of(day);
                inside |= day >= by_day.from;
            }
            tally.users += u64::from(inside);
            self.add(word, first.number() < by_day.bits.first, tally);
        });
    }

    /// Counts a user who was active in these periods, and before the first that has a bit or not.
    #[inline]
    fn add(&self, word: u128, before: bool, tally: &mut Tally) {
        if self.stickiness {
            let days = (word & self.rows).count_ones() as usize;
            if days > 0 {
                tally.sticky[days - 1] += 1;
            }
            for (window, counts) in self.trailing.iter().zip(&mut tally.trailing) {
                let days = u64::from((word & window).count_ones());
                counts[0] += u64::from(days > 0);
                counts[1] += days;
            }
        }
        if self.lifecycle {
            let then = word << 1;
            let lowest = word & word.wrapping_neg();
            let new = if before { 0 } else { lowest };
            let mut count = |state: State, periods: u128| {
                let mut left = (periods & self.rows) >> self.shift;
                while left != 0 {
                    tally.states[left.trailing_zeros() as usize][state as usize] += 1;
                    left &= left - 1;
                }
            };
            count(State::New, new);
            count(State::Returning, word & then);
            count(State::Resurrected, word & !then & !new);
            count(State::Dormant, !word & then);
        }
    }
}
