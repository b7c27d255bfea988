//! Answers that are kept for a moment: the same question over the same data by somebody with the same rights is computed once, also
//! where many ask at the same time.

use std::cell::Cell;
use std::time::Duration;

use moka::sync::Cache;
use serde_json::Value;
use travelsense::{Analytics, Principal, Result};

use crate::answer::Answer;
use crate::meters::Meters;

/// How long an answer is kept. A question without `asOf` means now: its answer is at most so old, and says as of when it is.
const KEPT: Duration = Duration::from_secs(2);

/// The answers of one server.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    kept: Option<Cache<Key, Answer>>,
    meters: Meters,
}

/// What makes two answers the same. A role says all that its holders may do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    word: String,
    question: String,
    data_version: u64,
    role: String,
}

impl Answers {
    /// Keeps at most so many bytes of answers; none for 0.
    pub(crate) fn new(bytes: u64, meters: Meters) -> Self {
        let weight = |key: &Key, answer: &Answer| {
            let bytes = key.question.len() + answer.bytes();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let cache = || {
            Cache::builder()
                .max_capacity(bytes)
                .weigher(weight)
                .time_to_live(KEPT)
                .build()
        };
        Self {
            kept: (bytes > 0).then(cache),
            meters,
        }
    }

    /// The answer of a word to a question of somebody who may ask it.
    pub(crate) fn ask(
        &self,
        (analytics, who): (&Analytics, &Principal),
        word: &str,
        question: &Value,
        compute: impl Fn() -> Result<Answer>,
    ) -> Result<Answer> {
        let text = question.to_string();
        // What a cohort means, what a model is and what is kept for feedback are no part of the events, and so of no version of them.
        let elsewhere = ["\"cohort\":", "\"feedback\":"]
            .iter()
            .any(|f| text.contains(f))
            || matches!(word, "query/score" | "query/feedback");
        let Some(kept) = self.kept.as_ref().filter(|_| !elsewhere) else {
            return compute();
        };
        let key = Key {
            word: word.to_owned(),
            question: text,
            data_version: analytics.data_version(who)?,
            role: who.role().to_owned(),
        };
        let computed = Cell::new(false);
        let failed = Cell::new(None);
        let found = kept.try_get_with(key, || {
            computed.set(true);
            compute().map_err(|error| failed.set(Some(error)))
        });
        self.meters.asked(!computed.get(), kept.weighted_size());
        match (found, failed.take()) {
            (Ok(answer), _) => Ok(answer),
            (Err(_), Some(error)) => Err(error),
            // Somebody else's question failed, maybe because nobody waited for it any more; that says nothing of this one.
            (Err(_), None) => compute(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::thread;

    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;

    const QUESTION: &str =
        r#"{"steps": ["a", "b"], "startDate": "2024-01-01", "endDate": "2024-01-31"}"#;

    fn store() -> Analytics {
        let store = Analytics::in_memory().unwrap();
        let events = json!([
            {"userId": "u1", "name": "a", "ts": "2024-01-01T10:00:00Z"},
            {"userId": "u1", "name": "b", "ts": "2024-01-02T10:00:00Z"},
        ]);
        store.ingest(&Principal::owner(), &events).unwrap();
        store
    }

    fn funnel(store: &Analytics, question: &Value) -> Result<Answer> {
        let answer = store.ask(&Principal::owner(), "funnel", question)?;
        Answer::of(&RawValue::from_string(answer).unwrap())
    }

    #[test]
    fn who_waits_for_an_answer_gets_it_though_whoever_asked_first_left() {
        let (store, answers) = (store(), Answers::new(1_000_000, Meters::new()));
        let question: Value = serde_json::from_str(QUESTION).unwrap();
        let who = Principal::owner();
        let asked = AtomicUsize::new(0);
        let ask = |compute: &dyn Fn() -> Result<Answer>| {
            answers.ask((&store, &who), "query/funnel", &question, compute)
        };
        let (begun, begins) = channel();
        let (leave, left) = channel::<()>();
        thread::scope(|scope| {
            let first = scope.spawn({
                let (store, question, ask) = (&store, &question, &ask);
                move || {
                    let gone = store.until(|| true);
                    ask(&|| {
                        begun.send(()).unwrap();
                        let _ = left.recv();
                        funnel(&gone, question)
                    })
                }
            });
            begins.recv().unwrap();
            let waiting = [(); 3].map(|()| {
                scope.spawn(|| {
                    ask(&|| {
                        asked.fetch_add(1, Ordering::Relaxed);
                        funnel(&store, &question)
                    })
                })
            });
            // Those who come after the first one has left are not waiting, but get the same.
            thread::sleep(Duration::from_millis(100));
            drop(leave);
            assert_eq!(first.join().unwrap().unwrap_err().code(), "cancelled");
            for waiting in waiting {
                waiting.join().unwrap().unwrap();
            }
        });
        assert!(asked.into_inner() >= 1);
    }

    #[test]
    fn a_question_asked_twice_is_answered_once_and_a_wrong_one_is_told_what_is_wrong_each_time() {
        let (store, answers) = (store(), Answers::new(1_000_000, Meters::new()));
        let who = Principal::owner();
        let times = Cell::new(0);
        let ask = |question: &Value| {
            answers.ask((&store, &who), "query/funnel", question, || {
                times.set(times.get() + 1);
                funnel(&store, question)
            })
        };
        let good: Value = serde_json::from_str(QUESTION).unwrap();
        ask(&good).unwrap();
        ask(&good).unwrap();
        assert_eq!(times.replace(0), 1);
        for _ in 0..2 {
            let wrong = ask(&json!({"steps": []})).unwrap_err();
            assert_eq!(wrong.code(), "validation_failed");
        }
        assert_eq!(times.get(), 2);
    }
}
