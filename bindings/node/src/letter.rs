//! Notifications that the program around the store delivers by itself.

use napi_derive::napi;
use travelsense::analytics::{Attempt, due};
use travelsense::metadata::Letter as Kept;

use crate::answer::text;
use crate::store::Store;
use crate::work::Promised;

/// A notification that is due.
#[napi]
pub(crate) struct Letter(Kept);

#[napi]
impl Letter {
    /// What is told, where and for which time, as JSON.
    #[napi(getter)]
    pub fn text(&self) -> napi::Result<String> {
        due(&self.0)
            .and_then(|told| text(&told))
            .map_err(crate::error::to_js)
    }
}

#[napi]
impl Store {
    /// Takes notifications that are due, at most so many; they are one's own for two minutes.
    #[napi]
    pub fn take_notifications(&self, limit: u32) -> Promised<Vec<Letter>> {
        self.ask(move |a, who| {
            let due = a.take_notifications(who, limit as usize)?;
            Ok(due.into_iter().map(Letter).collect())
        })
    }

    /// Keeps how an attempt to deliver one went: delivered without a reason why not, and never to be tried again with `lost`.
    #[napi]
    pub fn attempted(&self, letter: &Letter, why_not: Option<String>, lost: bool) -> Promised<()> {
        let letter = letter.0.clone();
        let attempt = match why_not {
            None => Attempt::Delivered,
            Some(why) if lost => Attempt::Refused(why),
            Some(why) => Attempt::Failed(why),
        };
        self.ask(move |a, who| a.attempted(who, &letter, &attempt))
    }
}
