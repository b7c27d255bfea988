//! What one user adds to the numbers of engagement: every cell that counts the user, each once.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: days are below the calendar's, places in a timeline below its length, scales below 3"
)]

use super::people::State;
use super::question::{Engagement, Metric, Preset};
use crate::error::Result;
use crate::query::calendar::Bucket;
use crate::query::{Calendar, Instant, Period, Zone};
use crate::timeline::{Meaning, Members, Timeline, View};

const HOUR: u64 = 3_600_000_000;
const DAY: i64 = 86_400_000_000;

/// Hours of a week.
pub(super) const HOURS: usize = 168;

/// The scales of active users, in this order.
pub(super) const SCALES: [Period; 3] = [Period::Daily, Period::Weekly, Period::Monthly];

/// The lengths of the trailing windows that a day is compared with, in local days.
pub(super) const TRAILING: [usize; 2] = [30, 7];

/// A number of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Active in the range.
    User,
    /// Active in the range, in a bucket of a scale.
    Active(usize, usize),
    /// Active in exactly so many periods of the range.
    Sticky(usize),
    /// Active in a trailing window.
    Trailing(usize),
    /// In a state in a period.
    State(usize, State),
    /// With a session in the range.
    Session,
    /// Active in the range, in an hour of the week.
    Hour(usize),
}

/// What takes in the users one after the other.
pub(super) trait Sink {
    /// The user of now is counted; no number counts a user twice.
    fn count(&mut self, count: Count);
    /// The user has so many events in the range.
    fn events(&mut self, _events: usize) {}
    /// The user has an event in an hour of the week.
    fn hour(&mut self, _hour: usize) {}
    /// The user is active on so many days of a trailing window.
    fn trailing(&mut self, _window: usize, _days: usize) {}
    /// The user has a session: its length in microseconds, its events, and whether it may still go on.
    fn session(&mut self, _length: i64, _events: usize, _open: bool) {}
}

/// The buckets of a scale that the range touches.
#[derive(Debug)]
pub(super) struct Scale {
    pub(super) rows: Vec<Bucket>,
    /// The place of each day among them, below 0 for what comes before.
    pub(super) place: Vec<i64>,
}

/// Local days, the last of which has wholly passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trailing {
    pub(super) start: Instant,
    pub(super) end: Instant,
    /// How many there are; a date that the zone skipped is no day.
    pub(super) days: u64,
    /// Their places in the calendar of days.
    pub(super) first: u32,
    pub(super) last: u32,
}

/// A question made ready to be asked of each user.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) question: &'a Engagement,
    /// What activity is, where not all events are.
    pub(super) activity: Option<Meaning>,
    pub(super) members: Members<'a>,
    /// The first instant of the days looked at, of the range, and after it.
    reach: i64,
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) as_of: i64,
    pub(super) days: Calendar,
    regular: bool,
    pub(super) scales: [Scale; 3],
    pub(super) trailing: [Trailing; 2],
    /// The offset of local time from each of these instants on.
    offsets: Vec<(i64, i64)>,
}

