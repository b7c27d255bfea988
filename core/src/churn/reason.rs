//! Why a user's risk is what it is, in numbers that add up and in words.

use serde::Serialize;

use super::features::{FEATURES, Figures, Row, TRAITS};
use crate::query::filter::Property;

/// What a reason speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trait {
    /// How long ago the last activity was, in the user's own rhythm.
    Recency,
    /// On how many days the user was active, lately and ever, and how often the BG/NBD model expects the user again.
    Frequency,
    /// How many events an active day has.
    Intensity,
    /// What an active day is worth.
    Value,
    /// How long the user has been known.
    Tenure,
    /// What is said of the user: an attribute that was asked for.
    Attribute,
}

const ALL: [Trait; 5] = [
    Trait::Recency,
    Trait::Frequency,
    Trait::Intensity,
    Trait::Value,
    Trait::Tenure,
];

/// A reason for a user's risk.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// What it speaks of.
    pub reason: Trait,
    /// By how much it moves the log odds of churn away from those of the average user. The effects of a user, with the
    /// summary's `averageLogOdds`, add up to the log odds of the user's probability.
    pub effect: f64,
    /// Which attribute it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<Property>,
    /// The same in words.
    pub text: String,
}

/// What is said of a user, and what it adds.
pub(super) struct Attribute {
    pub(super) property: Property,
    /// Its value as JSON; none where it was never said.
    pub(super) value: Option<String>,
    pub(super) effect: f64,
}

impl Attribute {
    fn reason(self) -> Reason {
        let name = match &self.property {
            Property::Event(name) | Property::User { name, .. } | Property::Cohort { name, .. } => {
                name
            }
            Property::Session => "$session",
        };
        let text = |json: String| serde_json::from_str::<String>(&json).unwrap_or(json);
        let said = match self.value.map(text) {
            Some(value) => format!("`{name}` is `{value}`"),
            None => format!("`{name}` is not known"),
        };
        Reason {
            reason: Trait::Attribute,
            effect: self.effect,
            text: format!("{said}: {}", direction(self.effect)),
            attribute: Some(self.property),
        }
    }
}

fn direction(effect: f64) -> &'static str {
    if effect > 0.0 {
        "raises the risk"
    } else {
        "lowers the risk"
    }
}

/// The reasons of a user, the strongest first, without those that change nothing.
///
/// `effects` are what each feature adds over the average user, whose features are `average`.
pub(super) fn reasons(
    figures: &Figures,
    effects: &Row,
    average: &Row,
    horizon: u32,
    said: impl Iterator<Item = Attribute>,
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = ALL
        .iter()
        .map(|of| {
            let parts = effects.iter().zip(TRAITS).filter(|(_, t)| t == of);
            let effect: f64 = parts.map(|(effect, _)| effect).sum();
            Reason {
                reason: *of,
                effect,
                attribute: None,
                text: text(*of, effect, figures, average, horizon),
            }
        })
        .chain(said.map(Attribute::reason))
        .filter(|reason| reason.effect != 0.0)
        .collect();
    reasons.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
    reasons
}

fn text(of: Trait, effect: f64, figures: &Figures, average: &Row, horizon: u32) -> String {
    let typical = typical(average);
    let visits = &figures.visits;
    let said = match of {
        Trait::Recency => {
            let since = days(figures.recency);
            if visits.repeats > 0.0 {
                let gap = days((visits.last / visits.repeats).max(1.0));
                format!("last active {since} ago, usually every {gap}")
            } else {
                format!("active on a single day, {since} ago")
            }
        }
        Trait::Frequency => {
            let expected = figures.expected.map_or_else(String::new, |expected| {
                format!(
                    "; {expected:.2} expected in the next {}",
                    days(f64::from(horizon))
                )
            });
            format!(
                "active on {}, {:.0} of them in the last {} (typically {:.1}, {:.1}){expected}",
                days(visits.repeats + 1.0),
                figures.lately,
                days(f64::from(horizon)),
                typical.active + 1.0,
                typical.lately,
            )
        }
        Trait::Intensity => format!(
            "{:.1} events on an active day (typically {:.1})",
            figures.events, typical.events
        ),
        Trait::Value => format!(
            "an active day is worth {:.2} (typically {:.2})",
            figures.amount, typical.amount
        ),
        Trait::Tenure => format!(
            "known for {} (typically {:.0})",
            days(visits.known),
            typical.known
        ),
        // These have a text of their own.
        Trait::Attribute => String::new(),
    };
    format!("{said}: {}", direction(effect))
}

fn days(n: f64) -> String {
    let n = n.round();
    if n == 1.0 {
        "1 day".to_owned()
    } else {
        format!("{n:.0} days")
    }
}

/// The figures of a user whose features are the average ones: as features are logarithms, a geometric mean.
struct Typical {
    known: f64,
    active: f64,
    lately: f64,
    events: f64,
    amount: f64,
}

fn typical(average: &Row) -> Typical {
    let [_, known, repeats, _, _, lately, _, _, events, amount] = *average;
    let of = libm::expm1;
    Typical {
        known: of(known),
        active: of(repeats),
        lately: of(lately),
        events: of(events),
        amount: of(amount),
    }
}

/// The mean of rows; zeros for none.
pub(super) fn average<'a>(rows: impl ExactSizeIterator<Item = &'a Row>) -> Row {
    let n = rows.len().max(1) as f64;
    let mut mean = [0.0; FEATURES];
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += x);
    }
    mean.map(|sum| sum / n)
}
