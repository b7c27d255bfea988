//! The answer to a question of next actions.

use std::collections::BTreeMap;

use serde::Serialize;

use super::chain::{Chain, Chance, Context, NOTHING, ORDER, Seen, Support, after};
use super::quality::{Quality, judge};
use super::question::{NextAction, SPAN};
use crate::access::Scoped;
use crate::error::{Error, Result};
use crate::query::answer::{self, Stamp};
use crate::query::{Condition, Instant, Segment, Span};
use crate::timeline::{Meaning, Members, Timeline, View};

/// What users will do next.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextActionAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The next actions of the segment's users together, the likeliest first.
    pub actions: Vec<NextOfAll>,
    /// How many users these are: all of the segment with an action.
    pub segment_users: u64,
    /// The users asked for who have an action, in the order of the question.
    pub users: Vec<NextOfUser>,
    /// How good such chances have been; null where there are too few actions to tell.
    pub quality: Option<Quality>,
    /// How many of the last actions are looked at, at most: the order of least log loss among those up to the one asked for.
    pub order: usize,
    /// The events that are actions.
    pub activity: Condition,
    /// The users told together.
    pub segment: Segment,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
}

/// An action that the users of a segment may do next.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextOfAll {
    /// Its name.
    pub event: String,
    /// The mean of its chance over the users.
    pub probability: f64,
    /// How many of them are expected to do it next: the sum of their chances.
    pub expected_users: f64,
}

/// What a user will do next.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextOfUser {
    /// The id, as it was asked for.
    pub user_id: String,
    /// The user's last actions, the latest first, as far as the chain knows them in this order.
    pub after: Vec<String>,
    /// How often something followed these.
    pub seen: u64,
    /// The likeliest next actions.
    pub next: Vec<Next>,
}

/// An action that a user may do next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Next {
    /// Its name.
    pub event: String,
    /// Its chance.
    pub probability: f64,
    /// The lower end of its 95 % interval, by how often such actions were seen.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Actions of users, as numbers by the order of their names, so that no sum depends on the order in which names were stored.
struct Actions<'a> {
    meaning: Meaning,
    /// By name key, the number.
    numbers: Vec<u16>,
    /// By number, the name.
    names: Vec<&'a str>,
}

impl<'a> Actions<'a> {
    fn new(activity: &Condition, view: &View<'a>) -> Result<Self> {
        let mut names: Vec<(&str, usize)> = view
            .timelines
            .names()
            .iter()
            .map(String::as_str)
            .zip(0..)
            .collect();
        names.sort_unstable();
        let mut numbers = vec![0; names.len()];
        for (number, (_, key)) in (0..NOTHING).zip(&names) {
            if let Some(place) = numbers.get_mut(*key) {
                *place = number;
            }
        }
        Ok(Self {
            meaning: view.meaning(activity)?,
            numbers,
            names: names.into_iter().map(|n| n.0).collect(),
        })
    }

    /// The times and numbers of a user's actions.
    fn of<'b>(&'b self, timeline: &Timeline<'b>) -> impl Iterator<Item = (i64, u16)> + 'b {
        let events = timeline.ts.iter().zip(timeline.name).zip(timeline.row);
        events.filter_map(|((ts, name), row)| {
            let meant = self.meaning.holds(*name, *row);
            let number = self.numbers.get(usize::from(*name)).filter(|_| meant)?;
            Some((*ts, *number))
        })
    }

    fn last(&self, timeline: &Timeline<'_>) -> Context {
        let actions = self.of(timeline);
        actions.fold([NOTHING; ORDER], |context, (_, action)| {
            after(context, action)
        })
    }

    fn name(&self, action: u16) -> String {
        self.names
            .get(usize::from(action))
            .map_or_else(String::new, |n| (*n).to_owned())
    }
}

/// What a pass over all users sees.
#[derive(Default)]
struct Found {
    before: Seen,
    after: Seen,
    /// The last actions of the segment's users, and how many users have each.
    last: BTreeMap<Context, u64>,
}