/// Room for one user at a time.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    ts: Vec<i64>,
    inside: Vec<u32>,
    all: Vec<u32>,
    periods: Vec<i64>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(question: &'a Engagement, view: &View<'a>) -> Result<Self> {
        let span = question.range.span();
        let (zone, week) = (&question.range.zone, question.week_start);
        let later = |at: Instant, by: i64| Instant::saturating_from_micros(at.micros() + by);
        // What has not happened yet needs no rows.
        let until = span.to.min(later(view.as_of, 1));
        let cut = span.to.min(view.as_of);
        // A whole period before the first, and the longest trailing window, with room for what zones do to days.
        let before = match question.period {
            Period::Daily => 4,
            Period::Weekly => 17,
            Period::Monthly => 65,
        };
        let reach = later(span.from, -before * DAY).min(later(cut, -33 * DAY));
        let days = Calendar::new(zone, Period::Daily, week, reach, until.max(later(cut, 1)))?;
        let scale = |period| {
            let rows = Calendar::new(
                zone,
                period,
                week,
                span.from,
                until.max(later(span.from, 1)),
            )?;
            Ok(Scale {
                place: days.places(&rows),
                rows: if until > span.from {
                    rows.buckets().to_vec()
                } else {
                    Vec::new()
                },
            })
        };
        let activity = question.activity();
        let meaning = view.meaning(&activity)?;
        let [daily, weekly, monthly] = SCALES;
        Ok(Self {
            question,
            activity: (meaning.names.is_some() || meaning.rows.is_some()).then_some(meaning),
            members: Members::new(question.segment, span, view),
            reach: reach.micros(),
            from: span.from.micros(),
            until: until.micros(),
            as_of: view.as_of.micros(),
            regular: days.is_regular(),
            scales: [scale(daily)?, scale(weekly)?, scale(monthly)?],
            trailing: TRAILING.map(|n| trailing(&days, cut, n)),
            offsets: offsets(zone, span.from, until),
            days,
        })
    }

    /// The scale of the question's period.
    pub(super) fn scale(&self) -> &Scale {
        match self.question.period {
            Period::Daily => &self.scales[0],
            Period::Weekly => &self.scales[1],
            Period::Monthly => &self.scales[2],
        }
    }

    /// Tells `sink` of everything that counts a user, as far as `wanted` asks.
    #[inline]
    pub(super) fn each(
        &self,
        t: &Timeline<'_>,
        wanted: impl Fn(Metric) -> bool,
        scratch: &mut Scratch,
        sink: &mut impl Sink,
    ) {
        if !self.members.hold(t) {
            return;
        }
        let Scratch {
            ts,
            inside,
            all,
            periods,
        } = scratch;
        let ts: &[i64] = match &self.activity {
            None => t.ts,
            Some(meaning) => {
                ts.clear();
                let rows = t.ts.iter().zip(t.name.iter().zip(t.row));
                ts.extend(
                    rows.filter(|(_, (name, row))| meaning.holds(**name, **row))
                        .map(|(ts, _)| *ts),
                );
                ts
            }
        };
        let until = before(ts, self.until);
        let from = before(&ts[..until], self.from);
        let reach = before(&ts[..from], self.reach);
        if from < until {
            sink.count(Count::User);
            sink.events(until - from);
        }
        if wanted(Metric::HeatMap) {
            self.hours(&ts[from..until], sink);
        }
        if wanted(Metric::Sessions) {
            self.sessions(ts, from, until, sink);
        }
        let stickiness = wanted(Metric::Stickiness);
        if wanted(Metric::ActiveUsers) || stickiness || wanted(Metric::Lifecycle) {
            self.dates(&ts[from..until], inside);
        }
        if wanted(Metric::ActiveUsers) {
            for (scale, buckets) in self.scales.iter().enumerate() {
                let mut last = -1;
                for day in inside.iter() {
                    let place = buckets.place[*day as usize];
                    if place != last {
                        last = place;
                        sink.count(Count::Active(scale, place as usize));
                    }
                }
            }
        }
        if stickiness {
            let periods = self.periods(&ts[from..until], inside, periods);
            if periods > 0 {
                sink.count(Count::Sticky(periods));
            }
        }
        if stickiness || wanted(Metric::Lifecycle) {
            self.dates(&ts[reach..from], all);
            all.extend_from_slice(inside);
            if !self.regular {
                all.sort_unstable();
            }
            all.dedup();
        }
        if stickiness {
            for (i, window) in self.trailing.iter().enumerate() {
                let first = all.partition_point(|day| *day < window.first);
                let end = all.partition_point(|day| *day <= window.last);
                if end > first {
                    sink.count(Count::Trailing(i));
                    sink.trailing(i, end - first);
                }
            }
        }
        if wanted(Metric::Lifecycle) {
            self.lifecycle(all, self.first(t, all, reach > 0), sink);
        }
    }

    /// The days of some instants, each once and ascending.
    #[inline]
    fn dates(&self, ts: &[i64], dates: &mut Vec<u32>) {
        dates.clear();
        let mut last = u32::MAX;
        for at in ts {
            if let Some(day) = self.days.locate(*at)
                && day as u32 != last
            {
                last = day as u32;
                dates.push(last);
            }
        }
        if !self.regular {
            dates.sort_unstable();
            dates.dedup();
        }
    }

    /// In how many periods of the range a user is active often enough.
    fn periods(&self, ts: &[i64], days: &[u32], periods: &mut Vec<i64>) -> usize {
        let place = &self.scale().place;
        periods.clear();
        if self.question.min_events == 1 {
            periods.extend(days.iter().map(|day| place[*day as usize]));
            periods.dedup();
            return periods.len();
        }
        periods.extend(
            ts.iter()
                .filter_map(|at| Some(place[self.days.locate(*at)?])),
        );
        if !self.regular {
            periods.sort_unstable();
        }
        let runs = periods.chunk_by(|a, b| a == b);
        runs.filter(|run| run.len() >= self.question.min_events as usize)
            .count()
    }

    /// The period in which a user is new, if it is one of the lifecycle's: that of the earliest activity ever.
    fn first(&self, t: &Timeline<'_>, all: &[u32], early: bool) -> Option<i64> {
        let first = match self.question.preset {
            Preset::Exact if early => None,
            Preset::Exact => all.first().copied(),
            Preset::Posthog if t.ts.first().is_none_or(|at| *at < self.reach) => None,
            Preset::Posthog => {
                // A clock that is set back over midnight shows the day before to a later event.
                let looked = if self.regular { 1 } else { t.ts.len() };
                let days =
                    t.ts.iter()
                        .take(looked)
                        .filter_map(|at| self.days.locate(*at));
                days.min().map(|day| day as u32)
            }
        };
        first.map(|day| self.scale().place[day as usize])
    }

    /// The states of a user in each period (L1), from the days of activity up to the end of the range.
    #[inline]
    fn lifecycle(&self, days: &[u32], first: Option<i64>, sink: &mut impl Sink) {
        let Scale { rows, place } = self.scale();
        let rows = rows.len() as i64;
        let mut last = i64::MIN / 2;
        // Whoever stays away in the period after one of activity is dormant there, once.
        let dormant = |period: i64| Count::State(period as usize, State::Dormant);
        let shown = 0..rows;
        for day in days {
            let period = place[*day as usize];
            if period == last {
                continue;
            }
            if shown.contains(&period) {
                let state = if first == Some(period) {
                    State::New
                } else if last == period - 1 {
                    State::Returning
                } else {
                    State::Resurrected
                };
                sink.count(Count::State(period as usize, state));
            }
            if last < period - 1 && shown.contains(&(last + 1)) {
                sink.count(dormant(last + 1));
            }
            last = period;
        }
        if shown.contains(&(last + 1)) {
            sink.count(dormant(last + 1));
        }
    }

    /// The sessions that begin in the range; they may go on after it (L4).
    fn sessions(&self, ts: &[i64], from: usize, until: usize, sink: &mut impl Sink) {
        let timeout = self.question.session_timeout.micros();
        let begins = |i: usize| i == 0 || ts[i] - ts[i - 1] > timeout;
        let mut start = from;
        while start < until && !begins(start) {
            start += 1;
        }
        if start < until {
            sink.count(Count::Session);
        }
        while start < until {
            let mut end = start + 1;
            while end < ts.len() && !begins(end) {
                end += 1;
            }
            let last = ts[end - 1];
            sink.session(
                last - ts[start],
                end - start,
                last.saturating_add(timeout) > self.as_of,
            );
            start = end;
        }
    }

    /// The hours of the week in which a user is active, from Monday's first on.
    #[inline]
    fn hours(&self, ts: &[i64], sink: &mut impl Sink) {
        // A whole number of weeks before the first instant there is, and the three days from Monday to the first of 1970.
        const ZERO: i64 = (110_000 * 7 + 3) * DAY;
        let mut seen = [0_u64; HOURS.div_ceil(64)];
        let mut stretch = 0;
        for at in ts {
            while self
                .offsets
                .get(stretch + 1)
                .is_some_and(|next| next.0 <= *at)
            {
                stretch += 1;
            }
            let local = (*at + self.offsets[stretch].1 + ZERO) as u64;
            let hour = (local / HOUR) as usize % HOURS;
            seen[hour / 64] |= 1 << (hour % 64);
            sink.hour(hour);
        }
        for (i, mut left) in seen.into_iter().enumerate() {
            while left != 0 {
                sink.count(Count::Hour(64 * i + left.trailing_zeros() as usize));
                left &= left - 1;
            }
        }
    }
}

