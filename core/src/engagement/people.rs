//! The users behind a number of engagement (D1): the same pass over the same plan, with a list in the place of counts.

use serde::Serialize;
use serde_json::Value;

use super::plan::{Count, Plan, SCALES, Scratch, Sink, TRAILING};
use super::question::{Engagement, Metric};
use crate::access::Scoped;
use crate::error::{Error, Result};
use crate::query::calendar::{Bucket, WEEKDAYS};
use crate::query::fields::{self, Fields};
use crate::query::{Instant, Period, WeekStart};
use crate::timeline::View;

/// How a user's activity in a period stands to that in others (L1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The first activity ever is in the period.
    New,
    /// Active in the period and in the one before.
    Returning,
    /// Active in the period and not in the one before, but earlier.
    Resurrected,
    /// Active in the period before and not in this one.
    Dormant,
}

impl State {
    pub(super) const ALL: [Self; 4] =
        [Self::New, Self::Returning, Self::Resurrected, Self::Dormant];
}

/// A number of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Active in the range: `users`.
    Users,
    /// Active in the range and in the period that starts then: `activeUsers`.
    ActiveUsers(Period, Instant),
    /// Active in exactly so many periods: `stickiness.rows`.
    Exactly(usize),
    /// Active in so many periods or more.
    AtLeast(usize),
    /// Active in the last 30 or 7 local days that have passed: `stickiness.dauOverMau.users` and `dauOverWau.users`.
    Trailing(usize),
    /// In a state in the period that starts then, or active there at all: `lifecycle`.
    Lifecycle(Instant, Option<State>),
    /// With a session: `sessions.users`.
    Sessions,
    /// Active in an hour of a weekday: `heatMap`.
    HeatMap(WeekStart, usize),
}

#[derive(Clone, Copy, Default)]
enum Kind {
    #[default]
    Users,
    ActiveUsers,
    Stickiness,
    Trailing,
    Lifecycle,
    Sessions,
    HeatMap,
}

const KINDS: [(&str, Kind); 7] = [
    ("users", Kind::Users),
    ("active_users", Kind::ActiveUsers),
    ("stickiness", Kind::Stickiness),
    ("trailing", Kind::Trailing),
    ("lifecycle", Kind::Lifecycle),
    ("sessions", Kind::Sessions),
    ("heat_map", Kind::HeatMap),
];

const STATES: [(&str, Option<State>); 5] = [
    ("active", None),
    ("new", Some(State::New)),
    ("returning", Some(State::Returning)),
    ("resurrected", Some(State::Resurrected)),
    ("dormant", Some(State::Dormant)),
];

impl Cell {
    /// Reads a cell in its JSON form: `{"cell": "users"}`, `{"cell": "active_users", "period": "daily", "start": instant}`,
    /// `{"cell": "stickiness", "periods": 3, "atLeast": true}`, `{"cell": "trailing", "days": 30}`,
    /// `{"cell": "lifecycle", "start": instant, "state": "new"}`, `{"cell": "sessions"}`,
    /// `{"cell": "heat_map", "weekday": "monday", "hour": 9}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(cell: &Value) -> Result<Self> {
        let whole = |v: &Value, low, high| fields::integer(v, low, high).map(|n| n as usize);
        let mut fields = Fields::of(cell)?;
        let cell = match fields.required("cell", |v| fields::one_of(v, &KINDS)) {
            Kind::Users => Self::Users,
            Kind::ActiveUsers => Self::ActiveUsers(
                fields.required("period", fields::period),
                fields.required("start", fields::instant),
            ),
            Kind::Stickiness => {
                let periods = fields.required("periods", |v| whole(v, 1, 1_000_000));
                match fields.optional("atLeast", fields::boolean) {
                    Some(true) => Self::AtLeast(periods),
                    _ => Self::Exactly(periods),
                }
            }
            Kind::Trailing => Self::Trailing(fields.required("days", |v| {
                let known = TRAILING.into_iter().find(|n| v.as_u64() == Some(*n as u64));
                known.map_or_else(|| fields::fault("not_in_list", "must be 30 or 7"), Ok)
            })),
            Kind::Lifecycle => Self::Lifecycle(
                fields.required("start", fields::instant),
                fields.required("state", |v| fields::one_of(v, &STATES)),
            ),
            Kind::Sessions => Self::Sessions,
            Kind::HeatMap => Self::HeatMap(
                fields.required("weekday", fields::week_start),
                fields.required("hour", |v| whole(v, 0, 23)),
            ),
        };
        fields.finish(Vec::new())?;
        Ok(cell)
    }

    /// The part of the answer it is a number of; none for what every answer has.
    fn metric(self) -> Option<Metric> {
        Some(match self {
            Self::Users => return None,
            Self::ActiveUsers(..) => Metric::ActiveUsers,
            Self::Exactly(_) | Self::AtLeast(_) | Self::Trailing(_) => Metric::Stickiness,
            Self::Lifecycle(..) => Metric::Lifecycle,
            Self::Sessions => Metric::Sessions,
            Self::HeatMap(..) => Metric::HeatMap,
        })
    }
}

