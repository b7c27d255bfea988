//! The users behind a number of a funnel (D1): the same pass over the same plan, with a list in the place of counts.

use serde::Serialize;
use serde_json::Value;

use super::answer::{GroupKind, shown};
use super::breakdown::Grouping;
use super::plan::Plan;
use super::question::{Funnel, MAX_STEPS};
use super::run::{Of, Outcome};
use super::tally::{Sink, Tally, pass};
use crate::access::Scoped;
use crate::error::{Error, FieldError, Result};
use crate::query::Instant;
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::timeline::{Timeline, View};

/// A number of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Who entered.
    Entered,
    /// Who converted.
    Converted,
    /// Who did not but still can.
    Open,
    /// The `count` of a step, from 1.
    Reached(usize),
    /// The `dropped` of a step.
    Dropped(usize),
    /// Who entered early enough for the whole window to have passed.
    MaturedEntered,
    /// Who converted from such an entry.
    MaturedConverted,
}

const CELLS: [(&str, Cell); 7] = [
    ("entered", Cell::Entered),
    ("converted", Cell::Converted),
    ("open", Cell::Open),
    ("reached", Cell::Reached(0)),
    ("dropped", Cell::Dropped(0)),
    ("matured_entered", Cell::MaturedEntered),
    ("matured_converted", Cell::MaturedConverted),
];

pub(super) const KINDS: [(&str, GroupKind); 4] = [
    ("value", GroupKind::Value),
    ("not_set", GroupKind::NotSet),
    ("empty", GroupKind::Empty),
    ("other", GroupKind::Other),
];

/// Whose users are asked for. Where units are no users, those with at least one unit that the number counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The number.
    pub cell: Cell,
    /// That of a group of the breakdown: its kind and value.
    pub group: Option<(GroupKind, Value)>,
    /// That of the bucket of the trend that starts then.
    pub bucket: Option<Instant>,
}

impl Who {
    /// Everyone a number of the whole funnel counts.
    pub fn all(cell: Cell) -> Self {
        Self {
            cell,
            group: None,
            bucket: None,
        }
    }

    /// Reads `{"cell": "reached", "step": 2, "group": {"kind": "value", "value": "Lisbon"}, "bucket": "2026-01-01T00:00:00Z"}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(who: &Value, question: &Funnel) -> Result<Self> {
        let mut fields = Fields::of(who)?;
        let step = fields.optional("step", |v| fields::integer(v, 1, MAX_STEPS as i64));
        let cell = fields.optional("cell", |v| match (fields::one_of(v, &CELLS)?, step) {
            (Cell::Reached(_), Some(k)) => Ok(Cell::Reached(k as usize)),
            (Cell::Dropped(_), Some(k)) => Ok(Cell::Dropped(k as usize)),
            (Cell::Reached(_) | Cell::Dropped(_), None) => {
                fault("required", "needs the field `step`")
            }
            (_, Some(_)) => fault("contradiction", "takes no `step`; reached and dropped do"),
            (cell, None) => Ok(cell),
        });
        let who = Self {
            cell: cell.unwrap_or(Cell::Entered),
            group: fields.optional("group", group),
            bucket: fields.optional("bucket", fields::instant),
        };
        fields.finish(who.faults(question))?;
        Ok(who)
    }

    /// Everything wrong with it for a question.
    pub(crate) fn faults(&self, question: &Funnel) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut add = |wrong: bool, field: &str, code: &'static str, message: String| {
            if wrong {
                faults.push(FieldError {
                    field: field.to_owned(),
                    code,
                    message,
                });
            }
        };
        let steps = question.steps.len();
        let step = match self.cell {
            Cell::Reached(k) | Cell::Dropped(k) => Some(k),
            _ => None,
        };
        add(
            step.is_some_and(|k| k == 0 || k > steps),
            "step",
            "out_of_range",
            format!("must be between 1 and {steps}"),
        );
        add(
            self.group.is_some() && question.breakdown.is_none(),
            "group",
            "contradiction",
            "needs a question with a breakdown".to_owned(),
        );
        add(
            self.bucket.is_some() && question.trend.is_none(),
            "bucket",
            "contradiction",
            "needs a question with a trend".to_owned(),
        );
        let matured = matches!(self.cell, Cell::MaturedEntered | Cell::MaturedConverted);
        add(
            self.bucket.is_some() && (self.group.is_some() || matured),
            "bucket",
            "contradiction",
            "must not be there beside `group` or a matured cell".to_owned(),
        );
        faults
    }
}

