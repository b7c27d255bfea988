//! What one user adds to the numbers of adoption: every cell that counts the user, each once.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, features below that of the question"
)]

use super::people::Who;
use super::question::{Adoption, MAX_FEATURES};
use crate::error::Result;
use crate::query::calendar::Bucket;
use crate::query::{Calendar, Instant};
use crate::timeline::{Meaning, Members, Timeline, View};

/// A number of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Active in the range.
    Active,
    /// Of a feature.
    Feature(usize, Who),
    /// Whose first use of a feature ever is in a bucket of the range.
    First(usize, usize),
    /// Active in the range without any use.
    Unused,
    /// Who use so many features in the range, so often: the place of the frequency.
    Breadth(usize, usize),
}

/// What takes in the users one after the other.
pub(super) trait Sink {
    /// The user of now is counted; no number counts a user twice.
    fn count(&mut self, count: Count);
    /// The user has so many uses of a feature in the range.
    fn uses(&mut self, _feature: usize, _uses: u64) {}
    /// The user adopted a feature so many microseconds after exposure.
    fn adopted(&mut self, _feature: usize, _after: i64) {}
    /// The user has not adopted a feature in so many microseconds; none where the whole time has passed.
    fn watched(&mut self, _feature: usize, _for: Option<i64>) {}
}

/// A question made ready to be asked of each user.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) question: &'a Adoption,
    members: Members<'a>,
    /// What is seen, where not everything is.
    seen: Option<Meaning>,
    uses: Vec<Meaning>,
    /// For each name key, the features of which such events may be uses, a bit each.
    features: Vec<u64>,
    pub(super) released: Vec<i64>,
    from: i64,
    until: i64,
    as_of: i64,
    within: i64,
    calendar: Calendar,
    /// The buckets of first uses.
    pub(super) rows: Vec<Bucket>,
}

/// One feature, as one user uses it.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    /// Uses ever, and in the range.
    ever: u32,
    inside: u64,
    first: i64,
    /// The use that makes an adopter, if there are so many.
    enough: i64,
}

/// Room for one user at a time.
#[derive(Debug)]
pub(super) struct Scratch([Use; MAX_FEATURES]);

impl Default for Scratch {
    fn default() -> Self {
        Self([Use::default(); MAX_FEATURES])
    }
}

impl<'a> Plan<'a> {
    pub(super) fn new(question: &'a Adoption, view: &View<'a>) -> Result<Self> {
        let span = question.range.span();
        let zone = &question.range.zone;
        let later = |at: Instant| Instant::saturating_from_micros(at.micros() + 1);
        let until = span.to.min(later(view.as_of));
        let calendar = Calendar::new(
            zone,
            question.period,
            question.week_start,
            span.from,
            until.max(later(span.from)),
        )?;
        let uses: Vec<Meaning> = question
            .features
            .iter()
            .map(|f| view.meaning(&f.condition))
            .collect::<Result<_>>()?;
        let features = (0..view.timelines.names().len()).map(|name| {
            let named = |m: &Meaning| m.names.as_ref().is_none_or(|names| names[name]);
            let bits = uses.iter().enumerate().filter(|(_, m)| named(m));
            bits.fold(0, |bits, (i, _)| bits | 1 << i)
        });
        let released = question.features.iter();
        Ok(Self {
            question,
            members: Members::new(question.segment, span, view),
            seen: view.rows(&question.filters)?.map(|rows| Meaning {
                names: None,
                rows: Some(rows),
            }),
            features: features.collect(),
            released: released
                .map(|f| f.released.map_or(i64::MIN, |at| at.start(zone).micros()))
                .collect(),
            uses,
            from: span.from.micros(),
            until: until.micros(),
            as_of: view.as_of.micros(),
            within: question.within.micros(),
            rows: if until > span.from {
                calendar.buckets().to_vec()
            } else {
                Vec::new()
            },
            calendar,
        })
    }

    /// Tells `sink` of everything that counts a user.
    pub(super) fn each(&self, t: &Timeline<'_>, scratch: &mut Scratch, sink: &mut impl Sink) {
        let Some(first_seen) = t.ts.first() else {
            return;
        };
        let begin = t.ts.partition_point(|at| *at < self.from);
        if t.ts.get(begin).is_none_or(|at| *at >= self.until) || !self.members.hold(t) {
            return;
        }
        let Scratch(uses) = scratch;
        let (mut used, mut acts) = (0_u64, 0_u32);
        let mut last_active = None;
        for (i, at) in t.ts.iter().enumerate() {
            let (name, row) = (t.name[i], t.row[i]);
            let inside = i >= begin && *at < self.until;
            let mut left = self.features[usize::from(name)];
            // Most events are neither uses nor, before and after the range, activity.
            if left == 0 && !inside
                || self
                    .seen
                    .as_ref()
                    .is_some_and(|seen| !seen.holds(name, row))
            {
                continue;
            }
            if inside {
                last_active = Some(*at);
            }
            let mut any = false;
            while left != 0 {
                let feature = left.trailing_zeros() as usize;
                left &= left - 1;
                if *at < self.released[feature] || !self.uses[feature].holds(name, row) {
                    continue;
                }
                any = true;
                if used >> feature & 1 == 0 {
                    used |= 1 << feature;
                    uses[feature] = Use {
                        first: *at,
                        ..Use::default()
                    };
                }
                let mine = &mut uses[feature];
                mine.ever = mine.ever.saturating_add(1);
                mine.inside += u64::from(inside);
                if mine.ever == self.question.min_uses {
                    mine.enough = *at;
                }
            }
            acts += u32::from(any && inside);
        }
        let Some(last_active) = last_active else {
            return;
        };
        sink.count(Count::Active);
        let mut breadth = 0;
        for (feature, released) in self.released.iter().enumerate() {
            let mine = if used >> feature & 1 == 1 {
                uses[feature]
            } else {
                Use::default()
            };
            self.adoption(feature, *first_seen.max(released), last_active, mine, sink);
            if mine.inside > 0 {
                breadth += 1;
                sink.count(Count::Feature(feature, Who::Users));
                sink.uses(feature, mine.inside);
            }
            if mine.ever > 0
                && (self.from..self.until).contains(&mine.first)
                && let Some(bucket) = self.calendar.locate(mine.first)
            {
                sink.count(Count::First(feature, bucket));
            }
        }
        if breadth == 0 {
            sink.count(Count::Unused);
        } else {
            let often = &self.question.frequencies;
            sink.count(Count::Breadth(
                breadth,
                often.partition_point(|n| *n <= acts) - 1,
            ));
        }
    }

    /// Whether a user is exposed to a feature, and has adopted it in time (L3).
    #[inline]
    fn adoption(
        &self,
        feature: usize,
        exposure: i64,
        last_active: i64,
        mine: Use,
        sink: &mut impl Sink,
    ) {
        if last_active < exposure {
            return;
        }
        let mut count = |who| sink.count(Count::Feature(feature, who));
        count(Who::Exposed);
        let matured = exposure.saturating_add(self.within) <= self.as_of;
        if matured {
            count(Who::MaturedExposed);
        }
        let after = mine.enough - exposure;
        if mine.ever >= self.question.min_uses && after <= self.within {
            count(Who::Adopters);
            if matured {
                count(Who::MaturedAdopters);
            }
            sink.adopted(feature, after);
        } else {
            count(Who::NotAdopted);
            if !matured {
                count(Who::Open);
            }
            sink.watched(feature, (!matured).then(|| self.as_of - exposure));
        }
    }
}
