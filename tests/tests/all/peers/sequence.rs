//! ClickHouse's patterns of events (`sequenceMatch`, `sequenceCount`), as the funnels that say the same.
//!
//! `(?1)(?2)` is a strict funnel; `(?1).*(?2)` and `(?1)(?t<=n)(?2)` are ordered ones, the latter with a gap. A count of matches that do not
//! overlap is one of attempts (F10) where the pattern bounds its time, which is then the window. Without a bound it is none: an attempt that
//! fails goes on for as long as its window does, where a pattern begins anew at once.

use serde_json::{Value, json};
use travelsense::Principal;

use crate::generate::SECOND;
use crate::store;

/// Later than all of these cases, one of which waits for thirty years.
const LATE: i64 = 3_000_000_000 * SECOND;

/// A pattern as the fields of a funnel: its steps, its order, and how long it can take, where it says so.
struct Pattern {
    steps: Vec<Value>,
    strict: bool,
    longest: Option<i64>,
}

impl Pattern {
    fn read(text: &str, conditions: &[Value]) -> Self {
        let mut pattern = Self {
            steps: Vec::new(),
            strict: true,
            longest: Some(0),
        };
        let mut gap = json!({});
        let mut bounded = false;
        let text = text.replace(".*", "(?*)");
        for part in text.split("(?").skip(1) {
            let part = part.trim_end_matches(')');
            if part == "*" {
                pattern.strict = false;
            } else if let Some(time) = part.strip_prefix('t') {
                let digits = time.trim_start_matches(['<', '>', '=']);
                let seconds: i64 = digits.parse().expect("seconds");
                let sign = &time[..time.len() - digits.len()];
                if sign != "<=" {
                    gap["minGap"] = json!(seconds);
                }
                if sign != ">=" {
                    gap["maxGap"] = json!(seconds);
                    bounded = true;
                    pattern.longest = pattern.longest.map(|all| all + seconds);
                }
                pattern.strict = false;
            } else {
                let place: usize = part.parse().expect("the number of a condition");
                gap["event"] = conditions[place - 1]["event"].clone();
                if !pattern.steps.is_empty() && !bounded {
                    pattern.longest = None;
                }
                pattern.steps.push(std::mem::replace(&mut gap, json!({})));
                bounded = false;
            }
        }
        pattern
    }
}

/// Everything that a funnel says otherwise than the peer of a pattern.
pub(crate) fn differences(case: &Value) -> Vec<String> {
    let query = &case["query"];
    let conditions = query["conditions"].as_array().expect("conditions");
    let text = query["pattern"].as_str().expect("a pattern");
    let pattern = Pattern::read(text, conditions);
    let events = case["events"].as_array().expect("events").iter();
    let events = events.map(|e| json!({"userId": e["user"], "name": e["event"], "ts": e["time"]}));
    let store = store::open(LATE, 1);
    store::ingest(&store, &events.collect::<Vec<_>>());
    let mut question = json!({
        "steps": pattern.steps, "order": if pattern.strict { "strict" } else { "ordered" },
        "startDate": "1990-01-01", "endDate": "2060-01-01",
        "window": pattern.longest.map_or(json!("36500d"), Value::from),
    });
    let who = Principal::owner();
    let last = pattern.steps.len();
    let mut wrong = Vec::new();
    for (user, matches) in case["expected"]["match"].as_object().expect("users") {
        let cell = json!({"cell": "reached", "step": last});
        let request = json!({"word": "funnel", "question": question, "cell": cell});
        let people = store.people(&who, &request);
        let people = people.unwrap_or_else(|e| panic!("{:?}", e.field_errors()));
        let found = people.users.iter().any(|person| person.user_id == *user);
        if json!(found) != *matches {
            wrong.push(format!("{user}: {found}"));
        }
    }
    let counts = case["expected"]["count"].as_object();
    for (user, count) in counts
        .into_iter()
        .flatten()
        .filter(|_| pattern.longest.is_some())
    {
        question["unit"] = json!("totals");
        let answer = store.ask(&who, "funnel", &question).expect("an answer");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        if answer["converted"] != *count {
            wrong.push(format!(
                "{user}: {} instead of {count}",
                answer["converted"]
            ));
        }
    }
    wrong
}
