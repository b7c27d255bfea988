//! Dashboards and the record of who did what.

use napi_derive::napi;

use crate::answer::text;
use crate::error::parse;
use crate::patience::{Hear, Patience, Stop};
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// One page of the dashboards that can be seen, as JSON.
    #[napi]
    pub fn dashboards(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.dashboards(who, &parse(&asked)?)?))
    }

    /// Makes a dashboard, once for a key; gives it as JSON.
    #[napi]
    pub fn create_dashboard(&self, body: String, key: Option<String>) -> Promised<String> {
        self.ask(move |a, who| {
            text(&a.create_dashboard_once(who, &parse(&body)?, key.as_deref())?)
        })
    }

    /// Makes a dashboard of a template; gives it as JSON.
    #[napi]
    pub fn create_dashboard_from(&self, template: String, body: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.create_dashboard_from(who, &template, &parse(&body)?)?))
    }

    /// The templates, as JSON.
    #[napi]
    pub fn dashboard_templates(&self) -> Promised<String> {
        self.ask(|a, who| text(&a.dashboard_templates(who)?))
    }

    /// A dashboard, as JSON.
    #[napi]
    pub fn dashboard(&self, id: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.dashboard(who, &id)?))
    }

    /// Changes a dashboard; gives it as JSON.
    #[napi]
    pub fn update_dashboard(
        &self,
        id: String,
        body: String,
        revision: Option<i64>,
    ) -> Promised<String> {
        self.ask(move |a, who| text(&a.update_dashboard(who, &id, &parse(&body)?, revision)?))
    }

    /// Removes a dashboard.
    #[napi]
    pub fn delete_dashboard(&self, id: String, revision: Option<i64>) -> Promised<()> {
        self.ask(move |a, who| a.delete_dashboard(who, &id, revision))
    }

    /// A dashboard's widgets with their data, as JSON.
    #[napi]
    pub fn dashboard_data(
        &self,
        id: String,
        asked: String,
        limit: String,
        stop: &Stop,
        hear: Option<Hear>,
    ) -> Promised<String> {
        let patience = Patience::new(limit, stop, hear);
        self.patiently(patience, move |a, who| {
            text(&a.dashboard_data(who, &id, &parse(&asked)?)?)
        })
    }

    /// With whom a dashboard is shared, as JSON.
    #[napi]
    pub fn dashboard_sharing(&self, id: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.dashboard_sharing(who, &id)?))
    }

    /// Shares a dashboard; gives with whom, as JSON.
    #[napi]
    pub fn share_dashboard(&self, id: String, sharing: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.share_dashboard(who, &id, &parse(&sharing)?)?))
    }

    /// One page of the record, as JSON.
    #[napi]
    pub fn audit(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.audit(who, &parse(&asked)?)?))
    }

    /// Whether the record is whole, as JSON.
    #[napi]
    pub fn verify_audit(
        &self,
        asked: String,
        limit: String,
        stop: &Stop,
        hear: Option<Hear>,
    ) -> Promised<String> {
        let patience = Patience::new(limit, stop, hear);
        self.patiently(patience, move |a, who| {
            text(&a.verify_audit_json(who, &parse(&asked)?)?)
        })
    }

    /// Where the record ends now, as JSON.
    #[napi]
    pub fn audit_anchor(&self) -> Promised<String> {
        self.ask(|a, who| text(&a.audit_anchor(who)?))
    }
}
