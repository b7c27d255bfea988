//! What a rule looks for in what was read.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a rule looks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// The value is beyond a limit, and clear only once it is back behind another.
    Threshold {
        /// Above this.
        above: Option<f64>,
        /// Below this.
        below: Option<f64>,
        /// Clear again from here on; the limit itself by default.
        recover: Option<f64>,
    },
    /// The value differs from the one before by at least this share of it. What was nothing and is nothing has not changed; of what was
    /// nothing and is something nothing can be said.
    Change {
        /// The share, above 0.
        by: f64,
        /// Whether more counts.
        up: bool,
        /// Whether less counts.
        down: bool,
        /// What it is compared with.
        against: Against,
    },
    /// The series is not as it usually is.
    Anomaly {
        /// Whether more counts.
        up: bool,
        /// Whether less counts.
        down: bool,
    },
    /// The value is outside the interval that the answer gives for it, or that an earlier one gave: what came against what was foretold.
    Band {
        /// Which answer gives the interval; nothing for the one that gives the value.
        against: Option<Against>,
    },
    /// There is no value.
    NoData,
}

/// What a change is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// The same question, one evaluation before.
    #[default]
    Previous,
    /// The same question, a week before.
    WeekBefore,
}

/// What was read for a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// The value; nothing where the answer has none.
    pub value: Option<f64>,
    /// What it is compared with, where the rule compares.
    pub before: Option<f64>,
    /// The lower end of what was expected.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// Whether the series is not as usual, and which way.
    pub unusual: Option<Unusual>,
    /// Since when it is so, in microseconds, where what was read knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
}

/// How a series is not as it usually is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unusual {
    /// Whether it is more than expected.
    pub up: bool,
    /// What was expected.
    pub expected: f64,
}

/// What a rule says to what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The condition holds.
    Breach,
    /// It does not.
    Clear,
    /// It does not hold, but is not clear either: an incident goes on, and none begins.
    Between,
    /// It cannot be said; nothing changes.
    Unknown,
}

impl Condition {
    /// Whether what was read is what is looked for.
    pub fn judge(&self, reading: &Reading) -> Verdict {
        let said = |holds: bool| {
            if holds {
                Verdict::Breach
            } else {
                Verdict::Clear
            }
        };
        let Some(value) = reading.value else {
            return match self {
                Self::NoData => Verdict::Breach,
                _ => Verdict::Unknown,
            };
        };
        match *self {
            Self::Threshold {
                above,
                below,
                recover,
            } => {
                let over = above.is_some_and(|limit| value > limit);
                let under = below.is_some_and(|limit| value < limit);
                let back = match (recover, above) {
                    (None, _) => true,
                    (Some(recover), Some(_)) => value <= recover,
                    (Some(recover), None) => value >= recover,
                };
                match (over || under, back) {
                    (true, _) => Verdict::Breach,
                    (false, true) => Verdict::Clear,
                    (false, false) => Verdict::Between,
                }
            }
            Self::Change { by, up, down, .. } => {
                let change = match reading.before {
                    Some(0.0) if value == 0.0 => 0.0,
                    // From nothing, any change is one without a share.
                    None | Some(0.0) => return Verdict::Unknown,
                    Some(before) => (value - before) / before.abs(),
                };
                // What is that share to the last digit but for the rounding of a division, is.
                let by = by * (1.0 - 1e-9);
                said(up && change >= by || down && change <= -by)
            }
            Self::Anomaly { up, down } => said(
                reading
                    .unusual
                    .is_some_and(|u| if u.up { up } else { down }),
            ),
            Self::Band { .. } => match (reading.low, reading.high) {
                (None, None) => Verdict::Unknown,
                (low, high) => said(
                    low.is_some_and(|low| value < low) || high.is_some_and(|high| value > high),
                ),
            },
            Self::NoData => Verdict::Clear,
        }
    }

    /// The answer that a value is compared with: how long before.
    pub(crate) fn against(&self) -> Option<Against> {
        match self {
            Self::Change { against, .. } => Some(*against),
            Self::Band { against } => *against,
            _ => None,
        }
    }

    /// It in its JSON form.
    pub fn json(&self) -> Value {
        let direction = |up, down| match (up, down) {
            (true, false) => "up",
            (false, true) => "down",
            _ => "either",
        };
        let mut form = match *self {
            Self::Threshold {
                above,
                below,
                recover,
            } => json!({ "type": "threshold", "above": above, "below": below, "recover": recover }),
            Self::Change {
                by,
                up,
                down,
                against,
            } => json!({
                "type": "change",
                "by": by,
                "direction": direction(up, down),
                "against": against.name(),
            }),
            Self::Anomaly { up, down } => {
                json!({ "type": "anomaly", "direction": direction(up, down) })
            }
            Self::Band { against } => {
                json!({ "type": "band", "against": against.map(Against::name) })
            }
            Self::NoData => json!({ "type": "no_data" }),
        };
        if let Some(fields) = form.as_object_mut() {
            fields.retain(|_, v| !v.is_null());
        }
        form
    }
}

impl Against {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::WeekBefore => "week_before",
        }
    }
}
