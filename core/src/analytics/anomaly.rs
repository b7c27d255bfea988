//! What is not as usual, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::alert::Schedule;
use crate::anomaly::{
    self, Anomalies, AnomalyAnswer, Detection, DetectionAnswer, Finding, Metric, Settings,
};
use crate::error::{Error, Result};
use crate::events::Catalogue;
use crate::query::{Bound, Instant, Range, Span, Window};
use crate::warehouse::{Bucketed, Buckets};

pub(super) const WORD: Word = Word {
    name: "anomalies",
    ask: |a, who, question| json(&a.anomalies_json(who, question)?),
    people: None,
};

pub(super) const DETECT: Word = Word {
    name: "detect_anomalies",
    ask: |a, who, question| json(&a.detect_anomalies_json(who, question)?),
    people: None,
};

pub(super) const MINUTE: i64 = 60_000_000;

/// For how long after its end late events may still come into a bucket: until then it is not judged.
pub(super) const LATENESS: Window = Window::seconds(60);

/// How long the buckets are in which a window of so many seconds is judged, in microseconds.
pub(super) fn bucket(window: u32) -> i64 {
    match window {
        ..=300 => MINUTE,
        301..=900 => 5 * MINUTE,
        _ => 15 * MINUTE,
    }
}

/// Buckets from an instant on, so long and so many, by what a catalogue calls events.
pub(super) fn buckets_of(
    catalogue: &Catalogue,
    (from, step, count): (Instant, i64, usize),
    as_of: Instant,
) -> Buckets<'_> {
    Buckets {
        from,
        step,
        count,
        as_of,
        page_views: &catalogue.page_views,
        conversions: &catalogue.conversions,
        errors: &catalogue.errors,
    }
}

impl Analytics {
    /// What of a metric was not as it usually is: each finding with what was expected, what came, since when and how sure.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the question; `missing_rate` for revenue in a currency without a rate to the
    /// base currency; `forbidden` for a principal who may not read.
    pub fn anomalies(&self, who: &Principal, question: &Anomalies) -> Result<AnomalyAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        refuse(asked.faults(self.now()))?;
        let as_of = asked.as_of.unwrap_or_else(|| self.now());
        let span = asked.range.span();
        let head = self.warehouse.head()?;
        self.stop().check()?;
        let (metered, identities) = self.metered(asked, (span, as_of), head.first)?;
        self.stop().check()?;
        let late = asked.lateness.micros();
        let whence = (span.from, head.first);
        let weeks = anomaly::judge(asked.settings(), &metered.series, whence, (as_of, late));
        let versions = head.versions(identities);
        anomaly::answer(asked, (span, as_of), &metered, weeks, versions)
    }

    /// `anomalies` of a question in its JSON form, see [`Anomalies::parse`].
    ///
    /// # Errors
    /// As `anomalies`.
    pub fn anomalies_json(&self, who: &Principal, question: &Value) -> Result<AnomalyAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.anomalies(who, &Anomalies::parse(question, self.now())?)
    }

    /// What was not as usual in a table of series in its JSON form, see [`Detection::parse`]; nothing stored is looked at.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the table; `forbidden` for a principal who may not read.
    pub fn detect_anomalies_json(
        &self,
        who: &Principal,
        question: &Value,
    ) -> Result<DetectionAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let asked = Detection::parse(question)?;
        let made = self
            .pool
            .install(|| asked.detect_watched(&|share| self.goes_on(share)));
        made.map_err(|e| self.given_up(e))
    }

    /// The series of a metric, and the hash of who is who.
    fn metered(
        &self,
        asked: &Anomalies,
        (span, as_of): (Span, Instant),
        first: Option<i64>,
    ) -> Result<(anomaly::Metered, u64)> {
        let catalogue = self.warehouse.catalogue()?;
        let (from, count) = asked.buckets(span, first)?;
        let buckets = buckets_of(&catalogue, (from, asked.step, count), as_of);
        let money = asked.metric == Metric::RevenuePerMinute;
        let (counted, identities) = self.bucketed(&buckets, money)?;
        let zone = asked.range.zone.clone();
        let base = &catalogue.base_currency;
        let metered = anomaly::Metered::of(asked.metric, &buckets, &counted, base, zone)?;
        Ok((metered, identities))
    }

    /// What happened in buckets, with users as timelines know them, and the hash of who is who.
    pub(super) fn bucketed(&self, buckets: &Buckets<'_>, money: bool) -> Result<(Bucketed, u64)> {
        let mut counted = self.warehouse.bucketed(buckets, money)?;
        let mut identities = 0;
        if self.warehouse.head()?.identified {
            let timelines = self.timelines()?;
            anomaly::recount(&mut counted, &timelines, buckets)?;
            identities = timelines.identity().hash;
        }
        Ok((counted, identities))
    }

    /// What is not as usual of a metric in the last complete bucket before an instant: its finding, of an average bucket since it began.
    pub(super) fn unusual(
        &self,
        who: &Principal,
        (metric, range): (&str, &str),
        schedule: &Schedule,
        at: Instant,
    ) -> Result<Option<Finding>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let step = bucket(match range {
            "last_5_minutes" => 300,
            "last_15_minutes" => 900,
            _ => 3_600,
        });
        let known = Metric::ALL.iter().find(|(name, _)| *name == metric);
        let metric = known
            .ok_or_else(|| Error::internal("a metric is not known"))?
            .1;
        let usual = Settings::new(metric.measure(), step);
        let late = LATENESS.micros();
        // The last bucket that is complete begins within it.
        let span = Span {
            from: Instant::saturating_from_micros(at.micros() - late - 2 * step),
            to: at,
        };
        let asked = Anomalies {
            metric,
            range: Range {
                start: Bound::At(span.from),
                end: Bound::At(span.to),
                zone: schedule.zone().clone(),
            },
            step,
            alarms_a_week: usual.alarms_a_week,
            least_change: usual.least_change,
            least_volume: usual.least_volume,
            lateness: LATENESS,
            as_of: Some(at),
        };
        let first = self.warehouse.head()?.first;
        let (metered, _) = self.metered(&asked, (span, at), first)?;
        let whence = (span.from, first);
        let weeks = anomaly::judge(asked.settings(), &metered.series, whence, (at, late));
        Ok(weeks.open().cloned().map(|finding| metered.scaled(finding)))
    }
}
