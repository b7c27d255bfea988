//! What lies behind a prediction: the history of a range, counted day by day and week by week in UTC.

use std::collections::{BTreeMap, BTreeSet};

use super::Event;

const DAY: i64 = 86_400_000_000;

/// The day, and the week from Monday on, that an instant lies in; the first of 1970 was a Thursday.
fn week(ts: i64) -> i64 {
    (ts.div_euclid(DAY) + 3).div_euclid(7)
}

/// The history of a prediction: the start of each whole bucket of `[from, to)` that is known at `as_of`, with its value.
pub fn history(
    events: &[Event],
    prediction: &str,
    (from, to): (i64, i64),
    as_of: i64,
) -> Vec<(i64, Option<f64>)> {
    let seen: Vec<&Event> = events.iter().filter(|e| e.ts <= as_of).collect();
    let users: BTreeSet<&str> = seen.iter().filter_map(|e| e.user.as_deref()).collect();
    let of = |user: &str| {
        let mut own: Vec<&Event> = Vec::new();
        own.extend(seen.iter().filter(|e| e.user.as_deref() == Some(user)));
        own.sort_by_key(|e| e.ts);
        own
    };
    if prediction == "churn_rate" {
        let mut weeks: BTreeMap<i64, (u32, u32)> = BTreeMap::new();
        for user in &users {
            let active: BTreeSet<i64> = of(user).iter().map(|e| week(e.ts)).collect();
            for w in &active {
                let cell = weeks.entry(*w).or_default();
                cell.0 += 1;
                cell.1 += u32::from((1..=4).all(|later| !active.contains(&(w + later))));
            }
        }
        let start = |w: i64| (7 * w - 3) * DAY;
        let mut out = Vec::new();
        for w in week(from)..=week(to) {
            if start(w) >= from && start(w + 1) <= to && start(w + 5) <= as_of {
                let share = weeks
                    .get(&w)
                    .map(|(all, gone)| f64::from(*gone) / f64::from(*all));
                out.push((start(w), share));
            }
        }
        return out;
    }
    let mut days: BTreeMap<i64, f64> = BTreeMap::new();
    let mut add = |ts: i64, value: f64| *days.entry(ts.div_euclid(DAY)).or_default() += value;
    for user in &users {
        let own = of(user);
        match prediction {
            "user_growth" => add(own[0].ts, 1.0),
            "demand_forecast" => {
                for e in own.iter().filter(|e| e.name == "complete_booking") {
                    add(e.ts, 1.0);
                }
            }
            "revenue" => {
                for e in &own {
                    let amount = e.money.as_ref().map_or(0, |m| m.amount);
                    add(e.ts, amount as f64 / 10_000.0);
                }
            }
            "feature_adoption" => {
                for feature in ["map", "wishlist", "price_alert", "chat", "review"] {
                    if let Some(first) = own.iter().find(|e| e.name == feature) {
                        add(first.ts, 1.0);
                    }
                }
            }
            other => panic!("`{other}` is no prediction"),
        }
    }
    let mut out = Vec::new();
    for day in from.div_euclid(DAY)..=to.div_euclid(DAY) {
        let (start, end) = (day * DAY, (day + 1) * DAY);
        if start >= from && end <= to && end <= as_of {
            out.push((start, Some(days.get(&day).copied().unwrap_or(0.0))));
        }
    }
    out
}
