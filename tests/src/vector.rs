//! Vectors: small histories with a question and what every door must answer (`vectors/README.md` describes the files).

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::oracle::identity::{self, Mark};
use crate::oracle::money::{Money, Rate};
use crate::oracle::question::{micros, text};
use crate::oracle::{Event, History, Profile};

/// One vector.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vector {
    /// `funnel`, `retention` and so on: the folder it lies in.
    #[serde(skip)]
    pub word: String,
    /// The file name without its ending.
    #[serde(skip)]
    pub name: String,
    /// The rule it is an example of, for example `F2`.
    pub rule: String,
    /// Why the answer is what it is, in a sentence.
    pub why: String,
    /// The events, as `ingest` takes them.
    #[serde(default)]
    pub events: Vec<Value>,
    /// The profiles, as rows of the table `profiles`: `userId`, `ts` and `plan`.
    #[serde(default)]
    pub profiles: Vec<Value>,
    /// What currencies were worth, as rows of the table `rates`: `currency`, `day` and `rate`.
    #[serde(default)]
    pub rates: Vec<Value>,
    /// Which user a device turned out to be, as rows of the table `aliases`: `anonymousId`, `userId` and `ts`.
    #[serde(default)]
    pub aliases: Vec<Value>,
    /// Which known users are one, as rows of the table `merges`: `mergedUserId`, `userId` and `ts`.
    #[serde(default)]
    pub merges: Vec<Value>,
    /// Cohorts: `name` and `definition`.
    #[serde(default)]
    pub cohorts: Vec<Value>,
    /// Models to register: what registration takes, and the `text` of the file.
    #[serde(default)]
    pub models: Vec<Value>,
    /// Predictions made elsewhere, to be kept under a `name`.
    #[serde(default)]
    pub predictions: Vec<Value>,
    /// Questions asked before, each a `word` and a `question`, for what is kept of their answers.
    #[serde(default)]
    pub asked: Vec<Value>,
    /// What came of what is kept under a `name`.
    #[serde(default)]
    pub actuals: Vec<Value>,
    /// The instant the question is asked and the events are received.
    pub now: String,
    /// The question, as every door takes it.
    pub question: Value,
    /// A part of the report of their ingest.
    pub ingest: Option<Value>,
    /// A part of the answer.
    pub expect: Option<Value>,
    /// Who is behind numbers of the answer (D1).
    #[serde(default)]
    pub people: Vec<Behind>,
    /// The error instead of an answer.
    pub error: Option<Refusal>,
}

/// The users behind a number.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behind {
    /// The cell of the answer.
    pub cell: Value,
    /// The ids of its users, ascending.
    pub users: Vec<String>,
}

/// An error: its code, and the code of each field error.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The error's code.
    pub code: String,
    /// The field errors, in any order.
    pub errors: Vec<FieldCode>,
}

/// A field error.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub struct FieldCode {
    /// The field.
    pub field: String,
    /// The code.
    pub code: String,
}

/// The folder of the vectors.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

impl Vector {
    /// All vectors of a word, by name.
    ///
    /// # Errors
    /// A file that cannot be read, or is no vector, as a sentence that names it.
    pub fn all(word: &str) -> Result<Vec<Self>, String> {
        let folder = folder().join(word);
        let listing = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut paths: Vec<PathBuf> = listing
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        paths.retain(|p| p.extension().is_some_and(|e| e == "json"));
        paths.sort();
        let read = |path: &PathBuf| {
            let complain = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
            let text = fs::read_to_string(path).map_err(|e| complain(&e))?;
            let mut vector: Self = serde_json::from_str(&text).map_err(|e| complain(&e))?;
            word.clone_into(&mut vector.word);
            vector.name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if vector.expect.is_some() == vector.error.is_some() {
                return Err(complain(&"must have either `expect` or `error`"));
            }
            Ok(vector)
        };
        paths.iter().map(read).collect()
    }

    /// The instant the question is asked, in microseconds.
    pub fn now(&self) -> i64 {
        micros(&Value::String(self.now.clone()))
    }

