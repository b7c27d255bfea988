//! How many requests each principal may send: a bucket of tokens each, so that one who asks too much does not slow the others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The buckets of all who asked lately.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Requests a second, and as many at once as two seconds bring.
    per_second: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// From so many buckets on, those that are full again are forgotten.
const MANY: usize = 10_000;

impl Rate {
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            per_second: f64::from(per_second.max(1)),
            buckets: Mutex::default(),
        }
    }

    /// Counts a request, or tells how long to wait before the next.
    pub(crate) fn take(&self, who: &str, now: Instant) -> Result<(), Duration> {
        let most = self.per_second * 2.0;
        let filled = |bucket: &Bucket| {
            let since = now.saturating_duration_since(bucket.at).as_secs_f64();
            (bucket.tokens + since * self.per_second).min(most)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MANY && !buckets.contains_key(who) {
            buckets.retain(|_, bucket| filled(bucket) < most);
        }
        let tokens = buckets.get(who).map_or(most, filled);
        let wait = 1.0 - tokens;
        let tokens = if wait > 0.0 { tokens } else { tokens - 1.0 };
        buckets.insert(who.to_owned(), Bucket { tokens, at: now });
        if wait > 0.0 {
            return Err(Duration::from_secs_f64(wait / self.per_second));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_so_many_requests_a_second_and_no_more() {
        let (rate, start) = (Rate::new(5), Instant::now());
        let take = |who, millis| rate.take(who, start + Duration::from_millis(millis));
        for _ in 0..10 {
            take("a", 0).unwrap();
        }
        let wait = take("a", 0).unwrap_err();
        assert_eq!(wait, Duration::from_millis(200));
        take("b", 0).unwrap();
        take("a", 200).unwrap();
        take("a", 200).unwrap_err();
        let all = (0..20).filter(|_| take("a", 60_200).is_ok()).count();
        assert_eq!(all, 10, "a pause is not saved up for ever");
    }

    #[test]
    fn who_asks_no_more_is_forgotten() {
        let (rate, start) = (Rate::new(5), Instant::now());
        for n in 0..MANY {
            rate.take(&n.to_string(), start).unwrap();
        }
        let later = start + Duration::from_secs(1);
        rate.take("new", later).unwrap();
        assert_eq!(rate.buckets.lock().unwrap().len(), 1);
    }
}
