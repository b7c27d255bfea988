//! The answer to a question of feature adoption.

use serde::Serialize;

use super::people::Who;
use super::plan::Plan;
use super::question::{Adoption, Feature};
use super::tally::{Counts, Tally};
use crate::access::Scoped;
use crate::error::Result;
use crate::query::{
    Condition, Filter, Instant, Period, Quantiles, Rate, Segment, WeekStart, Window, Zone, answer,
    answer::Stamp, survival,
};
use crate::timeline::View;

/// Which features the users of a range take up, and how soon (L3).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdoptionAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// Each feature, in the order of the question.
    pub features: Vec<FeatureAdoption>,
    /// Distinct users active in the range.
    pub active_users: u64,
    /// How many features they use in the range, and how often.
    pub breadth: Breadth,
    /// How many uses make an adopter.
    pub min_uses: u32,
    /// Within how many seconds of exposure.
    pub within: Window,
    /// The period of first uses.
    pub period: Period,
    /// The users counted.
    pub segment: Segment,
    /// The first instant of the range.
    pub start_date: Instant,
    /// The first instant after the range.
    pub end_date: Instant,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
    /// The zone of the calendar.
    pub timezone: Zone,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// What every event seen met; absent for nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// The rules the numbers follow.
    pub preset: &'static str,
    /// Whether stored history begins only at or after the range, so that users may have been seen, and features used, before.
    pub left_censored: bool,
    /// Events without a user, which nobody uses anything by (I4).
    pub unattributed_events: u64,
}

/// How a feature is taken up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeatureAdoption {
    /// Its name.
    pub feature: String,
    /// The events that are uses of it.
    pub event: Condition,
    /// When it was released; null for ever.
    pub released: Option<Instant>,
    /// Users active in the range and by then exposed: exposure is the user's first event ever or the release, whichever is
    /// later, and some event in the range is not earlier.
    pub exposed: u64,
    /// Of those, who had at least `minUses` uses within `within` of exposure, its end included.
    pub adopters: u64,
    /// `adopters / exposed`.
    pub rate: Rate,
    /// Exposed users who have not adopted it but still can.
    pub open: u64,
    /// The same of users whose time to adopt has passed: it no longer moves as time goes on.
    pub matured: Matured,
    /// Users with a use in the range.
    pub users: u64,
    /// Uses in the range.
    pub uses: u64,
    /// `uses / users`; nothing without users.
    pub uses_per_user: Option<f64>,
    /// Seconds from exposure to the use that made an adopter, of adopters.
    pub time_to_adopt: Quantiles,
    /// Seconds by which half of the exposed have adopted, with those who still can counted for as long as they were watched
    /// (Kaplan–Meier); nothing where fewer than half do within `within`.
    pub kaplan_meier_median: Option<f64>,
    /// By period of the range, the users whose first use ever lies in it.
    pub first_uses: Vec<FirstUses>,
}

/// Users exposed so early that their time to adopt has passed at `asOf`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Matured {
    /// How many.
    pub exposed: u64,
    /// How many of them adopted in time.
    pub adopters: u64,
    /// `adopters / exposed`.
    pub rate: Rate,
}

/// The users whose first use ever lies in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FirstUses {
    /// The first instant of the period.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
    /// Whether the range cuts the period (T3): only the part within the range is counted.
    pub partial: bool,
    /// Whether the period has wholly passed at `asOf`.
    pub complete: bool,
    /// Distinct users.
    pub users: u64,
}

/// The active users of the range by how many features they use in it and how often: unused + Σ cells = active users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breadth {
    /// Active users without any use.
    pub unused: u64,
    /// One row for each possible number of features, from 1.
    pub rows: Vec<BreadthRow>,
}

/// The users of so many features.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BreadthRow {
    /// How many features.
    pub features: usize,
    /// Users of exactly so many.
    pub users: u64,
    /// The same by how often: one cell a frequency.
    pub cells: Vec<BreadthCell>,
}

/// The users of so many features with so many uses of any of them in the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BreadthCell {
    /// The fewest uses.
    pub from: u32,
    /// The first number of uses that is too many; null for none.
    pub until: Option<u32>,
    /// Distinct users.
    pub users: u64,
}

/// Answers a valid question of adoption over timelines.
///
/// # Errors
/// `too_many_periods` where the range has more than 40,000 periods.
pub fn answer(question: &Scoped<&Adoption>, view: &View<'_>) -> Result<AdoptionAnswer> {
    let question = *question.inner();
    let span = question.range.span();
    let plan = Plan::new(question, view)?;
    let tally = Tally::run(&plan, view)?;
    let features = question.features.iter().zip(tally.features);
    let mut answer = AdoptionAnswer {
        stamp: Stamp::default(),
        features: features
            .map(|(f, counts)| feature(f, counts, &plan, view.as_of))
            .collect(),
        active_users: tally.active,
        breadth: breadth(tally.unused, &tally.breadth, &question.frequencies),
        min_uses: question.min_uses,
        within: question.within,
        period: question.period,
        segment: question.segment,
        start_date: span.from,
        end_date: span.to,
        as_of: view.as_of,
        timezone: question.range.zone.clone(),
        week_start: question.week_start,
        filters: question.filters.clone(),
        preset: "exact",
        left_censored: view
            .timelines
            .first()
            .is_some_and(|first| first >= span.from.micros() && first <= view.as_of.micros()),
        unattributed_events: view.timelines.unattributed(view.as_of),
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

fn feature(feature: &Feature, counts: Counts, plan: &Plan<'_>, as_of: Instant) -> FeatureAdoption {
    let range = &plan.question.range;
    let span = range.span();
    let rows = plan.rows.iter().zip(&counts.first);
    let first_uses = rows.map(|(bucket, users)| FirstUses {
        start: bucket.start,
        end: bucket.end,
        partial: bucket.start < span.from || bucket.end > span.to,
        complete: bucket.end <= as_of,
        users: *users,
    });
    let first_uses = first_uses.collect();
    let [exposed, adopters] = [Who::Exposed, Who::Adopters].map(|who| counts.of(who));
    let [of, by] = [Who::MaturedExposed, Who::MaturedAdopters].map(|who| counts.of(who));
    let users = counts.of(Who::Users);
    let median = survival::median(counts.times.clone(), counts.watched.clone(), counts.passed);
    FeatureAdoption {
        feature: feature.name.clone(),
        event: feature.condition.clone(),
        released: feature.released.map(|at| at.start(&range.zone)),
        exposed,
        adopters,
        rate: Rate::of(adopters, exposed),
        open: counts.of(Who::Open),
        matured: Matured {
            exposed: of,
            adopters: by,
            rate: Rate::of(by, of),
        },
        users,
        uses: counts.uses,
        uses_per_user: (users > 0).then(|| counts.uses as f64 / users as f64),
        kaplan_meier_median: median.map(|micros| micros as f64 / 1e6),
        time_to_adopt: Quantiles::of_micros(counts.times),
        first_uses,
    }
}

fn breadth(unused: u64, counts: &[Vec<u64>], frequencies: &[u32]) -> Breadth {
    let rows = counts.iter().enumerate().map(|(i, counts)| {
        let cells = counts.iter().enumerate().zip(frequencies);
        BreadthRow {
            features: i + 1,
            users: counts.iter().sum(),
            cells: cells
                .map(|((place, users), from)| BreadthCell {
                    from: *from,
                    until: frequencies.get(place + 1).copied(),
                    users: *users,
                })
                .collect(),
        }
    });
    Breadth {
        unused,
        rows: rows.collect(),
    }
}
