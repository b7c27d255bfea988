//! Samples of users (S2): the history of those who are in, asked as ever, and what each count says of all.

use serde_json::{Value, json};
use twox_hash::XxHash3_64;

use super::History;

struct Sample {
    rate: f64,
    salt: String,
}

impl Sample {
    fn read(value: &Value) -> Self {
        let rate = value.as_f64().or_else(|| value["rate"].as_f64());
        Self {
            rate: rate.expect("a rate"),
            salt: value["salt"].as_str().unwrap_or_default().to_owned(),
        }
    }

    fn holds(&self, user: &str) -> bool {
        let hash = XxHash3_64::oneshot(format!("{}\0{user}", self.salt).as_bytes());
        hash as f64 / 2_f64.powi(64) < self.rate
    }

    /// The numbers of users of which a binomial count lies at most 1.96 standard deviations from its mean.
    fn estimate(&self, count: &Value) -> Value {
        let c = count.as_f64().expect("a count");
        let (p, q, z) = (self.rate, 1.0 - self.rate, 1.959_963_984_540_054);
        // (c − n·p)² = z²·n·p·q, solved for n.
        let (b, root) = (
            2.0 * c + z * z * q,
            (z * z * q * (4.0 * c + z * z * q)).sqrt(),
        );
        json!({"value": c / p, "low": ((b - root) / (2.0 * p)).max(c), "high": (b + root) / (2.0 * p)})
    }

    /// Puts what the counts say beside them.
    fn tell(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.tell(item)),
            Value::Object(fields) => {
                if let Some(counts) = fields.get("counts").and_then(Value::as_array) {
                    let all: Vec<Value> = counts.iter().map(|c| self.estimate(c)).collect();
                    fields.insert("estimates".to_owned(), all.into());
                }
                let is = |name: &str| fields.contains_key(name);
                let count = match () {
                    () if is("step") || is("partialCount") => "count",
                    () if is("returnedInStartPeriod") => "size",
                    () => "",
                };
                if let Some(count) = fields.get(count) {
                    let told = self.estimate(count);
                    fields.insert("estimate".to_owned(), told);
                }
                fields.values_mut().for_each(|inner| self.tell(inner));
            }
            _ => {}
        }
    }
}

/// The answer to a question that may ask for a sample; `answer` is the one over a history.
pub fn answer(question: &Value, history: &History, answer: impl Fn(&History) -> Value) -> Value {
    let Some(sample) = question.get("sample").filter(|s| !s.is_null()) else {
        return answer(history);
    };
    let sample = Sample::read(sample);
    let mut history = history.clone();
    let seen = |user: &Option<String>| user.as_ref().is_none_or(|user| sample.holds(user));
    history.events.retain(|event| seen(&event.user));
    let mut told = answer(&history);
    sample.tell(&mut told);
    told["sample"] = json!({"rate": sample.rate, "salt": sample.salt});
    told
}
