//! Local hours as buckets.

use super::{Bucket, Calendar, MAX_BUCKETS, too_many_periods};
use crate::error::Result;
use crate::query::{Instant, Zone};

const HOUR: i64 = 3_600_000_000;

impl Calendar {
    /// The local hours that hold the instants of `[from, to)`, how many they are, and after them those up to `until`, `most` at
    /// most. An hour that a clock shows twice is two, and one that a change of the clock cuts is as long as it is (T2).
    ///
    /// # Errors
    /// As `new`.
    pub(crate) fn hours(
        zone: &Zone,
        from: Instant,
        to: Instant,
        until: Instant,
        most: usize,
    ) -> Result<(Self, usize)> {
        let until = until.max(to).micros();
        let offset = |micros| zone.offset(Instant::saturating_from_micros(micros));
        let into = |micros: i64| (micros + offset(micros)).rem_euclid(HOUR);
        // Where the clock is next set forward or back.
        let turned = |micros: i64| {
            let mut at = micros;
            while let Some(t) = zone.next_transition(Instant::saturating_from_micros(at)) {
                if offset(t) != offset(micros) {
                    return t;
                }
                at = t;
            }
            i64::MAX
        };
        let mut at = from.micros() - into(from.micros());
        while turned(at) <= from.micros() {
            at = turned(at);
        }
        let mut starts = Vec::new();
        let mut turn = turned(at);
        let mut after = 0;
        while at < to.micros() || at < until && after < most {
            if starts.len() as i64 >= MAX_BUCKETS {
                return Err(too_many_periods());
            }
            starts.push(at);
            after += usize::from(at >= to.micros());
            at = (at - into(at) + HOUR).min(turn);
            if at == turn {
                turn = turned(at);
            }
        }
        let ends = starts.iter().copied().skip(1).chain([at]);
        let bucket = |(start, end): (&i64, i64)| Bucket {
            start: Instant::saturating_from_micros(*start),
            end: Instant::saturating_from_micros(end),
        };
        let buckets = starts.iter().zip(ends).map(bucket).collect();
        let touching = starts.partition_point(|start| *start < to.micros());
        let bucket_of = (0..starts.len() as u32).collect();
        Ok((Self::of(starts, bucket_of, buckets, at, None), touching))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_hour_is_two_buckets_and_a_missing_one_is_none() {
        let hours = |zone: &str, from: &str, to: &str| {
            let at = |text: &str| text.parse::<Instant>().unwrap();
            let zone = Zone::named(zone).unwrap();
            let (calendar, touching) = Calendar::hours(&zone, at(from), at(to), at(to), 0).unwrap();
            assert_eq!(calendar.buckets().len(), touching);
            for (i, bucket) in calendar.buckets().iter().enumerate() {
                assert_eq!(calendar.locate(bucket.start.micros()), Some(i));
                assert_eq!(calendar.locate(bucket.end.micros() - 1), Some(i));
            }
            let starts = calendar.buckets().iter().map(|b| b.start.to_string());
            starts.collect::<Vec<_>>()
        };
        // Paris, 2024-10-27: 02:00 to 03:00 comes twice; 2024-03-31: not at all.
        let autumn = hours(
            "Europe/Paris",
            "2024-10-27T00:10:00Z",
            "2024-10-27T02:30:00Z",
        );
        assert_eq!(
            autumn,
            [
                "2024-10-27T00:00:00.000Z",
                "2024-10-27T01:00:00.000Z",
                "2024-10-27T02:00:00.000Z"
            ]
        );
        // Lord Howe sets its clock back by half an hour, from 02:00 to 01:30.
        let half = hours(
            "Australia/Lord_Howe",
            "2024-04-06T14:40:00Z",
            "2024-04-06T15:40:00Z",
        );
        assert_eq!(
            half,
            [
                "2024-04-06T14:00:00.000Z",
                "2024-04-06T15:00:00.000Z",
                "2024-04-06T15:30:00.000Z"
            ]
        );
    }
}
