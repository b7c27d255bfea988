//! Which events mean what.

use napi_derive::napi;
use travelsense::Principal;
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
        self.ask(|a| text(&a.catalogue(&Principal::owner())?))
    }

    /// Replaces the catalogue by one given as JSON.
    #[napi]
    pub fn set_catalogue(&self, catalogue: String) -> Promised<()> {
        self.ask(move |a| {
            a.set_catalogue(&Principal::owner(), &Catalogue::parse(&parse(&catalogue)?)?)
        })
    }
}
