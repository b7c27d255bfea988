//! Who a cell of a retention table counts (D1), by the very function that counts them.

use serde::Serialize;
use serde_json::Value;

use super::kernel::{self, Frame};
use super::options::{Criterion, Metric};
use super::question::Retention;
use super::user::{Plan, Scratch};
use crate::access::Scoped;
use crate::error::{Error, Result};
use crate::query::Instant;
use crate::query::fields::{self, Fields};
use crate::timeline::View;

/// Which users of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// All of the cohort: `size`.
    #[default]
    Cohort,
    /// Those who returned in the period of their start: `returnedInStartPeriod`.
    ReturnedInStartPeriod,
    /// Those for whom the column's periods have elapsed: `eligible`.
    Eligible,
    /// Those of them who returned: `count`.
    Retained,
    /// Those of them who did not: `eligible - count`.
    NotRetained,
    /// Those for whom they have not elapsed, but who have returned: `partialCount`.
    ReturnedSoFar,
}

const WHO: [(&str, Who); 6] = [
    ("cohort", Who::Cohort),
    ("returned_in_start_period", Who::ReturnedInStartPeriod),
    ("eligible", Who::Eligible),
    ("retained", Who::Retained),
    ("not_retained", Who::NotRetained),
    ("returned_so_far", Who::ReturnedSoFar),
];

/// A cell of a retention table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The first instant of the cohort's period.
    pub cohort: Instant,
    /// The column, from 0.
    pub column: usize,
    /// Which users of it.
    pub who: Who,
    /// The group of a breakdown, from 0, in the order of the answer; all users by default.
    pub group: Option<usize>,
}

impl Place {
    /// Reads a cell in its JSON form: `cohort`, `column`, `who`, `group`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(cell: &Value) -> Result<Self> {
        let whole = |v: &Value| fields::integer(v, 0, 1_000_000).map(|n| n as usize);
        let mut fields = Fields::of(cell)?;
        let place = Self {
            cohort: fields.required("cohort", fields::instant),
            column: fields.optional("column", whole).unwrap_or_default(),
            who: fields.required("who", |v| fields::one_of(v, &WHO)),
            group: fields.optional("group", whole),
        };
        fields.finish(Vec::new())?;
        Ok(place)
    }
}

/// The keys of the users that a cell counts, ascending.
///
/// # Errors
/// `not_found` where the table has no such cohort, column or group; otherwise as `answer`.
pub fn people(question: &Scoped<&Retention>, view: &View<'_>, cell: &Place) -> Result<Vec<u32>> {
    let question = *question.inner();
    let frame = Frame::new(question, view)?;
    let plan = Plan::new(
        question,
        frame.clock(question, view),
        frame.columns(question),
        view,
    )?;
    let missing = |field, what| Error::field(field, "not_found", what);
    // A date that a zone skipped is an empty bucket before the one that starts at the same time.
    let buckets = frame.calendar.buckets().get(..frame.cohorts);
    let cohort = buckets
        .unwrap_or_default()
        .iter()
        .rposition(|b| b.start == cell.cohort)
        .ok_or_else(|| missing("cohort", "is no cohort of the table"))?;
    if cell.column >= plan.columns.count() {
        return Err(missing("column", "is no column of the table"));
    }
    let ranked = match cell.group {
        Some(_) if question.breakdown.is_some() => kernel::ranking(&plan, view)?,
        Some(_) => return Err(missing("group", "is no group: there is no breakdown")),
        None => Vec::new(),
    };
    let limit = question.breakdown.as_ref().map_or(0, |b| b.limit);
    if cell.group.is_some_and(|g| g >= ranked.len().min(limit + 1)) {
        return Err(missing("group", "is no group of the breakdown"));
    }
    let is_size = cell.column == 0 && shows_size(question);
    let (mut users, _) = view.fold(
        || (Vec::new(), Scratch::default()),
        |(users, scratch), t| {
            plan.each(&t, scratch, |joined| {
                let grouped = cell.group.is_none_or(|group| {
                    let mine = plan.group(&t, joined.start);
                    let place = ranked.iter().take(limit).position(|code| *code == mine);
                    place.unwrap_or(limit) == group
                });
                if joined.cohort != cohort || !grouped {
                    return;
                }
                let eligible = is_size || cell.column < plan.columns.within(joined.elapsed);
                let mut returned = is_size;
                plan.columns.returned(&joined.returns, |range| {
                    returned |= range.contains(&cell.column)
                });
                let counts = match cell.who {
                    Who::Cohort => true,
                    Who::ReturnedInStartPeriod => joined.returns.within,
                    Who::Eligible => eligible,
                    Who::Retained => eligible && returned,
                    Who::NotRetained => eligible && !returned,
                    Who::ReturnedSoFar => !eligible && returned,
                };
                if counts {
                    users.push(t.user);
                }
            });
        },
        |(mut a, scratch), (mut b, _)| {
            a.append(&mut b);
            (a, scratch)
        },
    )?;
    users.sort_unstable();
    Ok(users)
}

/// Whether the first column shows the cohort's size, rather than those who returned (R2).
pub(super) fn shows_size(question: &Retention) -> bool {
    question.metric == Metric::RetentionRate
        && !matches!(question.criterion, Criterion::Brackets(_))
}
