//! Alerts and notifications.

use napi_derive::napi;

use crate::answer::text;
use crate::error::parse;
use crate::store::Store;
use crate::work::Promised;

#[napi]
impl Store {
    /// One page of the alert rules, as JSON.
    #[napi]
    pub fn alerts(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.alerts(who, &parse(&asked)?)?))
    }

    /// Makes an alert rule; gives it as JSON.
    #[napi]
    pub fn create_alert(&self, body: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.create_alert(who, &parse(&body)?)?))
    }

    /// An alert rule and where it stands, as JSON.
    #[napi]
    pub fn alert(&self, id: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.alert(who, &id)?))
    }

    /// Changes an alert rule; gives it as JSON.
    #[napi]
    pub fn update_alert(
        &self,
        id: String,
        body: String,
        revision: Option<i64>,
    ) -> Promised<String> {
        self.ask(move |a, who| text(&a.update_alert(who, &id, &parse(&body)?, revision)?))
    }

    /// Removes an alert rule.
    #[napi]
    pub fn delete_alert(&self, id: String, revision: Option<i64>) -> Promised<()> {
        self.ask(move |a, who| a.delete_alert(who, &id, revision))
    }

    /// Tells nobody of an alert rule for a while; gives it as JSON.
    #[napi]
    pub fn silence_alert(&self, id: String, body: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.silence_alert(who, &id, &parse(&body)?)?))
    }

    /// Sends a test to all places that an alert rule tells; gives what was read, as JSON.
    #[napi]
    pub fn test_alert(&self, id: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.test_alert(who, &id)?))
    }

    /// What became of an alert rule, as JSON.
    #[napi]
    pub fn alert_history(&self, id: String, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.alert_history(who, &id, &parse(&asked)?)?))
    }

    /// Evaluates the alert rules that are due; gives what it came to, as JSON.
    #[napi]
    pub fn evaluate_alerts(&self) -> Promised<String> {
        self.ask(|a, who| text(&a.evaluate_alerts(who)?))
    }

    /// What became of all alert rules, as JSON.
    #[napi]
    pub fn alert_news(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.alert_news_json(who, &parse(&asked)?)?))
    }

    /// One page of one's notifications, as JSON.
    #[napi]
    pub fn notifications(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.notifications(who, &parse(&asked)?)?))
    }

    /// Marks a notification as read.
    #[napi]
    pub fn read_notification(&self, id: String) -> Promised<()> {
        self.ask(move |a, who| a.read_notification(who, &id))
    }

    /// One page of the notifications on their way out, as JSON.
    #[napi]
    pub fn deliveries(&self, asked: String) -> Promised<String> {
        self.ask(move |a, who| text(&a.deliveries(who, &parse(&asked)?)?))
    }

    /// Puts a notification that was given up on its way again.
    #[napi]
    pub fn retry_delivery(&self, id: String) -> Promised<()> {
        self.ask(move |a, who| a.retry_delivery(who, &id))
    }
}
