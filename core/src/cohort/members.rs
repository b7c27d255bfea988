//! One pass over all timelines for the members of a cohort.

use std::collections::HashMap;

use super::definition::{Definition, Did};
use crate::error::Result;
use crate::timeline::{Judge, Meaning, Timeline, Users, View};

/// A definition made ready for the pass.
enum Plan<'a> {
    Users(Vec<u32>),
    Did {
        meaning: Meaning,
        from: i64,
        to: i64,
        did: &'a Did,
    },
    Profile(Vec<Judge<'a>>),
    All(Vec<Plan<'a>>),
    Any(Vec<Plan<'a>>),
    Not(Box<Plan<'a>>),
}

/// The users with an event by the instant of the view who are of a cohort; `keys` are those of the ids it names.
pub(crate) fn members(
    definition: &Definition,
    keys: &HashMap<String, u32>,
    view: &View<'_>,
) -> Result<Users> {
    let plan = Plan::new(definition, keys, view)?;
    let found = view.fold(
        Vec::new,
        |found, timeline| {
            if plan.holds(&timeline) {
                found.push(timeline.user);
            }
        },
        |mut a, b| {
            a.extend(b);
            a
        },
    )?;
    Ok(found.into_iter().collect())
}

impl<'a> Plan<'a> {
    fn new(
        definition: &'a Definition,
        keys: &HashMap<String, u32>,
        view: &View<'a>,
    ) -> Result<Self> {
        let parts = |parts: &'a [Definition]| {
            let plans = parts.iter().map(|part| Self::new(part, keys, view));
            plans.collect::<Result<Vec<_>>>()
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
                let as_of = view.as_of.micros();
                let span = did.range.as_ref().map(|range| range.span());
                let (from, to) = match (span, did.last) {
                    (Some(span), _) => (span.from.micros(), span.to.micros()),
                    // As real-time windows are: (as of − last, as of].
                    (None, Some(last)) => (as_of - last.micros() + 1, as_of + 1),
                    (None, None) => (i64::MIN, i64::MAX),
                };
                Self::Did {
                    meaning: view.meaning(&did.did)?,
                    from,
                    to,
                    did,
                }
            }
            Definition::Profile(filters) => {
                let judges = filters.iter().map(|filter| {
                    let reader = view.columns.reader(&filter.property, view.as_of.micros())?;
                    Ok(Judge::new(filter, reader))
                });
                Self::Profile(judges.collect::<Result<Vec<_>>>()?)
            }
            Definition::All(all) => Self::All(parts(all)?),
            Definition::Any(any) => Self::Any(parts(any)?),
            Definition::Not(not) => Self::Not(Box::new(Self::new(not, keys, view)?)),
        })
    }

    fn holds(&self, timeline: &Timeline<'_>) -> bool {
        match self {
            Self::Users(users) => users.binary_search(&timeline.user).is_ok(),
            Self::Did {
                meaning,
                from,
                to,
                did,
            } => {
                let events = timeline.ts.iter().zip(timeline.name).zip(timeline.row);
                let times = events
                    .skip_while(|((ts, _), _)| *ts < from)
                    .take_while(|((ts, _), _)| *ts < to)
                    .filter(|((_, name), row)| meaning.holds(**name, **row))
                    .count() as u64;
                times >= u64::from(did.at_least)
                    && did.at_most.is_none_or(|most| times <= u64::from(most))
            }
            // Profiles count as of the question, whatever the row.
            Self::Profile(judges) => judges.iter().all(|judge| judge.holds(timeline.user, 0, 0)),
            Self::All(parts) => parts.iter().all(|part| part.holds(timeline)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(timeline)),
            Self::Not(part) => !part.holds(timeline),
        }
    }
}