    /// What is stored once its events are in, for the oracle: clocks that are more than five minutes off are corrected, and
    /// duplicates of an id and events too far ahead are not stored (I1, I3).
    pub fn history(&self, premium_plans: &[&str]) -> History {
        let mut history = History {
            premium_plans: premium_plans.iter().map(|p| (*p).to_owned()).collect(),
            ..History::default()
        };
        let marks = self.marks();
        for event in &self.events {
            let optional = |name: &str| event.get(name).filter(|v| !v.is_null());
            let id = optional("eventId").map(text);
            let mut ts = optional("ts").map_or(0, micros);
            if let Some(sent) = optional("sentAt").map(micros) {
                let skew = self.now() - sent;
                ts += if skew.abs() > 300_000_000 { skew } else { 0 };
            }
            let repeated = id.is_some() && history.events.iter().any(|e| e.id == id);
            if repeated || ts > self.now() + 86_400_000_000 {
                continue;
            }
            let device = || {
                let device = optional("anonymousId").map(text)?;
                Some(identity::of_device(&device, ts, &marks))
            };
            let user = optional("userId").map(text).filter(|u| !u.is_empty());
            history.events.push(Event {
                user: user.or_else(device),
                name: optional("name").map(text).unwrap_or_default(),
                ts,
                seq: optional("clientSeq").and_then(Value::as_i64),
                id,
                money: Money::of(event),
                properties: event
                    .get("properties")
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_default(),
            });
        }
        let named = |c: &Value| Some((text(c.get("name")?), c.get("definition")?.clone()));
        history.cohorts = self.cohorts.iter().filter_map(named).collect();
        history.rates = self.rates.iter().map(Rate::read).collect();
        for profile in &self.profiles {
            history.profiles.push(Profile {
                user: profile.get("userId").map(text).unwrap_or_default(),
                plan: profile.get("plan").filter(|v| !v.is_null()).map(text),
                at: profile.get("ts").map_or(0, micros),
            });
        }
        let id = |row: &Value, name: &str| row.get(name).filter(|v| !v.is_null()).map(text);
        // Of several rows of one merged user the last counts.
        let last = |row: &&Value| {
            let later = self.merges.iter().rev();
            let mine = |r: &&Value| r.get("mergedUserId") == row.get("mergedUserId");
            later
                .clone()
                .find(mine)
                .is_some_and(|r| std::ptr::eq(r, *row))
        };
        let merges = self.merges.iter().filter(last);
        let merges = merges.filter_map(|row| Some((id(row, "mergedUserId")?, id(row, "userId")?)));
        identity::merge(&mut history, &merges.collect::<Vec<_>>());
        history
    }

    /// What aliases, and events with both ids, say of devices.
    fn marks(&self) -> Vec<Mark> {
        let id = |row: &Value, name: &str| row.get(name).filter(|v| !v.is_null()).map(text);
        let said = |row: &Value| {
            Some(Mark {
                device: id(row, "anonymousId")?,
                user: id(row, "userId"),
                at: row.get("ts").map_or(0, micros),
            })
        };
        let both = self.events.iter().filter(|e| id(e, "userId").is_some());
        self.aliases.iter().chain(both).filter_map(said).collect()
    }

    /// Whether an answer holds what the vector expects: objects may have more fields, lists are as long, numbers are equal.
    ///
    /// # Errors
    /// The places where it does not, one a line.
    pub fn matches(&self, answer: &Value) -> Result<(), String> {
        let Some(expected) = &self.expect else {
            return Err(format!("an answer where an error is expected: {answer}"));
        };
        holds(expected, answer)
    }

    /// The requests for the people behind the numbers, and whom each must name.
    pub fn people(&self) -> impl Iterator<Item = (Value, &[String])> {
        self.people.iter().map(|behind| {
            let (word, question, cell) = (&self.word, &self.question, &behind.cell);
            let request = serde_json::json!({ "word": word, "question": question, "cell": cell });
            (request, &behind.users[..])
        })
    }

    /// Whether an error is the one the vector expects.
    ///
    /// # Errors
    /// What differs, as a sentence.
    pub fn refused(&self, code: &str, mut errors: Vec<FieldCode>) -> Result<(), String> {
        errors.sort();
        let actual = Refusal {
            code: code.to_owned(),
            errors,
        };
        let mut expected = self
            .error
            .clone()
            .ok_or_else(|| format!("an error where an answer is expected: {actual:?}"))?;
        expected.errors.sort();
        if actual == expected {
            Ok(())
        } else {
            Err(format!("expected {expected:?}\nbut got {actual:?}"))
        }
    }
}

/// Whether a value holds another, as `matches` says.
///
/// # Errors
/// The places where it does not, one a line.
pub fn holds(expected: &Value, actual: &Value) -> Result<(), String> {
    let mut differences = Vec::new();
    part("", expected, actual, &mut differences);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join("\n"))
    }
}

