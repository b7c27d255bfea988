//! Batches of events, each answered.

use napi_derive::napi;

use crate::answer::text;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Takes a JSON array of events and answers each.
    #[napi]
    pub fn ingest(&self, events: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.ingest(who, &parse(&events)?)?))
    }
}
