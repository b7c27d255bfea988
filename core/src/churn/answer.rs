//! The answer to a question of churn.

use std::collections::HashMap;

use serde::Serialize;

use super::bgnbd::BgNbd;
use super::collect::{histories, values};
use super::fits::Fits;
use super::history::History;
use super::model::{Model, Score, Setting};
use super::page::{Names, page};
use super::quality::{Quality, back, judge};
use super::question::{Cell, Churn};
use super::reason::{Attribute, Reason, average, reasons};
use crate::access::Scoped;
use crate::error::{Error, Result};
use crate::learn::special::{logistic, probit};
use crate::query::answer::{self, Stamp};
use crate::query::filter::Property;
use crate::query::{Condition, Instant, Rate, Segment};
use crate::timeline::View;

/// Which users are about to go away, how sure that is, and why (S7).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChurnAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The users of the segment together.
    pub summary: ChurnSummary,
    /// The users, those with the highest risk first, equal ones in the order of their ids.
    pub users: Vec<Risk>,
    /// How many users the list has in all.
    pub total: u64,
    /// How many were left out before those shown.
    pub offset: usize,
    /// Whether there are more behind those shown.
    pub has_more: bool,
    /// How good such probabilities have been; null where history is too short to tell, which takes two horizons.
    pub quality: Option<Quality>,
    /// What gave the probabilities: `hazard`, a regression that tells users apart; `boosting`, trees that won over it on the newest
    /// cut-off, where attributes were asked for; or `base_rate`, where too few users churned or stayed
    /// to learn who does, so that all have the probability of the last cut-off.
    pub method: &'static str,
    /// What gave the next actions, `markov` or `boosting`, where they were asked for; see the word `next_action`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_action_method: Option<&'static str>,
    /// The cut-offs that it was learned at, the newest first.
    pub learned_at: Vec<LearnedAt>,
    /// The BG/NBD model of days of activity behind `expectedActiveDays`; null where nobody was active on two days.
    pub visits: Option<Visits>,
    /// The horizon in days.
    pub horizon_days: u32,
    /// The events that are activity.
    pub activity: Condition,
    /// In how many days before a cut-off users must have been active to count; null for ever.
    pub active_within_days: Option<u32>,
    /// What is said of users that was looked at too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Property>,
    /// The users listed and summed up.
    pub segment: Segment,
    /// The level of intervals in percent.
    pub confidence_level: f64,
    /// The cut-off: nothing at or after it was used.
    pub as_of: Instant,
}

/// The users of the segment together.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChurnSummary {
    /// How many there are.
    pub users: u64,
    /// How many of them are expected to churn: the sum of their probabilities.
    pub expected_churners: f64,
    /// The mean of their probabilities; null for nobody.
    pub average_probability: Option<f64>,
    /// The log odds of the average user, from which reasons are counted; null for nobody.
    pub average_log_odds: Option<f64>,
    /// How many have a risk within each tenth of [0, 1].
    pub bins: Vec<RiskBin>,
}

/// The users with a risk in `[from, to)`, or up to 1 where `to` is 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RiskBin {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// How many.
    pub users: u64,
}

/// A user's risk.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Risk {
    /// The id.
    pub user_id: String,
    /// Whether it is the id of a device that nobody is known on.
    pub anonymous: bool,
    /// The probability of no activity within the horizon.
    pub probability: f64,
    /// The lower end of the interval of this probability: how well it is known, from the errors of regression and calibration.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Days of activity to be expected within the horizon, by the BG/NBD model; null without one.
    pub expected_active_days: Option<f64>,
    /// Days on which the user was active; days are counted back from `asOf`.
    pub active_days: u64,
    /// Whole days since the last activity.
    pub days_since_active: u64,
    /// Whole days since the first activity.
    pub days_known: u64,
    /// Why, the strongest first.
    pub reasons: Vec<Reason>,
    /// What the user would do next, the likeliest first, where asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next_actions: Vec<Likely>,
}

/// What a user who comes again is likely to do next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Likely {
    /// The name of the event.
    pub event: String,
    /// Its chance.
    pub probability: f64,
}

