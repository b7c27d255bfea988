//! A question as the oracle reads it: every option with its default.

use serde_json::{Value, json};

use super::super::condition::{Condition, Property};
use super::super::question::{Range, micros, text, window};

/// A step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) condition: Condition,
    pub(super) optional: bool,
    pub(super) min_gap: Option<i64>,
    pub(super) max_gap: Option<i64>,
}

/// Events between two steps, from 0.
#[derive(Clone, Debug)]
pub(super) struct Exclusion {
    pub(super) condition: Condition,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Groups.
#[derive(Clone, Debug)]
pub(super) struct Breakdown {
    pub(super) properties: Vec<Property>,
    pub(super) by: String,
    pub(super) step: usize,
    pub(super) limit: usize,
}

/// Every option.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) steps: Vec<Step>,
    pub(super) order: String,
    pub(super) anchor_first: bool,
    pub(super) universe: Value,
    pub(super) window: i64,
    pub(super) window_calendar_days: Option<u64>,
    pub(super) range: Range,
    pub(super) all_steps: bool,
    pub(super) segment: String,
    pub(super) filters: Vec<Value>,
    pub(super) grace: i64,
    pub(super) strict_increase: bool,
    pub(super) exclusions: Vec<Exclusion>,
    pub(super) remove_user: bool,
    pub(super) hold_constant: Vec<Property>,
    pub(super) unit: String,
    pub(super) every_entry: bool,
    pub(super) session_timeout: i64,
    pub(super) latest: bool,
    pub(super) first_entry: bool,
    pub(super) breakdown: Option<Breakdown>,
    pub(super) trend: Option<String>,
    pub(super) week_start: String,
    pub(super) time_between: (usize, usize),
    pub(super) timed: String,
    pub(super) histogram_bins: Option<usize>,
    pub(super) revenue: bool,
    pub(super) preset: String,
    pub(super) as_of: i64,
}

impl Asked {
    pub(super) fn read(question: &Value, default_steps: &[String], now: i64) -> Self {
        let given = |name: &str| question.get(name).filter(|v| !v.is_null());
        let word = |name: &str, default: &str| given(name).map_or_else(|| default.to_owned(), text);
        let flag = |name: &str, default: bool| given(name).map_or(default, |v| v == &json!(true));
        let steps: Vec<Step> = match given("steps") {
            Some(steps) => steps.as_array().expect("steps").iter().map(step).collect(),
            None => default_steps.iter().map(|s| step(&json!(s))).collect(),
        };
        let last = steps.len();
        let order = word("order", "ordered");
        let strict_increase = flag("strictIncrease", false);
        let unit = word("unit", "users");
        let preset = word("preset", "exact");
        let plain = order == "ordered" && !strict_increase;
        let days = 86_400_000_000;
        let (preset_window, preset_grace) = match preset.as_str() {
            "mixpanel" => (30 * days, 2_000_000),
            "amplitude" => (30 * days, 1_000_000),
            _ => (14 * days, 0),
        };
        let posthog = preset == "posthog";
        let removes = posthog && order != "any" && unit != "totals";
        let list = |name: &str| -> Vec<Value> {
            match given(name) {
                Some(Value::Array(list)) => list.clone(),
                Some(one) => vec![one.clone()],
                None => Vec::new(),
            }
        };
        Self {
            window: given("window").map_or(preset_window, window),
            window_calendar_days: given("windowCalendarDays").and_then(Value::as_u64),
            range: Range::read(question),
            all_steps: word("range", if posthog { "all_steps" } else { "entry" }) == "all_steps",
            segment: match given("segment") {
                Some(Value::String(name)) => name.clone(),
                _ => "all".to_owned(),
            },
            filters: {
                // A cohort in the place of a segment is a filter of all events.
                let of = |cohort: &Value| json!({"property": cohort, "value": true});
                let cohort = given("segment").filter(|v| v.is_object()).map(of);
                list("filters").into_iter().chain(cohort).collect()
            },
            grace: given("grace").map_or(if plain { preset_grace } else { 0 }, window),
            exclusions: list("exclusions")
                .iter()
                .map(|x| exclusion(x, last))
                .collect(),
            remove_user: word("exclusionMode", if removes { "remove_user" } else { "" })
                == "remove_user",
            hold_constant: list("holdConstant").into_iter().map(Property).collect(),
            every_entry: word("totals", "attempts") == "every_entry",
            session_timeout: given("sessionTimeout").map_or(1_800_000_000, window),
            latest: word("entry", if preset == "clickhouse" { "latest" } else { "" }) == "latest",
            first_entry: word(
                "entries",
                if preset == "mixpanel" && unit != "totals" {
                    "first"
                } else {
                    ""
                },
            ) == "first",
            breakdown: given("breakdown").map(breakdown),
            trend: given("trend").map(text),
            week_start: word("weekStart", "monday"),
            time_between: given("timeBetween").map_or((1, last), |p| {
                let step = |i: usize| p[i].as_u64().expect("a step") as usize;
                (step(0), step(1))
            }),
            timed: word("timed", if posthog { "reached" } else { "converters" }),
            histogram_bins: given("histogramBins").map(|n| n.as_u64().expect("bins") as usize),
            revenue: flag("revenue", false),
            anchor_first: flag("anchorFirst", preset == "amplitude" && order == "any"),
            universe: given("universe").cloned().unwrap_or_else(|| json!("all")),
            as_of: given("asOf").map_or(now, micros),
            steps,
            order,
            strict_increase,
            unit,
            preset,
        }
    }

    /// Steps that are not optional.
    pub(super) fn required(&self) -> usize {
        self.steps.iter().filter(|s| !s.optional).count()
    }
}

fn step(value: &Value) -> Step {
    let length = |name: &str| value.get(name).filter(|v| !v.is_null()).map(window);
    Step {
        condition: Condition::read(value),
        optional: value.get("optional") == Some(&json!(true)),
        min_gap: length("minGap"),
        max_gap: length("maxGap"),
    }
}

fn exclusion(value: &Value, last: usize) -> Exclusion {
    let number = |name: &str| value.get(name).and_then(Value::as_u64).map(|n| n as usize);
    Exclusion {
        condition: Condition::read(value),
        from: number("from").unwrap_or(1) - 1,
        to: number("to").unwrap_or(last) - 1,
    }
}

fn breakdown(value: &Value) -> Breakdown {
    let of = value.get("property").unwrap_or(value);
    let properties = match of {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    Breakdown {
        properties: properties.into_iter().map(Property).collect(),
        by: value.get("by").map_or_else(|| "entry".to_owned(), text),
        step: value.get("step").and_then(Value::as_u64).unwrap_or(0) as usize,
        limit: value.get("limit").and_then(Value::as_u64).unwrap_or(25) as usize,
    }
}
