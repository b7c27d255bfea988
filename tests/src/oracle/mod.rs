//! Brute force: each number computed the way its rule is worded, over histories small enough to enumerate.
//!
//! The functions panic on input that no generator makes; an oracle that is wrong should stop loudly.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "an oracle that is wrong should stop loudly, and its callers are tests"
)]

pub mod adoption;
pub mod calendar;
pub mod churn;
pub mod cohort;
pub mod compare;
pub mod condition;
pub mod contrast;
pub mod engagement;
pub mod feedback;
pub mod funnel;
pub mod identity;
pub mod journey;
pub mod money;
pub mod next_action;
pub mod numbers;
pub mod pickup;
pub mod predictive;
pub mod question;
pub mod realtime;
pub mod retention;
pub mod sample;
pub mod segment;

use std::collections::BTreeMap;

use money::{Money, Rate};

/// One stored row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Who did it; none is an event that counts for no user (I4).
    pub user: Option<String>,
    /// What it was.
    pub name: String,
    /// When, in microseconds since 1970.
    pub ts: i64,
    /// The client's own counter, the second part of the order key (G2).
    pub seq: Option<i64>,
    /// Its identity, the third part of the order key.
    pub id: Option<String>,
    /// The money it carries.
    pub money: Option<Money>,
    /// Its other properties.
    pub properties: serde_json::Map<String, serde_json::Value>,
}

/// What a user's profile said from some moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Whose.
    pub user: String,
    /// The plan.
    pub plan: Option<String>,
    /// From when on, in microseconds since 1970.
    pub at: i64,
}

/// Everything stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// All events, in any order.
    pub events: Vec<Event>,
    /// All profiles, in any order.
    pub profiles: Vec<Profile>,
    /// What currencies were worth, in any order.
    pub rates: Vec<Rate>,
    /// The catalogue's premium plans.
    pub premium_plans: Vec<String>,
    /// The definitions of cohorts by name.
    pub cohorts: BTreeMap<String, serde_json::Value>,
}

impl History {
    /// What is visible at `as_of`: events with a later time are not (G2).
    pub fn visible(&self, as_of: i64) -> Vec<&Event> {
        self.events.iter().filter(|e| e.ts <= as_of).collect()
    }

    /// The visible rows of each user, in the order of (ts, client_seq, event_id).
    pub fn users(&self, as_of: i64) -> BTreeMap<&str, Vec<&Event>> {
        let mut users: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in self.visible(as_of) {
            if let Some(user) = &event.user {
                users.entry(user).or_default().push(event);
            }
        }
        for rows in users.values_mut() {
            rows.sort_by(|a, b| (a.ts, a.seq, &a.id).cmp(&(b.ts, b.seq, &b.id)));
        }
        users
    }

    /// Visible events that have no user (I4).
    pub fn unattributed(&self, as_of: i64) -> u64 {
        self.visible(as_of)
            .iter()
            .filter(|e| e.user.is_none())
            .count() as u64
    }
}
