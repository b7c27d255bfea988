//! The answer to a question of next actions.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;

use super::boosted::{Backtest, Boosted, Lessons};
use super::habit::{Habit, INSTANTS, Sample, Stretch, mark};
use super::quality::{Quality, judge};
use super::question::{NextAction, SPAN};
use crate::access::Scoped;
use crate::error::{Error, Result};
use crate::learn::chain::{Chain, Chance, Context, NOTHING, ORDER, Seen, after};
use crate::learn::special::{logistic, logit};
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
    /// What gave the chances: `markov`, the chain of the last actions; or `boosting`, trees that mend its chances by how long ago and how
    /// often a user did what and by the hour of the week, where they lost less in the backtest.
    pub method: &'static str,
    /// How good both were for what users did next from instants in the past; null where there is too little to tell, so that the chain answers.
    pub backtest: Option<Backtest>,
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

    fn name(&self, action: u16) -> String {
        self.names
            .get(usize::from(action))
            .map_or_else(String::new, |n| (*n).to_owned())
    }
}

/// What a pass over all users sees.
#[derive(Default)]
struct Found {
    /// What was done before both stretches that samples are of, within the first, and within the second.
    past: Seen,
    before: Seen,
    after: Seen,
    samples: [Vec<Sample>; 2],
    /// The last actions of the segment's users, and how many users have each.
    last: BTreeMap<Context, u64>,
}

impl Found {
    fn with(mut self, mut other: Self) -> Self {
        for (context, n) in other.last {
            *self.last.entry(context).or_default() += n;
        }
        for (own, more) in self.samples.iter_mut().zip(&mut other.samples) {
            own.append(more);
        }
        Self {
            past: self.past.with(other.past),
            before: self.before.with(other.before),
            after: self.after.with(other.after),
            ..self
        }
    }
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
    let split = Split::new(&actions, view)?.ok_or_else(|| {
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
            let done: Vec<(i64, u16)> = actions.of(&timeline).collect();
            let mut context = [NOTHING; ORDER];
            for (ts, action) in &done {
                let seen = if *ts < split.first.from {
                    &mut found.past
                } else if *ts < split.second.from {
                    &mut found.before
                } else {
                    &mut found.after
                };
                seen.add(context, *action);
                context = after(context, *action);
            }
            let user = mark(&done);
            if user.is_multiple_of(split.thin) {
                let [first, second] = &mut found.samples;
                first.extend(split.first.samples(&done, user));
                second.extend(split.second.samples(&done, user));
            }
            if context != [NOTHING; ORDER] && members.hold(&timeline) {
                *found.last.entry(context).or_default() += 1;
            }
        },
        Found::with,
    )?;
    let split_at = Instant::saturating_from_micros(split.second.from);
    let earlier = Chain::of(&found.past);
    let before = found.past.with(found.before);
    let quality = judge(&before, &found.after, split_at, question.order);
    // Without evidence the longest order asked for: interpolation keeps it from trusting what it has hardly seen.
    let order = quality.as_ref().map_or(question.order, best);
    view.stop.check()?;
    let lessons = Lessons {
        samples: found.samples,
        chains: [&earlier, &Chain::of(&before)],
        order,
        split_at,
    };
    let (backtest, boosted) = lessons.learn().unzip();
    let teller = Teller {
        chain: Chain::of(&before.with(found.after)),
        boosted: boosted.flatten(),
        order,
        actions: &actions,
    };
    view.stop.check()?;
    let segment_users = found.last.values().sum();
    let together = match &teller.boosted {
        None => together(&teller.chain, &found.last, order),
        Some(boosted) => teller.together(boosted, &members, view)?,
    };
    let asked = question.users.iter().zip(users);
    let users = asked.filter_map(|(id, key)| {
        let timeline = view.timelines.user(*key).until(view.as_of.micros());
        teller.user(id, &timeline, (view.as_of, question.top))
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
        method: teller.method(),
        backtest,
        order,
        activity: question.activity.clone(),
        segment: question.segment,
        as_of: view.as_of,
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

/// What tells chances.
struct Teller<'a> {
    chain: Chain,
    /// The trees, where they won.
    boosted: Option<Boosted>,
    order: usize,
    actions: &'a Actions<'a>,
}

impl Teller<'_> {
    fn method(&self) -> &'static str {
        match self.boosted {
            None => "markov",
            Some(_) => "boosting",
        }
    }