fn part(at: &str, expected: &Value, actual: &Value, differences: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(e), Value::Object(a)) => {
            for (name, value) in e {
                match a.get(name) {
                    Some(other) => part(&format!("{at}.{name}"), value, other, differences),
                    None => differences.push(format!("{at}.{name}: missing, expected {value}")),
                }
            }
        }
        (Value::Array(e), Value::Array(a)) if e.len() == a.len() => {
            for (i, (value, other)) in e.iter().zip(a).enumerate() {
                part(&format!("{at}[{i}]"), value, other, differences);
            }
        }
        (Value::Number(e), Value::Number(a)) if e.as_f64() == a.as_f64() => {}
        (e, a) if e == a => {}
        (e, a) => differences.push(format!("{at}: expected {e}, got {a}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::adoption::Adoption;
    use crate::oracle::engagement::Engagement;
    use crate::oracle::feedback::Feedback;
    use crate::oracle::funnel::{Compare, DropOff, Funnel};
    use crate::oracle::journey::Journey;
    use crate::oracle::pickup::Pickup;
    use crate::oracle::realtime::Realtime;
    use crate::oracle::retention::Retention;
    use crate::oracle::sample;

    /// The oracle must agree with numbers worked out by hand before it may judge anything.
    fn the_oracle_answers(word: &str, answer: impl Fn(&Vector, &History) -> Value) {
        let vectors = Vector::all(word).unwrap();
        // Enumeration takes time exponential in the rows of a user, so it is for small histories only.
        let small = |v: &&Vector| v.events.len() < 60 || word != "funnel";
        let answered = vectors.iter().filter(|v| v.expect.is_some()).filter(small);
        let wrong: Vec<String> = answered
            .clone()
            .filter_map(|v| {
                let history = v.history(&["premium"]);
                let told = sample::answer(&v.question, &history, |history| answer(v, history));
                let complaint = v.matches(&told).err()?;
                Some(format!("{}: {}\n{complaint}", v.name, v.why))
            })
            .collect();
        assert!(answered.count() > 0, "no vectors of {word}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    #[test]
    fn the_oracle_answers_every_funnel_vector() {
        let default = ["search", "view_trip", "start_booking", "complete_booking"];
        the_oracle_answers("funnel", |v, history| {
            Funnel::read(&v.question, &default, v.now()).answer(history)
        });
    }

    #[test]
    fn the_oracle_answers_every_pickup_vector() {
        the_oracle_answers("pickup", |v, history| {
            Pickup::read(&v.question, v.now()).answer(history)
        });
    }

    #[test]
    fn the_oracle_answers_every_drop_off_vector() {
        the_oracle_answers("drop_off", |v, history| {
            DropOff::read(&v.question, &[], v.now()).answer(history)
        });
    }

    #[test]
    fn the_oracle_answers_every_comparison_vector() {
        the_oracle_answers("compare", |v, history| {
            Compare::read(&v.question, &[], v.now()).answer(history)
        });
    }

    #[test]
    fn the_oracle_answers_every_journey_vector() {
        the_oracle_answers("journey", |v, history| {
            Journey::read(&v.question, v.now()).answer(history)
        });
    }

    #[test]
    fn the_oracle_answers_every_realtime_vector() {
        the_oracle_answers("realtime", |v, history| {
            Realtime::read(&v.question, v.now()).answer(history)
        });
    }

    #[test]
    fn the_oracle_answers_every_engagement_vector() {
        the_oracle_answers("engagement", |v, history| {
            Engagement::read(&v.question, v.now()).answer(history)
        });
    }

    #[test]
    fn the_oracle_answers_every_adoption_vector() {
        let catalogue = ["map", "wishlist", "price_alert", "chat", "review"];
        the_oracle_answers("adoption", |v, history| {
            Adoption::read(&v.question, &catalogue, v.now()).answer(history)
        });
    }

    #[test]
    fn the_oracle_answers_every_feedback_vector() {
        // What our own models say is not for it to know.
        let told = |v: &&Vector| v.expect.is_some() && v.asked.is_empty();
        let vectors = Vector::all("feedback").unwrap();
        let answered: Vec<&Vector> = vectors.iter().filter(told).collect();
        assert!(!answered.is_empty());
        for v in answered {
            let answer = Feedback::read(&v.question).answer(&v.predictions, &v.actuals);
            v.matches(&answer)
                .unwrap_or_else(|e| panic!("{}: {}\n{e}", v.name, v.why));
        }
    }

    #[test]
    fn the_oracle_answers_every_retention_vector() {
        the_oracle_answers("retention", |v, history| {
            Retention::read(&v.question, v.now()).answer(history)
        });
    }
}
