//! Answers that are kept for a moment: the same question over the same data by somebody with the same rights is computed once, also
//! where many ask at the same time.

use std::cell::Cell;
use std::sync::Arc;
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
        let found = kept.try_get_with(key, || {
            computed.set(true);
            compute()
        });
        self.meters.asked(!computed.get(), kept.weighted_size());
        match found.map_err(Arc::try_unwrap) {
            Ok(answer) => Ok(answer),
            Err(Ok(error)) => Err(error),
            // Somebody else's question failed, maybe because nobody waited for it any more.
            Err(Err(_)) => compute(),
        }
    }
}
