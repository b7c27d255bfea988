//! The users behind a number of adoption (D1): the same pass over the same plan, with a list in the place of counts.

use serde::Serialize;
use serde_json::Value;

use super::plan::{Count, Plan, Scratch, Sink};
use super::question::{Adoption, MAX_FEATURES};
use crate::access::Scoped;
use crate::error::{Error, Result};
use crate::query::Instant;
use crate::query::fields::{self, Fields};
use crate::timeline::View;

/// Which users of a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Exposed to it.
    #[default]
    Exposed,
    /// Of those, who use it often enough in time.
    Adopters,
    /// Of those, who do not.
    NotAdopted,
    /// Of those, who still can.
    Open,
    /// Exposed so early that the time has passed.
    MaturedExposed,
    /// Of those, who use it often enough in time.
    MaturedAdopters,
    /// Who use it in the range.
    Users,
}

impl Who {
    pub(super) const COUNT: usize = WHO.len();
}

const WHO: [(&str, Who); 7] = [
    ("exposed", Who::Exposed),
    ("adopters", Who::Adopters),
    ("not_adopted", Who::NotAdopted),
    ("open", Who::Open),
    ("matured_exposed", Who::MaturedExposed),
    ("matured_adopters", Who::MaturedAdopters),
    ("users", Who::Users),
];

/// A number of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Active in the range: `activeUsers`.
    Active,
    /// Of the feature of that name.
    Feature(String, Who),
    /// Whose first use of the feature of that name is in the period that starts then.
    FirstUses(String, Instant),
    /// Active without any use: `breadth.unused`.
    Unused,
    /// Who use so many features, with the frequency from that number of uses on, or with any.
    Breadth(usize, Option<u32>),
}

#[derive(Clone, Copy, Default)]
enum Kind {
    #[default]
    Active,
    Feature,
    FirstUses,
    Unused,
    Breadth,
}

const KINDS: [(&str, Kind); 5] = [
    ("active_users", Kind::Active),
    ("feature", Kind::Feature),
    ("first_uses", Kind::FirstUses),
    ("unused", Kind::Unused),
    ("breadth", Kind::Breadth),
];

impl Cell {
    /// Reads a cell in its JSON form: `{"cell": "active_users"}`, `{"cell": "feature", "feature": "map", "who": "adopters"}`,
    /// `{"cell": "first_uses", "feature": "map", "start": instant}`, `{"cell": "unused"}`,
    /// `{"cell": "breadth", "features": 2, "from": 5}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(cell: &Value) -> Result<Self> {
        let mut fields = Fields::of(cell)?;
        let kind = fields.required("cell", |v| fields::one_of(v, &KINDS));
        let mut feature = || fields.required("feature", fields::name);
        let cell = match kind {
            Kind::Active => Self::Active,
            Kind::Feature => Self::Feature(
                feature(),
                fields.required("who", |v| fields::one_of(v, &WHO)),
            ),
            Kind::FirstUses => {
                Self::FirstUses(feature(), fields.required("start", fields::instant))
            }
            Kind::Unused => Self::Unused,
            Kind::Breadth => Self::Breadth(
                fields.required("features", |v| {
                    fields::integer(v, 1, MAX_FEATURES as i64).map(|n| n as usize)
                }),
                fields
                    .optional("from", |v| fields::integer(v, 1, 1_000_000))
                    .map(|n| n as u32),
            ),
        };
        fields.finish(Vec::new())?;
        Ok(cell)
    }
}

/// The keys of the users that a number of the answer counts, ascending.
///
/// # Errors
/// `not_found` for a cell that the answer does not have; otherwise as `answer`.
pub fn people(question: &Scoped<&Adoption>, view: &View<'_>, cell: &Cell) -> Result<Vec<u32>> {
    let question = *question.inner();
    let plan = Plan::new(question, view)?;
    let missing = |field| Error::field(field, "not_found", "is no number of the answer");
    let place = |name: &str| {
        let place = question.features.iter().position(|f| f.name == name);
        place.ok_or_else(|| missing("feature"))
    };
    let wanted: Box<dyn Fn(Count) -> bool + Send + Sync> = match cell {
        Cell::Active => Box::new(|c| c == Count::Active),
        Cell::Unused => Box::new(|c| c == Count::Unused),
        Cell::Feature(name, who) => {
            let (feature, who) = (place(name)?, *who);
            Box::new(move |c| c == Count::Feature(feature, who))
        }
        Cell::FirstUses(name, start) => {
            let feature = place(name)?;
            // A date that a zone skipped is an empty bucket before the one that starts at the same time.
            let bucket = plan.rows.iter().rposition(|b| b.start == *start);
            let bucket = bucket.ok_or_else(|| missing("start"))?;
            Box::new(move |c| c == Count::First(feature, bucket))
        }
        Cell::Breadth(features, _) if *features == 0 || *features > question.features.len() => {
            return Err(missing("features"));
        }
        Cell::Breadth(features, from) => {
            let features = *features;
            let often = from.map(|from| {
                let place = question.frequencies.iter().position(|n| *n == from);
                place.ok_or_else(|| missing("from"))
            });
            let often = often.transpose()?;
            Box::new(move |c| match c {
                Count::Breadth(n, place) => n == features && often.is_none_or(|o| o == place),
                _ => false,
            })
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
            plan.each(&t, scratch, list);
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
