//! What is known of users, as features for models of other makes.

use super::collect::histories;
use super::features::Figures;
use super::fits::Fits;
use super::model::Setting;
use super::page::{Named, Names};
use super::question::Churn;
use crate::access::Scoped;
use crate::error::Result;
use crate::timeline::View;

/// The features of users, as columns.
#[derive(Clone, Debug, PartialEq)]
pub struct UserFeatures {
    /// The users, in the order of their ids.
    pub users: Vec<Named>,
    /// The columns of [`USER_FEATURES`], in their order.
    pub columns: Vec<Vec<f64>>,
}

/// The features there are of users, from what happened strictly before `asOf`; days are of 24 hours, counted back from it.
///
/// `recency_days` since the last activity; `tenure_days` since the first; `active_days` with activity, `active_days_lately` of them
/// within the horizon before `asOf`; `events`; `events_per_active_day`; `value` in the base currency; `value_per_active_day`; and
/// `expected_active_days` within the horizon by the BG/NBD model, missing where none can be fitted.
pub const USER_FEATURES: [&str; 9] = [
    "recency_days",
    "tenure_days",
    "active_days",
    "active_days_lately",
    "events",
    "events_per_active_day",
    "value",
    "value_per_active_day",
    "expected_active_days",
];

/// The features of the segment's users; `only` are the keys of those asked for.
///
/// # Errors
/// `missing_rate` for amounts without a rate; what looking up their ids raises.
pub fn features(
    question: &Scoped<&Churn>,
    view: &View<'_>,
    only: Option<&[u32]>,
    names: &Names<'_>,
) -> Result<UserFeatures> {
    let question = *question.inner();
    let horizon = question.horizon_days;
    let histories = histories(view, &question.activity, question.segment, horizon, &[])?;
    view.stop.check()?;
    let setting = Setting {
        horizon,
        active_within: question.active_within_days,
        attributes: 0,
    };
    let model = Fits::of(&histories).visits(0);
    let only: Option<std::collections::HashSet<u32>> = only.map(|o| o.iter().copied().collect());
    let mut rows: Vec<(u32, [f64; USER_FEATURES.len()])> = setting
        .counting(&histories, 0)
        .filter(|h| h.member && only.as_ref().is_none_or(|only| only.contains(&h.user)))
        .map(|history| {
            let days = history.before(0);
            let figures = Figures::of(days, 0, horizon, model.as_ref());
            let active = days.len() as f64;
            let row = [
                figures.recency,
                figures.visits.known,
                active,
                figures.lately,
                figures.events * active,
                figures.events,
                figures.amount * active,
                figures.amount,
                figures.expected.unwrap_or(f64::NAN),
            ];
            (history.user, row)
        })
        .collect();
    let keys: Vec<u32> = rows.iter().map(|(key, _)| *key).collect();
    let mut users = if keys.is_empty() {
        Vec::new()
    } else {
        names(&keys)?
    };
    users.sort_by(|a, b| a.id.cmp(&b.id));
    rows.sort_unstable_by_key(|(key, _)| *key);
    let mut columns = vec![Vec::with_capacity(users.len()); USER_FEATURES.len()];
    users.retain(|user| {
        let found = rows.binary_search_by_key(&user.user, |(key, _)| *key);
        let Some((_, row)) = found.ok().and_then(|at| rows.get(at)) else {
            return false;
        };
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(*value);
        }
        true
    });
    Ok(UserFeatures { users, columns })
}