/// How many of some ascending instants come before another; most often all or none.
#[inline]
pub(super) fn before(ts: &[i64], at: i64) -> usize {
    match (ts.first(), ts.last()) {
        (_, Some(last)) if *last < at => ts.len(),
        (Some(first), _) if *first >= at => 0,
        _ => ts.partition_point(|t| *t < at),
    }
}

/// The last days that have wholly passed by an instant.
fn trailing(days: &Calendar, cut: Instant, count: usize) -> Trailing {
    let buckets = days.buckets();
    let exists = |b: &Bucket| b.start < b.end;
    let last = buckets
        .iter()
        .rposition(|b| exists(b) && b.end <= cut)
        .unwrap_or_default();
    let first = (last + 1).saturating_sub(count);
    let mine = &buckets[first..=last];
    Trailing {
        start: mine[0].start,
        end: mine[mine.len() - 1].end,
        days: mine.iter().filter(|b| exists(b)).count() as u64,
        first: first as u32,
        last: last as u32,
    }
}

/// The offsets of a zone's local time, from each instant on, over a span.
fn offsets(zone: &Zone, from: Instant, until: Instant) -> Vec<(i64, i64)> {
    let mut offsets = vec![(from.micros(), zone.offset(from))];
    let mut at = from;
    while let Some(next) = zone.next_transition(at).filter(|t| *t < until.micros()) {
        at = Instant::saturating_from_micros(next);
        offsets.push((next, zone.offset(at)));
    }
    offsets
}
