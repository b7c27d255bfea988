//! The six real-time metrics by filtering a list of events (I2, I4).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::money::{BASE, in_base, per_minute};
use super::numbers::{instant, wilson};
use super::question::{micros, text};
use super::{Event, History};

/// The metrics in the order in which they are answered.
pub const METRICS: [&str; 6] = [
    "active_users",
    "page_views",
    "events_per_second",
    "conversion_rate",
    "error_rate",
    "revenue_per_minute",
];

/// The windows: their name, their length and the length of a part of their series, in seconds. Behind the three with names of their own
/// stand some of the others: their parts are as many as divide them, twelve at most.
pub const RANGES: [(&str, i64, i64); 8] = [
    ("last_5_minutes", 300, 30),
    ("last_15_minutes", 900, 60),
    ("last_hour", 3_600, 300),
    ("90s", 90, 9),
    ("100s", 100, 10),
    ("7m", 420, 35),
    ("2h", 7_200, 600),
    ("24h", 86_400, 7_200),
];

/// The lists of the default catalogue.
const LISTS: [(&str, &[&str]); 5] = [
    ("$page_views", &["page_view"]),
    ("$conversions", &["complete_booking"]),
    ("$errors", &["error"]),
    (
        "$features",
        &["map", "wishlist", "price_alert", "chat", "review"],
    ),
    ("$revenue", &["payment", "refund"]),
];

const SECOND: i64 = 1_000_000;

/// A question of what is happening now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realtime {
    /// The metrics asked for, possibly twice.
    pub metrics: Vec<String>,
    /// The index of the window in `RANGES`.
    pub range: usize,
    /// How often the asker means to ask, in seconds.
    pub refresh: i64,
    /// The end of the window, itself inside it.
    pub as_of: i64,
}

impl Realtime {
    /// As questions write it; `now` is the instant of an absent `asOf`.
    pub fn read(question: &Value, now: i64) -> Self {
        let metrics = question.get("metrics").and_then(Value::as_array);
        let range = question
            .get("timeRange")
            .map_or_else(|| "last_15_minutes".to_owned(), text);
        Self {
            metrics: metrics.map_or_else(
                || METRICS.map(ToOwned::to_owned).to_vec(),
                |names| names.iter().map(text).collect(),
            ),
            range: RANGES.iter().position(|r| r.0 == range).expect("a window"),
            refresh: question
                .get("refreshInterval")
                .and_then(Value::as_i64)
                .unwrap_or(30),
            as_of: question.get("asOf").map_or(now, micros),
        }
    }

    /// As the doors read it.
    pub fn json(&self) -> Value {
        json!({
            "metrics": self.metrics,
            "timeRange": RANGES[self.range].0,
            "refreshInterval": self.refresh,
            "asOf": instant(self.as_of),
        })
    }

    /// The whole answer, as a door would write it, but for its provenance.
    pub fn answer(&self, history: &History) -> Value {
        let mut answered: Vec<&String> = Vec::new();
        for metric in &self.metrics {
            if !answered.contains(&metric) {
                answered.push(metric);
            }
        }
        answered
            .into_iter()
            .map(|metric| self.metric(history, metric))
            .collect()
    }

    fn metric(&self, history: &History, metric: &str) -> Value {
        let (name, window, part) = RANGES[self.range];
        let ends = |seconds_ago: i64| self.as_of - seconds_ago * SECOND;
        let now = figures(history, ends(window), ends(0));
        let value = now.value(metric);
        let before = figures(history, ends(2 * window), ends(window));
        let previous = before.value(metric);
        let change = match (value.as_f64(), previous.as_f64()) {
            // Of money as it came, and not as it is shown.
            _ if metric == "revenue_per_minute" => match before.revenue {
                0 => Value::Null,
                money => json!((now.revenue - money) as f64 / money.abs() as f64),
            },
            (Some(value), Some(previous)) if previous != 0.0 => {
                json!((value - previous) / previous.abs())
            }
            _ => Value::Null,
        };
        let series = (0..window / part).map(|i| {
            let after = ends(window - i * part);
            let value = figures(history, after, after + part * SECOND).value(metric);
            json!({ "start": instant(after), "value": value })
        });
        let mut metadata = json!({
            "timeRange": name,
            "windowSeconds": window,
            "unit": unit(metric),
            "refreshInterval": self.refresh,
            "previous": previous,
            "change": change,
            "series": series.collect::<Vec<_>>(),
            "unattributedEvents": now.unattributed,
        });
        if let Some((k, n)) = now.share(metric) {
            let (_, low, high) = wilson(k, n);
            for (field, value) in [
                ("k", json!(k)),
                ("n", json!(n)),
                ("low", json!(low)),
                ("high", json!(high)),
                ("small", json!(n < 30)),
            ] {
                metadata[field] = value;
            }
        }
        if metric == "revenue_per_minute" {
            metadata["exact"] = json!(per_minute(now.revenue, i128::from(now.seconds)));
            metadata["baseCurrency"] = json!(BASE);
        }
        json!({
            "metricName": metric,
            "value": value,
            "timestamp": instant(self.as_of),
            "metadata": metadata,
            "createdAt": instant(self.as_of),
        })
    }
}

