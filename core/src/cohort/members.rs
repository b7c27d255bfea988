//! One pass over all timelines for the members of a cohort.

use std::collections::HashMap;

use super::definition::{Definition, Did};
use crate::error::Result;
use crate::query::filter::{Moment, Property};
use crate::query::{Condition, Filter};
use crate::timeline::{Judge, Meaning, Membership, Timeline, View};

/// Who is of a cohort among the users with an event by the instant of the view, as of it and, where that is asked, at the time
/// of every event; `keys` are those of the ids it names. What it says of properties must be loaded.
///
/// # Errors
/// `cancelled` or `timed_out` where the view was told to stop.
pub fn members(
    definition: &Definition,
    keys: &HashMap<String, u32>,
    view: &View<'_>,
    over_time: bool,
) -> Result<Membership> {
    let mut doings = Vec::new();
    let part = Part::new(definition, keys, view, &mut doings)?;
    let plan = Plan { part, doings };
    let as_of = view.as_of.micros();
    let (users, changes) = view.fold(
        || (Vec::new(), Vec::new()),
        |(users, changes), timeline| {
            let done = plan.done(&timeline);
            if plan.holds(timeline.user, as_of, &done) {
                users.push(timeline.user);
            }
            if over_time {
                plan.changes(&timeline, &done, changes);
            }
        },
        |mut a, b| {
            a.0.extend(b.0);
            a.1.extend(b.1);
            a
        },
    )?;
    Ok(Membership::new(users, changes))
}

/// A definition made ready for the pass.
struct Plan<'a> {
    part: Part<'a>,
    doings: Vec<Doing<'a>>,
}

enum Part<'a> {
    Users(Vec<u32>),
    /// The place among all things done.
    Did(usize),
    Profile(Vec<Judge<'a>>),
    All(Vec<Part<'a>>),
    Any(Vec<Part<'a>>),
    Not(Box<Part<'a>>),
}

/// Something done a number of times.
struct Doing<'a> {
    meaning: Meaning,
    /// What must be known of the user at the time that is asked about.
    known: Vec<Judge<'a>>,
    from: i64,
    to: i64,
    last: Option<i64>,
    did: &'a Did,
}

impl Plan<'_> {
    /// For each thing done the times of it, ascending.
    fn done(&self, timeline: &Timeline<'_>) -> Vec<Vec<i64>> {
        let doings = self.doings.iter();
        let times = doings.map(|doing| {
            let seen = timeline.between(doing.from, doing.to);
            let events = seen.ts.iter().zip(seen.name).zip(seen.row);
            events
                .filter(|((_, name), row)| doing.meaning.holds(**name, **row))
                .map(|((ts, _), _)| *ts)
                .collect()
        });
        times.collect()
    }

    /// Whether a user is of the cohort at a time.
    fn holds(&self, user: u32, at: i64, done: &[Vec<i64>]) -> bool {
        self.part.holds(&self.doings, user, at, done)
    }

    /// Adds when a user begins and ceases to be of the cohort, as far as it is seen at the times of events.
    fn changes(
        &self,
        timeline: &Timeline<'_>,
        done: &[Vec<i64>],
        changes: &mut Vec<(u32, i64, bool)>,
    ) {
        let mut inside = false;
        // Of events at one time the last sees what all see.
        for times in timeline.ts.chunk_by(|a, b| a == b) {
            let Some(ts) = times.first() else { continue };
            if self.holds(timeline.user, *ts, done) != inside {
                inside = !inside;
                changes.push((timeline.user, *ts, inside));
            }
        }
    }
}

impl<'a> Part<'a> {
    fn new(
        definition: &'a Definition,
        keys: &HashMap<String, u32>,
        view: &View<'a>,
        doings: &mut Vec<Doing<'a>>,
    ) -> Result<Self> {
        let mut parts = |parts: &'a [Definition]| {
            let parts = parts.iter().map(|part| Self::new(part, keys, view, doings));
            parts.collect::<Result<Vec<_>>>()
        };
        Ok(match definition {
            Definition::Users(ids) => {
                let canonical = |key: &u32| view.timelines.identity().canonical(*key);
                let mut users: Vec<u32> = ids
                    .iter()
                    .filter_map(|id| keys.get(id))
                    .map(canonical)
                    .collect();
                users.sort_unstable();
                Self::Users(users)
            }
            Definition::Did(did) => {
                doings.push(Doing::new(did, view)?);
                Self::Did(doings.len() - 1)
            }
            Definition::Profile(filters) => Self::Profile(judges(filters.iter(), view)?),
            Definition::All(all) => Self::All(parts(all)?),
            Definition::Any(any) => Self::Any(parts(any)?),
            Definition::Not(not) => Self::Not(Box::new(Self::new(not, keys, view, doings)?)),
        })
    }

    fn holds(&self, doings: &[Doing<'_>], user: u32, at: i64, done: &[Vec<i64>]) -> bool {
        let of = |part: &Part<'_>| part.holds(doings, user, at, done);
        match self {
            Self::Users(users) => users.binary_search(&user).is_ok(),
            Self::Did(place) => {
                let doing = doings.get(*place).zip(done.get(*place));
                doing.is_some_and(|(doing, times)| doing.holds(user, at, times))
            }
            Self::Profile(judges) => judges.iter().all(|judge| judge.holds(user, at, 0)),
            Self::All(parts) => parts.iter().all(of),
            Self::Any(parts) => parts.iter().any(of),
            Self::Not(part) => !of(part),
        }
    }
}

impl<'a> Doing<'a> {
    fn new(did: &'a Did, view: &View<'a>) -> Result<Self> {
        let span = did.range.as_ref().map(|range| range.span());
        let (from, to) = span.map_or((i64::MIN, i64::MAX), |span| {
            (span.from.micros(), span.to.micros())
        });
        let as_of =
            |f: &&Filter| matches!(f.property, Property::User { at, .. } if at == Moment::AsOf);
        let (known, said): (Vec<&Filter>, Vec<&Filter>) = did.did.filters.iter().partition(as_of);
        Ok(Self {
            meaning: view.meaning(&Condition {
                event: did.did.event.clone(),
                filters: said.into_iter().cloned().collect(),
            })?,
            known: judges(known, view)?,
            from,
            to,
            last: did.last.map(|last| last.micros()),
            did,
        })
    }

    fn holds(&self, user: u32, at: i64, times: &[i64]) -> bool {
        let by = |ts: i64| times.partition_point(|t| *t <= ts);
        let before = self.last.map_or(0, |last| by(at.saturating_sub(last)));
        let known = self.known.iter().all(|judge| judge.holds(user, at, 0));
        // As real-time windows are: (at − last, at].
        let times = if known { (by(at) - before) as u64 } else { 0 };
        let most = self.did.at_most;
        times >= u64::from(self.did.at_least) && most.is_none_or(|most| times <= u64::from(most))
    }
}

/// Filters of profiles, which are asked at any time.
fn judges<'f, 'a>(
    filters: impl IntoIterator<Item = &'f Filter>,
    view: &View<'a>,
) -> Result<Vec<Judge<'a>>> {
    let judges = filters.into_iter().map(|filter| {
        let mut property = filter.property.clone();
        if let Property::User { at, .. } = &mut property {
            *at = Moment::AtEvent;
        }
        let reader = view.columns.reader(&property, view.as_of.micros())?;
        Ok(Judge::new(filter, reader))
    });
    judges.collect()
}
