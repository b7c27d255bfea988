//! What becomes of a finding that lasts: it goes on, ends, or is the new normal.

use super::baseline::Expected;
use super::detector::{Detector, Open, SOUGHT};
use super::finding::{Direction, Finding, Severity, Shape};
use super::run::Bucket;
use super::settings::{DAY, Measure};
use crate::query::Instant;

impl Detector {
    /// A finding goes on, ends, or becomes the new normal. The bucket that ends one may begin another.
    pub(super) fn go_on(
        &mut self,
        mut open: Open,
        bucket: &Bucket,
        expected: Expected,
        z: f64,
    ) -> Vec<Finding> {
        let along = match open.finding.direction {
            Direction::Up => z,
            Direction::Down => -z,
        };
        open.back.take(
            self.for_the_end(&open, bucket, expected, along),
            0.0,
            bucket,
        );
        let ended = f64::from(open.back.height) > self.ends();
        let lasts = (!ended).then_some(open.finding.direction);
        let begun = self.begin(bucket, expected, z, lasts);
        if ended || begun.is_some() {
            let back = match open.back.buckets {
                0 => bucket.start,
                _ => open.back.since,
            };
            let next = begun.as_ref().map_or(back, |f| f.since.micros());
            let until = back.min(next);
            open.finding.until = Some(Instant::saturating_from_micros(until));
            if until - open.whole.since > self.settings.step {
                open.finding.shape = Shape::Burst;
            }
            return [open.finding].into_iter().chain(begun).collect();
        }
        open.whole.take(100.0, 0.0, bucket);
        open.rest.0 += bucket.rhythm;
        open.rest.1 += bucket.observed;
        let worse = Severity::of(open.whole.change());
        let stretch = open.whole.buckets.saturating_sub(open.back.buckets) > 1;
        let longer = open.finding.shape == Shape::Point && stretch;
        let told = longer || worse > open.finding.severity;
        open.finding.severity = open.finding.severity.max(worse);
        if longer {
            open.finding.shape = Shape::Burst;
        }
        let enough = DAY.max(7 * self.settings.step);
        if bucket.start - open.whole.since >= enough {
            return vec![self.settle(open, bucket)];
        }
        let told = told.then(|| open.finding.clone());
        self.open = Some(open);
        told.into_iter().collect()
    }

    /// How much likelier a bucket is, as a logarithm, if all is as usual again than if the finding goes on: of normal values as many
    /// standard deviations as those lie apart, by how many it is on this side of their middle.
    fn for_the_end(&self, open: &Open, bucket: &Bucket, expected: Expected, along: f64) -> f64 {
        let Some(deviation) = expected.deviation else {
            return self.far() * (0.5 * self.far() - along);
        };
        let measure = self.settings.measure;
        let per = match measure {
            Measure::Share => bucket.of / open.whole.of.max(1.0),
            Measure::Count | Measure::Amount => 1.0 / f64::from(open.whole.buckets.max(1)),
        };
        let change = if self.gone {
            (open.rest.0 > 0.0).then(|| open.rest.1 / open.rest.0)
        } else {
            open.whole.change()
        };
        let by = change.map_or(open.whole.observed.abs() * per, |change| {
            change.abs().max(self.settings.least_change) * bucket.rhythm.abs()
        });
        // Where more comes, chance moves it further.
        let more = match open.finding.direction {
            Direction::Up => self.baseline.unit(measure, bucket.expected + by, bucket.of),
            Direction::Down => 0.0,
        };
        let wider = (more / self.baseline.unit(measure, bucket.expected, bucket.of)).max(1.0);
        // What is on its way back is over before it is all there.
        let most = (SOUGHT * bucket.rhythm.abs() / deviation).max(self.far());
        let apart = (by / deviation).min(most) / wider;
        apart * (0.5 * apart - along / wider)
    }

    /// How much has to speak for the end of a finding that lasts: as much as chance brings together about once in ten days.
    fn ends(&self) -> f64 {
        let buckets = 10.0 * DAY as f64 / self.settings.step as f64;
        (buckets.ln() - 1.0).max(3.0) * self.drag()
    }

    /// What lasted for so long is the new normal: what was known before is brought to it.
    fn settle(&mut self, mut open: Open, bucket: &Bucket) -> Finding {
        let (rhythm, came) = open.rest;
        self.gone = came == 0.0 && rhythm != 0.0;
        if !self.gone {
            // The rhythm was told at the level at which the series was.
            let factor = (rhythm != 0.0).then(|| came / rhythm * (1.0 + self.level));
            self.follow(factor, open.whole.since, (bucket.start, bucket.local));
        }
        self.days.forget();
        self.runs = Default::default();
        open.finding.shape = Shape::LevelShift;
        open.finding.until = Some(Instant::saturating_from_micros(bucket.start));
        open.finding
    }

    /// Expects from now on so much more or less, of what was usual before an instant.
    pub(super) fn follow(&mut self, factor: Option<f64>, since: i64, (at, local): (i64, i64)) {
        let place = self.baseline.place(local, self.settings.step);
        let since = since.saturating_add(local - at);
        self.baseline
            .scale_before(factor, (since, place), self.settings.step);
        (self.level, self.slow) = (0.0, 0.0);
    }
}
