//! Which events mean what.

use napi_derive::napi;
use travelsense::events::Catalogue;

use crate::answer::text;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// The catalogue as JSON.
    #[napi]
    pub fn catalogue(&self) -> Promised<String> {
        self.ask(|a, who| text(&a.catalogue(who)?))
    }

    /// Replaces the catalogue by one given as JSON.
    #[napi]
    pub fn set_catalogue(&self, catalogue: String) -> Promised<()> {
        self.ask(move |a, who| a.set_catalogue(who, &Catalogue::parse(&parse(&catalogue)?)?))
    }
}
