//! Chances of next actions, by counting through every user's actions anew for every context.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::History;
use super::numbers::rate;

/// A user's actions, in order, each with its time.
type Actions = Vec<(i64, String)>;

/// Everything that was done.
#[derive(Clone, Debug)]
pub struct Done {
    users: BTreeMap<String, Actions>,
}

impl Done {
    /// What was done by an instant, of events of these names or of all.
    pub fn of(history: &History, activity: Option<&[String]>, as_of: i64) -> Self {
        let mut users = BTreeMap::new();
        for (user, rows) in history.users(as_of) {
            let meant = rows
                .iter()
                .filter(|e| activity.is_none_or(|a| a.contains(&e.name)));
            let actions: Actions = meant.map(|e| (e.ts, e.name.clone())).collect();
            if !actions.is_empty() {
                users.insert(user.to_owned(), actions);
            }
        }
        Self { users }
    }

    /// What each user will do next, by the last `order` actions: by user, the chance of every action seen.
    pub fn next(&self, order: usize) -> BTreeMap<String, BTreeMap<String, f64>> {
        let mut next = BTreeMap::new();
        for (user, actions) in &self.users {
            next.insert(user.clone(), self.chances(actions, order, i64::MAX));
        }
        next
    }

    /// The chances after these actions, learned from what was done before an instant: those of Witten and Bell, from no context on to the
    /// longest that something has followed.
    fn chances(&self, past: &[(i64, String)], order: usize, before: i64) -> BTreeMap<String, f64> {
        let all = self.followers(&[], before);
        let names: BTreeSet<&String> = all.keys().collect();
        let even = 1.0 / (names.len() as f64 + 1.0);
        let mut chances: BTreeMap<String, f64> =
            names.iter().map(|n| ((*n).clone(), even)).collect();
        for length in 0..=order.min(past.len()) {
            let context: Vec<&String> = past[past.len() - length..].iter().map(|a| &a.1).collect();
            let followers = self.followers(&context, before);
            if followers.is_empty() {
                break;
            }
            let total: u64 = followers.values().sum();
            let kinds = followers.len() as f64;
            for (name, chance) in &mut chances {
                let count = followers.get(name).copied().unwrap_or_default() as f64;
                *chance = (count + kinds * *chance) / (total as f64 + kinds);
            }
        }
        chances
    }

    /// What followed these actions, and how often, before an instant.
    fn followers(&self, context: &[&String], before: i64) -> BTreeMap<String, u64> {
        let mut followers = BTreeMap::new();
        for actions in self.users.values() {
            for at in context.len()..actions.len() {
                let (ts, name) = &actions[at];
                let past = &actions[at - context.len()..at];
                if *ts < before && past.iter().map(|a| &a.1).eq(context.iter().copied()) {
                    *followers.entry(name.clone()).or_default() += 1;
                }
            }
        }
        followers
    }

    /// How good the chances learned before an instant are for what came from then on, up to an order; null where there is nothing to learn from,
    /// or nothing to foretell.
    pub fn quality(&self, split: i64, most: usize) -> Value {
        if self.followers(&[], split).is_empty() {
            return Value::Null;
        }
        let orders = (0..=most).map(|order| {
            let (mut first, mut three, mut n, mut loss) = (0, 0, 0, 0.0);
            for actions in self.users.values() {
                for at in 0..actions.len() {
                    let (ts, name) = &actions[at];
                    if *ts < split {
                        continue;
                    }
                    n += 1;
                    let chances = self.chances(&actions[..at], order, split);
                    let mut ranked: Vec<(&String, f64)> =
                        chances.iter().map(|(name, p)| (name, *p)).collect();
                    // Stable: equal chances stay in the order of names.
                    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
                    let place = ranked.iter().position(|r| r.0 == name);
                    first += u64::from(place.is_some_and(|p| p < 1));
                    three += u64::from(place.is_some_and(|p| p < 3));
                    let given = place.map_or_else(
                        || 1.0 - chances.values().sum::<f64>(),
                        |place| ranked[place].1,
                    );
                    loss -= given.ln();
                }
            }
            (
                n,
                json!({
                    "order": order,
                    "topOne": rate(first, n),
                    "topThree": rate(three, n),
                    "logLoss": loss / n as f64,
                }),
            )
        });
        let orders: Vec<(u64, Value)> = orders.collect();
        match orders.first() {
            Some((n, _)) if *n > 0 => {
                json!({"actions": n, "orders": orders.iter().map(|o| &o.1).collect::<Vec<_>>()})
            }
            _ => Value::Null,
        }
    }
}
