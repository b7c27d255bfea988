//! Real-time figures, asked of the handle.

use serde_json::Value;

use super::anomaly::bucket;
use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::error::Result;
use crate::realtime::{self, Realtime, RealtimeMetric};

pub(super) const WORD: Word = Word {
    name: "realtime",
    ask: |a, who, question| json(&a.realtime_json(who, question)?),
    people: None,
};

impl Analytics {
    /// What is happening right now: six figures over the last minutes.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the question; `missing_rate` for revenue in a currency without a
    /// rate to the base currency; `forbidden` for a principal who may not read.
    pub fn realtime(&self, who: &Principal, question: &Realtime) -> Result<Vec<RealtimeMetric>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        self.stop().check()?;
        let now = self.now();
        let as_of = question.inner().as_of.unwrap_or(now);
        let catalogue = self.known_catalogue()?;
        let timelines = if self.warehouse.head()?.identified {
            Some(self.timelines()?)
        } else {
            None
        };
        // What is as usual now says nothing about the past.
        let said = (question.inner().as_of.is_none()).then(|| self.watched.said());
        let step = bucket(question.inner().time_range.seconds());
        realtime::answer(
            &question,
            &*self.warehouse,
            &realtime::Meanings {
                page_views: &catalogue.page_views,
                conversions: &catalogue.conversions,
                errors: &catalogue.errors,
                features: &catalogue.features,
                revenue: &catalogue.revenue.events,
                base_currency: &catalogue.base_currency,
            },
            (as_of, now),
            &self.windows,
            timelines.as_deref(),
            &|metric| said.as_ref()?.get(&(metric.name(), step)).cloned(),
        )
    }

    /// Takes what was stored since into the real-time figures held in memory, where any have been asked for: whoever serves many can do
    /// so every second, and nobody has to wait for it.
    ///
    /// # Errors
    /// Whatever reading the store raises.
    pub fn refresh_realtime(&self) -> Result<()> {
        self.windows.refresh(&*self.warehouse, self.now())
    }

    /// `realtime` of a question in its JSON form, see [`Realtime::parse`].
    ///
    /// # Errors
    /// As `realtime`.
    pub fn realtime_json(&self, who: &Principal, question: &Value) -> Result<Vec<RealtimeMetric>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.realtime(who, &Realtime::parse(question, self.now())?)
    }
}