impl ChurnAnswer {
    /// Says of users what they would do next.
    pub(crate) fn tell_next(
        &mut self,
        method: &'static str,
        mut told: HashMap<String, Vec<Likely>>,
    ) -> Result<()> {
        self.next_action_method = Some(method);
        for risk in &mut self.users {
            risk.next_actions = told.remove(&risk.user_id).unwrap_or_default();
        }
        if let Some(versions) = std::mem::take(&mut self.stamp).versions {
            self.stamp = answer::stamp(self, versions)?;
        }
        Ok(())
    }
}

/// A cut-off that was learned from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LearnedAt {
    /// The cut-off.
    pub cut_off: Instant,
    /// How many of the users who counted there churned.
    pub churned: Rate,
}

/// The parameters of a BG/NBD model (Fader, Hardie and Lee, 2005), time in days.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Visits {
    /// The shape of the rates at which users come.
    pub r: f64,
    /// Their scale.
    pub alpha: f64,
    /// The first parameter of the probability of dropping out after a visit.
    pub a: f64,
    /// The second one.
    pub b: f64,
}

impl From<BgNbd> for Visits {
    fn from(model: BgNbd) -> Self {
        let BgNbd { r, alpha, a, b } = model;
        Self { r, alpha, a, b }
    }
}

/// What is known once all users have a score.
struct Scored {
    setting: Setting,
    model: Model,
    visits: Option<BgNbd>,
    /// Those of the segment.
    scores: Vec<Score>,
}

/// The histories that a question is of.
fn asked(question: &Churn, view: &View<'_>) -> Result<Vec<History>> {
    let histories = histories(
        view,
        &question.activity,
        question.segment,
        question.horizon_days,
        &question.attributes,
    )?;
    view.stop.check()?;
    Ok(histories)
}

impl Scored {
    fn new(question: &Churn, fits: &Fits<'_>, view: &View<'_>) -> Result<Self> {
        let horizon = question.horizon_days;
        let setting = Setting {
            horizon,
            active_within: question.active_within_days,
            attributes: question.attributes.len(),
        };
        let model = setting
            .learn(fits, 0)
            .ok_or_else(|| too_little(fits.histories, horizon))?;
        view.stop.check()?;
        let visits = fits.visits(0);
        let mut scores = model.scores(fits.histories, 0, visits.as_ref());
        scores.retain(|s| s.member);
        Ok(Self {
            setting,
            model,
            visits,
            scores,
        })
    }
}

/// Why nothing can be learned, and what it would take.
fn too_little(histories: &[History], horizon: u32) -> Error {
    let first = histories.iter().filter_map(|h| h.days.first());
    match first.map(|day| day.ago).max() {
        None => Error::field(
            "activity",
            "no_events",
            "no user has such an event before asOf, so there is nobody to learn from",
        ),
        Some(first) => Error::field(
            "horizonDays",
            "too_little_history",
            format!(
                "churn within {horizon} days is learned from users who were active at least {horizon} days before asOf; the first activity is {first} whole days before it, so {}",
                match first {
                    0 => "there is nothing to learn from yet".to_owned(),
                    1 => "horizonDays can be 1".to_owned(),
                    _ => format!(
                        "horizonDays can be at most {first}, and at most {} where it is to be seen how good the probabilities are",
                        first / 2
                    ),
                }
            ),
        ),
    }
}