/// The keys of the users that a number of the answer counts, ascending.
///
/// # Errors
/// `not_found` for a cell that the answer does not have; otherwise as `answer`.
pub fn people(question: &Scoped<&Engagement>, view: &View<'_>, cell: &Cell) -> Result<Vec<u32>> {
    let question = *question.inner();
    let missing = |field| Error::field(field, "not_found", "is no number of the answer");
    let metric = cell.metric();
    if metric.is_some_and(|metric| !question.asks(metric)) {
        return Err(missing("cell"));
    }
    let plan = Plan::new(question, view)?;
    let row = |rows: &[Bucket], start: Instant| {
        // A date that a zone skipped is an empty bucket before the one that starts at the same time.
        let place = rows.iter().rposition(|b| b.start == start);
        place.ok_or_else(|| missing("start"))
    };
    let rows = plan.scale().rows.len();
    let wanted: Box<dyn Fn(Count) -> bool + Send + Sync> = match *cell {
        Cell::Users => Box::new(|c| c == Count::User),
        Cell::ActiveUsers(period, start) => {
            let found = SCALES.iter().zip(&plan.scales).enumerate();
            let found = found.filter(|(_, (p, _))| **p == period);
            let (scale, buckets) = found
                .map(|(i, (_, scale))| (i, scale))
                .next()
                .ok_or_else(|| missing("period"))?;
            let place = row(&buckets.rows, start)?;
            Box::new(move |c| c == Count::Active(scale, place))
        }
        Cell::Exactly(k) | Cell::AtLeast(k) if k == 0 || k > rows => {
            return Err(missing("periods"));
        }
        Cell::Exactly(k) => Box::new(move |c| c == Count::Sticky(k)),
        Cell::AtLeast(k) => Box::new(move |c| matches!(c, Count::Sticky(n) if n >= k)),
        Cell::Trailing(days) => {
            let window = TRAILING.iter().position(|n| *n == days);
            let window = window.ok_or_else(|| missing("days"))?;
            Box::new(move |c| c == Count::Trailing(window))
        }
        Cell::Lifecycle(start, state) => {
            let place = row(&plan.scale().rows, start)?;
            match state {
                Some(state) => Box::new(move |c| c == Count::State(place, state)),
                None => Box::new(
                    move |c| matches!(c, Count::State(p, s) if p == place && s != State::Dormant),
                ),
            }
        }
        Cell::Sessions => Box::new(|c| c == Count::Session),
        Cell::HeatMap(day, hour) => {
            let weekday = WEEKDAYS.iter().position(|d| d.1 == day.0);
            let weekday = weekday.ok_or_else(|| missing("weekday"))?;
            Box::new(move |c| c == Count::Hour(24 * weekday + hour))
        }
    };
    let list = || List {
        wanted: &*wanted,
        now: false,
    };
    let (mut users, ..) = view.fold(
        || (Vec::new(), list(), Scratch::default()),
        |(users, list, scratch), t| {
            list.now = false;
            plan.each(&t, |m| Some(m) == metric, scratch, list);
            if list.now {
                users.push(t.user);
            }
        },
        |(mut a, list, scratch), (mut b, ..)| {
            a.append(&mut b);
            (a, list, scratch)
        },
    )?;
    users.sort_unstable();
    Ok(users)
}

/// Whether the user of now is wanted.
struct List<'l> {
    wanted: &'l (dyn Fn(Count) -> bool + Send + Sync),
    now: bool,
}

impl Sink for List<'_> {
    fn count(&mut self, count: Count) {
        self.now |= (self.wanted)(count);
    }
}
