//! Models trained elsewhere, and what became of what was foretold.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::answer::text;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// Registers a model from the bytes of its file; gives it as JSON.
    #[napi]
    pub fn register_model(&self, body: String, file: Uint8Array) -> Promised<String> {
        let file = file.to_vec();
        self.ask(move |a, who| text(&a.register_model(who, &parse(&body)?, &file)?))
    }

    /// One page of the models, as JSON.
    #[napi]
    pub fn models(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.models(who, &parse(&asked)?)?))
    }

    /// A model, as JSON.
    #[napi]
    pub fn model(&self, model: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.model(who, &model)?))
    }

    /// Removes a version of a model.
    #[napi]
    pub fn delete_model(&self, model: String) -> Promised<()> {
        self.ask(move |a, who| a.delete_model(who, &model))
    }

    /// The names under which something foretold is kept, as JSON.
    #[napi]
    pub fn feedback_logs(&self) -> Promised<String> {
        self.ask(move |a, who| text(&a.feedback_logs(who)?))
    }

    /// Tells what came; how many values were new, as JSON.
    #[napi]
    pub fn add_actuals(&self, name: String, body: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.add_actuals(who, &name, &parse(&body)?)?))
    }

    /// Keeps predictions made elsewhere; gives the id of the run.
    #[napi]
    pub fn add_predictions(&self, name: String, body: String) -> Promised<String> {
        self.ask(move |a, who| a.add_predictions(who, &name, &parse(&body)?))
    }

    /// Forgets all that is kept under a name; how many runs it had, as JSON.
    #[napi]
    pub fn delete_feedback(&self, name: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.delete_feedback(who, &name)?))
    }
}
