//! The local days on which users have events: read once from the times of a partition, and then looked at in their place.
//!
//! A user has far fewer days than events, and whoever counts users by days, weeks or months needs nothing else of them.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: local users are below the number of offsets, buckets below those of the calendar"
)]

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::partition::{Partition, USERS};
use crate::query::{Calendar, Instant, Period, WeekStart, Zone};

/// A day of a user: its number, counted from 1970-01-01, and whether the user has several events on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day(u16);

impl Day {
    #[inline]
    pub(crate) fn number(self) -> usize {
        usize::from(self.0 >> 1)
    }

    #[inline]
    pub(crate) fn several(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Days that can be told apart, almost ninety years of them.
const MOST: i64 = 1 << 15;

/// The days of all users of a partition.
#[derive(Debug)]
pub(crate) struct Days {
    /// Of each user where the days begin.
    offsets: Vec<u32>,
    days: Vec<Day>,
    /// The first day of all, and how many events that day and each after it has.
    first: usize,
    events: Vec<u64>,
    /// The latest time.
    last: i64,
}

impl Days {
    /// Nothing where they are too many, or a clock was set back over midnight.
    fn read(partition: &Partition, zone: &Zone) -> Option<Self> {
        let (mut earliest, mut last) = (i64::MAX, i64::MIN);
        partition.for_each(|t| {
            earliest = earliest.min(t.ts[0]);
            last = last.max(t.ts[t.ts.len() - 1]);
        });
        let mut read = Self {
            offsets: Vec::with_capacity(USERS as usize + 1),
            days: Vec::new(),
            first: 0,
            events: Vec::new(),
            last,
        };
        read.offsets.push(0);
        if earliest > last {
            return Some(read);
        }
        let at = Instant::saturating_from_micros;
        let week = WeekStart::default();
        let calendar = Calendar::new(zone, Period::Daily, week, at(earliest), at(last + 1)).ok()?;
        let (first, buckets) = calendar.by_day()?;
        if first < 0 || first + buckets.len() as i64 > MOST {
            return None;
        }
        read.first = first as usize;
        read.events = vec![0; buckets.len()];
        let mut all = true;
        partition.for_each(|t| {
            let local = (t.user - partition.base()) as usize;
            // Users before it without events have no days.
            read.offsets.resize(local + 1, read.days.len() as u32);
            let (mut end, mut events, mut bucket) = (i64::MIN, 0, 0);
            for ts in t.ts {
                if *ts >= end {
                    if events > 0 {
                        read.end_day(bucket, events);
                    }
                    let Some(found) = calendar.locate(*ts) else {
                        all = false;
                        return;
                    };
                    (bucket, events) = (found, 0);
                    end = calendar.buckets()[bucket].end.micros();
                }
                events += 1;
            }
            read.end_day(bucket, events);
        });
        read.offsets
            .resize(USERS as usize + 1, read.days.len() as u32);
        read.days.shrink_to_fit();
        all.then_some(read)
    }

    fn end_day(&mut self, bucket: usize, events: u64) {
        let number = (self.first + bucket) as u16;
        self.days.push(Day(number << 1 | u16::from(events > 1)));
        self.events[bucket] += events;
    }

    /// Whether nothing of the partition is later.
    pub(super) fn end_by(&self, as_of: i64) -> bool {
        self.last <= as_of
    }

    /// The days of each user that has events, ascending.
    #[inline]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&[Day])) {
        let mut start = 0;
        for end in self.offsets.iter().skip(1) {
            let end = *end as usize;
            if end > start {
                visit(&self.days[start..end]);
            }
            start = end;
        }
    }

    /// How many events these days have.
    pub(crate) fn events(&self, days: Range<usize>) -> u64 {
        let events = (self.first..).zip(&self.events);
        let inside = events.filter(|(day, _)| days.contains(day));
        inside.map(|(_, events)| *events).sum()
    }

    fn bytes(&self) -> u64 {
        (size_of_val(self.offsets.as_slice())
            + size_of_val(self.days.as_slice())
            + size_of_val(self.events.as_slice())) as u64
    }
}

/// What is known of the days of a zone.
#[derive(Debug)]
enum Known {
    /// They were asked for once: what is asked for only once is not worth reading.
    Asked,
    Read(Arc<Days>),
    /// They cannot be told.
    Never,
}

/// The days of a partition by zone, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Zones(Mutex<Vec<(String, Known)>>);

impl Zones {
    /// Days of so many zones are kept.
    const KEPT: usize = 2;

    /// The days of a zone, from the second time on that they are asked for.
    pub(super) fn days(&self, partition: &Partition, zone: &Zone) -> Option<Arc<Days>> {
        let mut zones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, known)) = zones.iter_mut().find(|(name, _)| name == zone.name()) else {
            if zones.len() == Self::KEPT {
                zones.remove(0);
            }
            zones.push((zone.name().to_owned(), Known::Asked));
            return None;
        };
        if matches!(known, Known::Asked) {
            *known = Days::read(partition, zone).map_or(Known::Never, |d| Known::Read(Arc::new(d)));
        }
        match known {
            Known::Read(days) => Some(Arc::clone(days)),
            Known::Asked | Known::Never => None,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        let zones = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = zones.iter().map(|(_, known)| match known {
            Known::Read(days) => days.bytes(),
            Known::Asked | Known::Never => 0,
        });
        bytes.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Timelines, View};

    const HOUR: i64 = 3_600_000_000;

    /// What a pass sees of each user: days where they are known, else the number of events.
    fn seen(timelines: &Timelines, zone: &str, as_of: i64) -> Vec<Vec<(usize, bool)>> {
        let view = View::new(timelines, Instant::saturating_from_micros(as_of));
        let zone = Zone::named(zone).unwrap();
        let mut seen = view
            .fold_days(
                &zone,
                Vec::new,
                |seen: &mut Vec<Vec<(usize, bool)>>, days| {
                    days.for_each(|days| {
                        seen.push(days.iter().map(|d| (d.number(), d.several())).collect());
                    });
                },
                |seen, t| seen.push(vec![(t.ts.len(), false)]),
                |a, b| [a, b].concat(),
            )
            .unwrap();
        seen.sort();
        seen
    }

    #[test]
    fn days_are_those_of_the_zone_from_the_second_time_on() {
        let rows = [(0, 23), (0, 24), (0, 47), (5, 0), (40_000, 22)];
        let rows = rows.map(|(user, hour)| (user, hour * HOUR, 0));
        let timelines = Timelines::from_rows(vec!["a".to_owned()], rows).unwrap();
        let bytes = timelines.bytes();
        let late = 100 * HOUR;
        let events = [vec![(1, false)], vec![(1, false)], vec![(3, false)]];
        assert_eq!(seen(&timelines, "UTC", late), events);
        assert_eq!(timelines.bytes(), bytes);
        let days = [
            vec![(0, false)],
            vec![(0, false)],
            vec![(0, false), (1, true)],
        ];
        assert_eq!(seen(&timelines, "UTC", late), days);
        assert!(timelines.bytes() > bytes);
        // Paris was an hour ahead.
        seen(&timelines, "Europe/Paris", late);
        let days = [
            vec![(0, false)],
            vec![(0, false)],
            vec![(1, true), (2, false)],
        ];
        assert_eq!(seen(&timelines, "Europe/Paris", late), days);
        // Where some events are not visible yet, events are looked at.
        let some = [vec![(0, false)], vec![(1, false)], vec![(2, false)]];
        assert_eq!(seen(&timelines, "UTC", 30 * HOUR), some);
    }
}