/// Answers a valid question of churn over timelines; `only` are the keys of the users to list, where the question names them.
///
/// # Errors
/// `no_events` and `too_little_history` where there is nothing to learn from; `missing_rate` for amounts without a rate.
pub fn answer(
    question: &Scoped<&Churn>,
    view: &View<'_>,
    only: Option<&[u32]>,
    names: &Names<'_>,
) -> Result<ChurnAnswer> {
    let question = *question.inner();
    let histories = asked(question, view)?;
    let fits = Fits::of(&histories);
    let scored = Scored::new(question, &fits, view)?;
    let quality = judge(scored.setting, &fits, view.as_of);
    view.stop.check()?;
    let average = average(scored.scores.iter().map(|s| &s.row));
    let listed: Vec<&Score> = scored
        .scores
        .iter()
        .filter(|s| only.is_none_or(|only| only.contains(&s.user)))
        .collect();
    let total = listed.len();
    let shown = page(
        listed,
        |a, b| b.log_odds.total_cmp(&a.log_odds),
        |s| s.user,
        (question.offset, question.limit),
        names,
    )?;
    let values = values(view, &question.attributes)?;
    let z = probit(0.5 + question.level / 200.0);
    let users: Vec<Risk> = shown
        .into_iter()
        .map(|(score, named)| {
            let (effects, more) = scored
                .model
                .contributions(&score.row, &score.known, &average);
            let said = question.attributes.iter().zip(&values).zip(&score.known);
            let said = said
                .zip(more)
                .map(|(((property, values), value), effect)| Attribute {
                    property: property.clone(),
                    value: value.and_then(|at| values.get(at as usize).cloned()),
                    effect,
                });
            let figures = &score.figures;
            Risk {
                user_id: named.id,
                anonymous: named.anonymous,
                probability: score.probability(),
                low: logistic(score.log_odds - z * score.error),
                high: logistic(score.log_odds + z * score.error),
                expected_active_days: figures.expected,
                active_days: figures.visits.repeats as u64 + 1,
                days_since_active: figures.recency as u64,
                days_known: figures.visits.known as u64,
                reasons: reasons(figures, &effects, &average, question.horizon_days, said),
                next_actions: Vec::new(),
            }
        })
        .collect();
    let mut answer = ChurnAnswer {
        stamp: Stamp::default(),
        summary: summary(&scored, &average),
        total: total as u64,
        offset: question.offset,
        has_more: question.offset.saturating_add(users.len()) < total,
        users,
        quality,
        method: scored.model.name(),
        next_action_method: None,
        learned_at: scored
            .model
            .lessons
            .iter()
            .map(|lesson| LearnedAt {
                cut_off: back(view.as_of, lesson.cut),
                churned: Rate::of(lesson.churned, lesson.users),
            })
            .collect(),
        visits: scored.visits.map(Into::into),
        horizon_days: question.horizon_days,
        activity: question.activity.clone(),
        active_within_days: question.active_within_days,
        attributes: question.attributes.clone(),
        segment: question.segment,
        confidence_level: question.level,
        as_of: view.as_of,
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

fn summary(scored: &Scored, average: &super::features::Row) -> ChurnSummary {
    let scores = &scored.scores;
    let users = scores.len() as u64;
    let probabilities: Vec<f64> = scores.iter().map(Score::probability).collect();
    let expected: f64 = probabilities.iter().sum();
    let bins = (0..10).map(|tenth| {
        let cell = tenth_of(tenth);
        RiskBin {
            from: cell.from,
            to: cell.to,
            users: probabilities.iter().filter(|p| cell.holds(**p)).count() as u64,
        }
    });
    ChurnSummary {
        users,
        expected_churners: expected,
        average_probability: (users > 0).then(|| expected / users as f64),
        average_log_odds: (users > 0).then(|| scored.model.average(average)),
        bins: bins.collect(),
    }
}

fn tenth_of(tenth: u32) -> Cell {
    Cell {
        from: f64::from(tenth) / 10.0,
        to: f64::from(tenth + 1) / 10.0,
    }
}

/// The keys, ascending, of the users of the summary with a risk in a cell (D1).
///
/// # Errors
/// As `answer`.
pub fn people(question: &Scoped<&Churn>, view: &View<'_>, cell: &Cell) -> Result<Vec<u32>> {
    let histories = asked(question.inner(), view)?;
    let scored = Scored::new(question.inner(), &Fits::of(&histories), view)?;
    let within = scored.scores.iter().filter(|s| cell.holds(s.probability()));
    let mut keys: Vec<u32> = within.map(|s| s.user).collect();
    keys.sort_unstable();
    Ok(keys)
}
