//! Who counts at which cut-off and who went away, by looking at every user, day and event (S7).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::History;
use super::numbers::{instant, rate};

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// A question of churn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Churn {
    /// The horizon in days.
    pub horizon: i64,
    /// The names of events that are activity; none for all.
    pub activity: Option<Vec<String>>,
    /// In how many days before a cut-off users must have been active.
    pub active_within: Option<i64>,
    /// The cut-off.
    pub as_of: i64,
}

impl Churn {
    /// The question in its JSON form.
    pub fn json(&self) -> Value {
        json!({
            "horizonDays": self.horizon,
            "activity": self.activity,
            "activeWithinDays": self.active_within,
            "asOf": instant(self.as_of),
            "limit": 10_000,
        })
    }

    /// What an answer must hold beside probabilities, its users in the order of their ids; or the code of the error.
    ///
    /// # Errors
    /// `no_events` and `too_little_history`.
    pub fn answer(&self, history: &History) -> Result<Value, &'static str> {
        let users = self.times(history);
        if users.is_empty() {
            return Err("no_events");
        }
        let lessons = self.lessons(&users, self.as_of);
        if lessons.is_empty() {
            return Err("too_little_history");
        }
        let counting: Vec<(&&str, &Vec<i64>)> = users
            .iter()
            .filter(|(_, times)| self.counts(times, self.as_of))
            .collect();
        let before = self.as_of - self.horizon * DAY;
        let quality = (!self.lessons(&users, before).is_empty()).then(|| {
            let (k, n) = self.churned(&users, before);
            json!({"cutOff": instant(before), "churned": rate(k, n)})
        });
        Ok(json!({
            "learnedAt": lessons,
            "summary": {"users": counting.len()},
            "total": counting.len(),
            "quality": quality,
            "users": counting.iter().map(|(id, times)| self.user(id, times)).collect::<Vec<_>>(),
        }))
    }

    /// The times of activity of each user who has any before the cut-off.
    fn times<'h>(&self, history: &'h History) -> BTreeMap<&'h str, Vec<i64>> {
        let mut users: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for (user, rows) in history.users(self.as_of) {
            let meant = |name: &String| self.activity.as_ref().is_none_or(|a| a.contains(name));
            let times = rows.iter().filter(|e| meant(&e.name) && e.ts < self.as_of);
            let times: Vec<i64> = times.map(|e| e.ts).collect();
            if !times.is_empty() {
                users.insert(user, times);
            }
        }
        users
    }

    /// Whether a user counts at a cut-off: active strictly before it, and lately where that is asked for.
    fn counts(&self, times: &[i64], cut: i64) -> bool {
        let from = self.active_within.map_or(i64::MIN, |days| cut - days * DAY);
        times.iter().any(|ts| from <= *ts && *ts < cut)
    }

    /// How many churned at a cut-off, and of how many.
    fn churned(&self, users: &BTreeMap<&str, Vec<i64>>, cut: i64) -> (u64, u64) {
        let counting = users.values().filter(|times| self.counts(times, cut));
        let until = cut + self.horizon * DAY;
        let churned = |times: &&Vec<i64>| !times.iter().any(|ts| cut <= *ts && *ts < until);
        let all: Vec<&Vec<i64>> = counting.collect();
        (
            all.iter().filter(|t| churned(t)).count() as u64,
            all.len() as u64,
        )
    }

    /// Up to four cut-offs, a horizon apart, whose horizons have passed at an instant.
    fn lessons(&self, users: &BTreeMap<&str, Vec<i64>>, at: i64) -> Vec<Value> {
        let cuts = (1..=4).map(|n| at - n * self.horizon * DAY);
        let counted = cuts.map(|cut| (cut, self.churned(users, cut)));
        counted
            .take_while(|(_, (_, n))| *n > 0)
            .map(|(cut, (k, n))| json!({"cutOff": instant(cut), "churned": rate(k, n)}))
            .collect()
    }

    /// What is told of a user: days are counted back from the cut-off.
    fn user(&self, id: &str, times: &[i64]) -> Value {
        let first = times.iter().min().expect("activity");
        let days = (0..=(self.as_of - first) / DAY).filter(|day| {
            let from = self.as_of - (day + 1) * DAY;
            times.iter().any(|ts| from <= *ts && *ts < from + DAY)
        });
        let days: Vec<i64> = days.collect();
        json!({
            "userId": id,
            "activeDays": days.len(),
            "daysSinceActive": days.first(),
            "daysKnown": days.last(),
        })
    }
}
