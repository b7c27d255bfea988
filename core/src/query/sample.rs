//! Samples of users (S2): a share of them by a hash of who they are, and what the counts among them say of all.

use serde::{Serialize, Serializer};
use serde_json::Value;
use twox_hash::XxHash3_64;

use super::fields::{self, Parsed, fault};
use crate::error::FieldError;

/// Some of the users, all of their events with them; never some of the events.
///
/// A user is in or out by `hash(user, salt)` alone, so that every question with the same salt sees the same users, and those of a
/// smaller rate are among those of a larger one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// The share of users, in millionths: 1 to 1,000,000.
    #[serde(rename = "rate", serialize_with = "rate")]
    pub millionths: u32,
    /// Another salt is another sample; empty by default.
    pub salt: String,
}

const ONE: u32 = 1_000_000;

fn rate<S: Serializer>(millionths: &u32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(f64::from(*millionths) / f64::from(ONE))
}

impl Sample {
    /// What whoever reads its numbers must know.
    pub(crate) fn note(&self) -> String {
        let percent = f64::from(self.millionths) / 1e4;
        format!("Numbers are those of a sample: {percent} % of all users.")
    }

    /// Whether a user is in: XXH3 of the salt, a zero byte and the id is below the rate's share of 2⁶⁴. Devices that nobody is
    /// known on have the seed 1, users 0.
    pub(crate) fn holds(&self, id: &str, anonymous: bool) -> bool {
        let text = [self.salt.as_bytes(), b"\0", id.as_bytes()].concat();
        let hash = XxHash3_64::oneshot_with_seed(u64::from(anonymous), &text);
        (u128::from(hash) * u128::from(ONE)) >> 64 < u128::from(self.millionths)
    }

    /// What a count of users in the sample says of all users.
    ///
    /// `count ÷ rate`, with the numbers of users in all for which the count is within 1.96 standard deviations: each user is in
    /// the sample with probability `rate`, so the count is binomial. It is Wilson's way of the interval of a rate (1927), solved
    /// for the number of trials.
    pub(crate) fn estimate(&self, count: u64) -> Estimate {
        let rate = f64::from(self.millionths) / f64::from(ONE);
        let z2q = Z * Z * (1.0 - rate);
        let count_ = count as f64;
        let centre = 2.0 * count_ + z2q;
        let half = (z2q * (4.0 * count_ + z2q)).sqrt();
        Estimate {
            value: count_ / rate,
            // No fewer than were seen.
            low: ((centre - half) / (2.0 * rate)).max(count_),
            high: (centre + half) / (2.0 * rate),
        }
    }
}

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A number of users among all, told by a sample of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The count in the sample ÷ its rate.
    pub value: f64,
    /// The lower end of the 95 % interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// What is wrong with the wish for the users behind a number of a sample.
pub(crate) fn nobody(sample: Option<&Sample>) -> Option<FieldError> {
    sample.map(|_| FieldError {
        field: "sample".to_owned(),
        code: "sampled",
        message: "must not be there where users are asked for: those sampled are not those meant"
            .to_owned(),
    })
}

/// A rate, or `{"rate": 0.1, "salt": "a"}`.
pub(crate) fn sample(value: &Value) -> Parsed<Sample> {
    let share = |v: &Value| {
        let rate = v.as_f64().unwrap_or(f64::NAN);
        let millionths = (rate * f64::from(ONE)).round();
        if (1.0..=f64::from(ONE)).contains(&millionths) && rate <= 1.0 {
            return Ok(millionths as u32);
        }
        match v {
            Value::Number(_) => fault("out_of_range", "must be from 0.000001 to 1"),
            _ => fault("invalid_type", "must be a number from 0.000001 to 1"),
        }
    };
    if !value.is_object() {
        return share(value).map(|millionths| Sample {
            millionths,
            salt: String::new(),
        });
    }
    fields::object(value, |fields| Sample {
        millionths: fields.required("rate", share),
        salt: fields.optional("salt", salt).unwrap_or_default(),
    })
}

fn salt(value: &Value) -> Parsed<String> {
    let salt = fields::text(value)?;
    if salt.chars().count() > 100 {
        return fault("invalid_length", "must have at most 100 characters");
    }
    Ok(salt.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{ONE, Sample};

    fn of(millionths: u32, salt: &str) -> Sample {
        Sample {
            millionths,
            salt: salt.to_owned(),
        }
    }

    fn users() -> impl Iterator<Item = String> {
        (0..20_000).map(|n| format!("user-{n}"))
    }

    #[test]
    fn s2_a_smaller_sample_lies_within_a_larger_one_and_another_salt_is_another_sample() {
        let (small, large, other) = (of(50_000, "a"), of(200_000, "a"), of(200_000, "b"));
        let mut differ = 0;
        for user in users() {
            assert!(large.holds(&user, false) || !small.holds(&user, false));
            assert!(of(ONE, "a").holds(&user, false));
            differ += usize::from(large.holds(&user, false) != other.holds(&user, false));
        }
        // 2 · 0.2 · 0.8 of the users, give or take five standard deviations.
        assert!((6_067..6_733).contains(&differ), "{differ}");
    }

    #[test]
    fn s2_the_interval_of_a_scaled_count_covers_what_it_is_of() {
        for rate in [20_000, 300_000] {
            let covered = (0..200).filter(|salt| {
                let sample = of(rate, &salt.to_string());
                let some = users().take(4_000);
                let seen = some.filter(|user| sample.holds(user, false)).count();
                let told = sample.estimate(seen as u64);
                (told.low..=told.high).contains(&4_000.0)
            });
            // 95 % of 200, give or take three standard deviations.
            let covered = covered.count();
            assert!((181..=199).contains(&covered), "{covered} at {rate}");
        }
    }

    #[test]
    fn s2_of_everyone_nothing_is_estimated() {
        let told = of(ONE, "").estimate(17);
        assert_eq!((told.value, told.low, told.high), (17.0, 17.0, 17.0));
        let none = of(100_000, "").estimate(0);
        assert_eq!((none.value, none.low), (0.0, 0.0));
        assert!(none.high > 30.0 && none.high < 40.0);
    }
}