/// What happened in a stretch of time.
struct Figures {
    users: u64,
    page_views: u64,
    events: u64,
    unattributed: u64,
    converted: u64,
    errors: u64,
    /// In 10^-12 of the base currency.
    revenue: i128,
    seconds: i64,
    /// The name and the user of each event.
    rows: Vec<(String, Option<String>)>,
}

/// What happened in `(after, until]`.
fn figures(history: &History, after: i64, until: i64) -> Figures {
    let inside: Vec<&Event> = history
        .events
        .iter()
        .filter(|e| after < e.ts && e.ts <= until)
        .collect();
    let named = |name: &str| inside.iter().filter(|e| e.name == name).count() as u64;
    let users: BTreeSet<&String> = inside.iter().filter_map(|e| e.user.as_ref()).collect();
    let converted: BTreeSet<&String> = inside
        .iter()
        .filter(|e| e.name == "complete_booking")
        .filter_map(|e| e.user.as_ref())
        .collect();
    let amounts = inside
        .iter()
        .filter_map(|e| Some(in_base(e.money.as_ref()?, e.ts, &history.rates)));
    Figures {
        users: users.len() as u64,
        page_views: named("page_view"),
        events: inside.len() as u64,
        unattributed: inside.iter().filter(|e| e.user.is_none()).count() as u64,
        converted: converted.len() as u64,
        errors: named("error"),
        revenue: amounts.sum(),
        seconds: (until - after) / SECOND,
        rows: inside
            .iter()
            .map(|e| (e.name.clone(), e.user.clone()))
            .collect(),
    }
}

impl Figures {
    /// The value of a metric; a share of nothing is nothing.
    fn value(&self, metric: &str) -> Value {
        if let Some((what, of)) = metric.split_once(':') {
            let list = LISTS.iter().find(|list| list.0 == of);
            let is = |name: &str| list.map_or(name == of, |list| list.1.contains(&name));
            let rows = self.rows.iter().filter(|row| is(&row.0));
            return match what {
                "events" => json!(rows.count()),
                _ => json!(
                    rows.filter_map(|r| r.1.as_ref())
                        .collect::<BTreeSet<_>>()
                        .len()
                ),
            };
        }
        match metric {
            "active_users" => json!(self.users),
            "page_views" => json!(self.page_views),
            "events_per_second" => json!(self.events as f64 / self.seconds as f64),
            "revenue_per_minute" => {
                let exact = per_minute(self.revenue, i128::from(self.seconds));
                json!(exact.parse::<f64>().expect("a decimal"))
            }
            _ => {
                let (k, n) = self.share(metric).expect("one of the six metrics");
                json!(wilson(k, n).0)
            }
        }
    }

    fn share(&self, metric: &str) -> Option<(u64, u64)> {
        match metric {
            "conversion_rate" => Some((self.converted, self.users)),
            "error_rate" => Some((self.errors, self.events)),
            _ => None,
        }
    }
}

fn unit(metric: &str) -> &'static str {
    match metric {
        _ if metric.starts_with("events:") => "events",
        _ if metric.starts_with("users:") => "users",
        "active_users" => "users",
        "page_views" => "events",
        "events_per_second" => "events/s",
        "revenue_per_minute" => "money/min",
        _ => "share",
    }
}