    /// What a user will do next; none without an action.
    fn user(
        &self,
        id: &str,
        timeline: &Timeline<'_>,
        (as_of, top): (Instant, usize),
    ) -> Option<NextOfUser> {
        let done: Vec<(i64, u16)> = self.actions.of(timeline).collect();
        let habit = Habit::of(&done, as_of.micros())?;
        let support = self.chain.support(habit.context, self.order);
        let next = match &self.boosted {
            None => self
                .chain
                .chances(habit.context, self.order)
                .into_iter()
                .map(|chance| (chance, support.interval(chance.probability)))
                .collect(),
            Some(trees) => {
                let errors = trees.errors(&habit, &self.chain, self.order);
                let chances = trees.chances(&habit, &self.chain, self.order);
                let reach = |p: f64, error: f64| {
                    const Z: f64 = 1.959_963_984_540_054;
                    let odds = logit(p);
                    [
                        logistic(odds - Z * error).min(p),
                        logistic(odds + Z * error).max(p),
                    ]
                };
                let each = chances.into_iter().zip(errors);
                each.map(|(chance, error)| (chance, reach(chance.probability, error)))
                    .collect()
            }
        };
        let after = habit.context.iter().take(support.length);
        Some(NextOfUser {
            user_id: id.to_owned(),
            after: after.map(|action| self.actions.name(*action)).collect(),
            seen: support.seen,
            next: self.next(next, top),
        })
    }

    fn next(&self, mut chances: Vec<(Chance, [f64; 2])>, top: usize) -> Vec<Next> {
        chances.sort_by(|a, b| order(&a.0, &b.0));
        let told = chances.into_iter().take(top);
        told.map(|(chance, [low, high])| Next {
            event: self.actions.name(chance.action),
            probability: chance.probability,
            low,
            high,
        })
        .collect()
    }

    /// The sum of chances over the segment's users. Summed in whole 2^-40, so that the order of users changes no digit.
    fn together(
        &self,
        boosted: &Boosted,
        members: &Members<'_>,
        view: &View<'_>,
    ) -> Result<Vec<Chance>> {
        const ONE: f64 = (1_u64 << 40) as f64;
        let sums = view.fold(
            Vec::new,
            |sums: &mut Vec<(u16, u128)>, timeline| {
                if !members.hold(&timeline) {
                    return;
                }
                let done: Vec<(i64, u16)> = self.actions.of(&timeline).collect();
                let Some(habit) = Habit::of(&done, view.as_of.micros()) else {
                    return;
                };
                let chances = boosted.chances(&habit, &self.chain, self.order);
                if sums.is_empty() {
                    sums.extend(chances.iter().map(|c| (c.action, 0)));
                }
                for (sum, chance) in sums.iter_mut().zip(chances) {
                    sum.1 += (chance.probability * ONE) as u128;
                }
            },
            |mut a, b| {
                if a.is_empty() {
                    return b;
                }
                a.iter_mut().zip(b).for_each(|(a, b)| a.1 += b.1);
                a
            },
        )?;
        let chance = |(action, sum): (u16, u128)| Chance {
            action,
            probability: sum as f64 / ONE,
        };
        Ok(sums.into_iter().map(chance).collect())
    }
}

/// The order of least log loss, the shortest of equals.
fn best(quality: &Quality) -> usize {
    let least = quality
        .orders
        .iter()
        .min_by(|a, b| a.log_loss.total_cmp(&b.log_loss));
    least.map_or(0, |o| o.order)
}

/// The sum of chances over users by their last actions.
fn together(chain: &Chain, last: &BTreeMap<Context, u64>, order: usize) -> Vec<Chance> {
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
    sums
}

/// The likeliest first, equal ones in the order of their names.
fn order(a: &Chance, b: &Chance) -> Ordering {
    let by = b.probability.total_cmp(&a.probability);
    by.then(a.action.cmp(&b.action))
}

fn likeliest(mut chances: Vec<Chance>, top: usize) -> impl Iterator<Item = Chance> {
    chances.sort_by(order);
    chances.into_iter().take(top)
}

/// Where the time of all actions is parted: samples are taken of two stretches, the latest fifth of the actions and as long a one before it.
struct Split {
    first: Stretch,
    second: Stretch,
    /// Of so many users one gives samples.
    thin: u64,
}

/// So many instants at most are looked at in a stretch.
const SAMPLES: u64 = 16_000;

impl Split {
    /// At the edge of one of 4,096 equal parts of the time from the first action to the last, with about four fifths of all actions before it. None
    /// without actions.
    fn new(actions: &Actions<'_>, view: &View<'_>) -> Result<Option<Self>> {
        const PARTS: i64 = 4_096;
        let (ends, users) = view.fold(
            || (None, 0_u64),
            |(ends, users): &mut (Option<(i64, i64)>, u64), timeline| {
                let mut acted = false;
                for (ts, _) in actions.of(&timeline) {
                    let (first, last) = ends.unwrap_or((ts, ts));
                    *ends = Some((first.min(ts), last.max(ts)));
                    acted = true;
                }
                *users += u64::from(acted);
            },
            |(a, n), (b, m)| {
                let ends = match (a, b) {
                    (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
                    (a, b) => a.or(b),
                };
                (ends, n + m)
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
        let at = first + width * parts.count() as i64;
        let long = (last + 1).saturating_sub(at).max(0);
        Ok(Some(Self {
            first: Stretch {
                from: at.saturating_sub(long),
                to: at,
            },
            second: Stretch {
                from: at,
                to: at.saturating_add(long),
            },
            thin: (users * INSTANTS).div_ceil(SAMPLES).max(1),
        }))
    }
}