/// `{"kind": …, "value": …}`.
fn group(value: &Value) -> Parsed<(GroupKind, Value)> {
    let map = value.as_object();
    let Some(map) = map.filter(|map| map.keys().all(|k| k == "kind" || k == "value")) else {
        return fault(
            "invalid_type",
            "must be an object with the fields `kind` and `value`",
        );
    };
    let kind = map
        .get("kind")
        .map_or(Ok(GroupKind::Value), |v| fields::one_of(v, &KINDS))?;
    let given = map.get("value").cloned().unwrap_or(Value::Null);
    Ok((kind, given))
}

/// The users that a number of the answer counts, ascending.
///
/// # Errors
/// As `answer`; `unknown_group` and `unknown_bucket` for what the answer does not have.
pub fn people(question: &Scoped<&Funnel>, view: &View<'_>, who: &Who) -> Result<Vec<u32>> {
    let question = *question.inner();
    let plan = Plan::new(question, view)?;
    let bucket = match who.bucket {
        None => None,
        Some(start) => {
            let buckets = plan
                .calendar
                .as_ref()
                .map(|c| c.buckets())
                .unwrap_or_default();
            // A date that a zone skipped is an empty bucket before the one that starts at the same time.
            let found = buckets.iter().rposition(|b| b.start == start);
            Some(found.ok_or_else(|| {
                Error::field(
                    "bucket",
                    "unknown_bucket",
                    format!("no bucket of the trend starts at {start}"),
                )
            })?)
        }
    };
    let mut grouping = None;
    if let (Some(wanted), Some(asked)) = (&who.group, &question.breakdown) {
        let mut groups = Grouping::new(asked, view)?;
        let tally = Tally::run(&plan, view, Some(&groups))?;
        let shown = shown(&groups, &tally, asked.limit);
        let more = tally.groups.len() > shown.len();
        let other = wanted.0 == GroupKind::Other && more;
        if !other && !shown.iter().any(|key| written(&groups, key) == *wanted) {
            return Err(Error::field(
                "group",
                "unknown_group",
                "is no group of the breakdown",
            ));
        }
        groups.shown = Some(shown.into_iter().collect());
        grouping = Some((groups, wanted));
    }
    let mut list = pass(&plan, view, || List {
        plan: &plan,
        who,
        bucket,
        grouping: grouping.as_ref().map(|(groups, wanted)| (groups, *wanted)),
        now: false,
        users: Vec::new(),
    })?;
    list.users.sort_unstable();
    Ok(list.users)
}

/// As a question writes a group: only values have one.
fn written(groups: &Grouping<'_>, key: &super::breakdown::Key) -> (GroupKind, Value) {
    match groups.written(key) {
        (GroupKind::Value, value) => (GroupKind::Value, value),
        (kind, _) => (kind, Value::Null),
    }
}

struct List<'l> {
    plan: &'l Plan<'l>,
    who: &'l Who,
    bucket: Option<usize>,
    grouping: Option<(&'l Grouping<'l>, &'l (GroupKind, Value))>,
    now: bool,
    users: Vec<u32>,
}

impl List<'_> {
    fn counts(&self, outcome: &Outcome<'_>) -> bool {
        let depth = outcome.found.depth;
        let place = |k: usize| self.plan.places.get(k - 1);
        match self.who.cell {
            Cell::Entered | Cell::MaturedEntered => true,
            Cell::Converted | Cell::MaturedConverted => outcome.converted,
            Cell::Open => outcome.open,
            Cell::Reached(k) => place(k).is_some_and(|place| {
                if place.optional {
                    let mut steps = outcome.found.chain.iter();
                    steps.any(|c| usize::from(c.0) + 1 == k)
                } else {
                    depth >= place.rank
                }
            }),
            Cell::Dropped(k) => place(k).is_some_and(|place| {
                !place.optional && depth == place.rank && depth < self.plan.required
            }),
        }
    }
}

impl Sink for List<'_> {
    fn take(&mut self, timeline: &Timeline<'_>, outcome: &Outcome<'_>) {
        let of = match (self.who.cell, self.bucket) {
            (Cell::MaturedEntered | Cell::MaturedConverted, _) => Of::Matured,
            (_, Some(bucket)) => Of::Bucket(bucket),
            (_, None) => Of::All,
        };
        if self.now || outcome.of != of || !self.counts(outcome) {
            return;
        }
        self.now = match self.grouping {
            None => true,
            Some((groups, wanted)) => groups
                .keys(timeline, outcome.found)
                .iter()
                .any(|key| written(groups, key) == *wanted),
        };
    }

    fn end(&mut self, user: u32) {
        if self.now {
            self.users.push(user);
        }
        self.now = false;
    }

    fn merged(mut self, other: Self) -> Self {
        self.users.extend(other.users);
        self
    }
}
