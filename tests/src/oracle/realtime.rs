//! The six real-time metrics by filtering a list of events (I2, I4).

use std::collections::BTreeSet;

use super::{Event, History};

/// Which event names mean what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sets {
    /// Names of page views.
    pub page_views: Vec<String>,
    /// Names of conversions.
    pub conversions: Vec<String>,
    /// Names of errors.
    pub errors: Vec<String>,
}

/// What happened in one stretch of time `(after, until]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Distinct users.
    pub active_users: u64,
    /// Page views.
    pub page_views: u64,
    /// All events, with or without a user.
    pub events: u64,
    /// Distinct users with a conversion.
    pub converted: u64,
    /// Errors.
    pub errors: u64,
    /// Σ amount in the base currency, in millionths.
    pub revenue: i128,
    /// The length of the stretch in microseconds.
    pub length: i64,
}

/// What happened in `(after, until]`.
pub fn figures(history: &History, sets: &Sets, after: i64, until: i64) -> Figures {
    let inside: Vec<&Event> = history
        .events
        .iter()
        .filter(|e| after < e.ts && e.ts <= until)
        .collect();
    let users = |keep: &dyn Fn(&Event) -> bool| {
        let distinct: BTreeSet<&String> = inside
            .iter()
            .filter(|e| keep(e))
            .filter_map(|e| e.user.as_ref())
            .collect();
        distinct.len() as u64
    };
    let events =
        |names: &[String]| inside.iter().filter(|e| names.contains(&e.name)).count() as u64;
    Figures {
        active_users: users(&|_| true),
        page_views: events(&sets.page_views),
        events: inside.len() as u64,
        converted: users(&|e| sets.conversions.contains(&e.name)),
        errors: events(&sets.errors),
        revenue: inside.iter().filter_map(|e| e.amount).sum(),
        length: until - after,
    }
}

impl Figures {
    /// The value of one of the six metrics; a denominator of 0 gives nothing.
    pub fn value(&self, metric: &str) -> Option<f64> {
        let seconds = self.length as f64 / 1e6;
        let share = |k: u64, n: u64| (n > 0).then(|| k as f64 / n as f64);
        match metric {
            "active_users" => Some(self.active_users as f64),
            "page_views" => Some(self.page_views as f64),
            "events_per_second" => Some(self.events as f64 / seconds),
            "conversion_rate" => share(self.converted, self.active_users),
            "error_rate" => share(self.errors, self.events),
            "revenue_per_minute" => Some(self.revenue as f64 / 1e6 / (seconds / 60.0)),
            other => panic!("`{other}` is no metric"),
        }
    }
}