/// Answers a valid question of next actions over timelines; `users` are the keys of those it names.
///
/// # Errors
/// `no_events` where there is no action.
pub fn answer(
    question: &Scoped<&NextAction>,
    view: &View<'_>,
    users: &[u32],
) -> Result<NextActionAnswer> {
    let question = *question.inner();
    let actions = Actions::new(&question.activity, view)?;
    let split = split(&actions, view)?.ok_or_else(|| {
        Error::field(
            "activity",
            "no_events",
            "no user has such an event by asOf, so there is nothing to learn from",
        )
    })?;
    let span = Span {
        from: Instant::saturating_from_micros(view.as_of.micros() - SPAN.micros()),
        to: Instant::saturating_from_micros(view.as_of.micros() + 1),
    };
    let members = Members::new(question.segment, span, view);
    let found = view.fold(
        Found::default,
        |found, timeline| {
            let mut context = [NOTHING; ORDER];
            for (ts, action) in actions.of(&timeline) {
                let seen = if ts < split {
                    &mut found.before
                } else {
                    &mut found.after
                };
                seen.add(context, action);
                context = after(context, action);
            }
            if context != [NOTHING; ORDER] && members.hold(&timeline) {
                *found.last.entry(context).or_default() += 1;
            }
        },
        |a, b| {
            let mut last = a.last;
            for (context, n) in b.last {
                *last.entry(context).or_default() += n;
            }
            Found {
                before: a.before.with(b.before),
                after: a.after.with(b.after),
                last,
            }
        },
    )?;
    let split_at = Instant::saturating_from_micros(split);
    let quality = judge(&found.before, &found.after, split_at, question.order);
    // Without evidence the longest order asked for: interpolation keeps it from trusting what it has hardly seen.
    let order = quality.as_ref().map_or(question.order, best);
    let chain = Chain::of(&found.before.with(found.after));
    view.stop.check()?;
    let (together, segment_users) = together(&chain, &found.last, order);
    let asked = question.users.iter().zip(users);
    let users = asked.filter_map(|(id, key)| {
        let timeline = view.timelines.user(*key).until(view.as_of.micros());
        let context = actions.last(&timeline);
        if context == [NOTHING; ORDER] {
            return None;
        }
        let support = chain.support(context, order);
        Some(NextOfUser {
            user_id: id.clone(),
            after: context
                .iter()
                .take(support.length)
                .map(|action| actions.name(*action))
                .collect(),
            seen: support.seen,
            next: next(
                chain.chances(context, order),
                support,
                question.top,
                &actions,
            ),
        })
    });
    let mut answer = NextActionAnswer {
        stamp: Stamp::default(),
        users: users.collect(),
        actions: likeliest(together, question.top)
            .map(|chance| NextOfAll {
                event: actions.name(chance.action),
                probability: chance.probability / segment_users as f64,
                expected_users: chance.probability,
            })
            .collect(),
        segment_users,
        quality,
        order,
        activity: question.activity.clone(),
        segment: question.segment,
        as_of: view.as_of,
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

/// The order of least log loss, the shortest of equals.
fn best(quality: &Quality) -> usize {
    let least = quality
        .orders
        .iter()
        .min_by(|a, b| a.log_loss.total_cmp(&b.log_loss));
    least.map_or(0, |o| o.order)
}

/// The sum of chances over users by their last actions, and how many users there are.
fn together(chain: &Chain, last: &BTreeMap<Context, u64>, order: usize) -> (Vec<Chance>, u64) {
    let mut sums: Vec<Chance> = Vec::new();
    for (context, n) in last {
        let chances = chain.chances(*context, order);
        if sums.is_empty() {
            sums = chances
                .iter()
                .map(|c| Chance {
                    probability: 0.0,
                    ..*c
                })
                .collect();
        }
        for (sum, chance) in sums.iter_mut().zip(chances) {
            sum.probability += *n as f64 * chance.probability;
        }
    }
    (sums, last.values().sum())
}

/// The likeliest actions, equal ones in the order of their names.
fn likeliest(mut chances: Vec<Chance>, top: usize) -> impl Iterator<Item = Chance> {
    chances.sort_by(|a, b| {
        let order = b.probability.total_cmp(&a.probability);
        order.then(a.action.cmp(&b.action))
    });
    chances.into_iter().take(top)
}

fn next(chances: Vec<Chance>, support: Support, top: usize, actions: &Actions<'_>) -> Vec<Next> {
    let told = likeliest(chances, top).map(|chance| {
        let [low, high] = support.interval(chance.probability);
        Next {
            event: actions.name(chance.action),
            probability: chance.probability,
            low,
            high,
        }
    });
    told.collect()
}

/// An instant, in microseconds, with about four fifths of all actions before it: the edge of one of 4,096 equal parts of the time from the first
/// to the last. None without actions.
fn split(actions: &Actions<'_>, view: &View<'_>) -> Result<Option<i64>> {
    const PARTS: i64 = 4_096;
    let ends = view.fold(
        || None,
        |ends: &mut Option<(i64, i64)>, timeline| {
            for (ts, _) in actions.of(&timeline) {
                let (first, last) = ends.unwrap_or((ts, ts));
                *ends = Some((first.min(ts), last.max(ts)));
            }
        },
        |a, b| match (a, b) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        },
    )?;
    let Some((first, last)) = ends else {
        return Ok(None);
    };
    let width = (last - first) / PARTS + 1;
    let counts = view.fold(
        || vec![0_u64; PARTS as usize],
        |counts, timeline| {
            for (ts, _) in actions.of(&timeline) {
                if let Some(count) = counts.get_mut(((ts - first) / width) as usize) {
                    *count += 1;
                }
            }
        },
        |mut a, b| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        },
    )?;
    let all: u64 = counts.iter().sum();
    let mut before = 0;
    let parts = counts.iter().take_while(|n| {
        before += **n;
        before * 5 <= all * 4
    });
    Ok(Some(first + width * parts.count() as i64))
}
