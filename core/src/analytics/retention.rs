//! Retention, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::error::Result;
use crate::query::sample::nobody;
use crate::retention::{self, Retention, RetentionAnswer};

pub(super) const WORD: Word = Word {
    name: "retention",
    ask: |a, who, question| json(&a.retention_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = Retention::parse(question, a.now())?;
        let cell = retention::Place::parse(cell)?;
        Ok((a.retention_people(who, &asked, &cell)?, asked.as_of))
    }),
};

impl Analytics {
    /// Who comes back, by the period in which they started.
    ///
    /// # Errors
    /// As `funnel`; `too_many_periods` or `too_many_cells` for a table that would be too large.
    pub fn retention(&self, who: &Principal, question: &Retention) -> Result<RetentionAnswer> {
        let asked = self.with_features(who, question)?;
        let question = access::grant(who, Permission::ReadAnalytics, &asked)?;
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| retention::answer(&question, view),
        )
    }

    /// `retention` of a question in its JSON form, see [`Retention::parse`].
    ///
    /// # Errors
    /// As `retention`.
    pub fn retention_json(&self, who: &Principal, question: &Value) -> Result<RetentionAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.retention(who, &Retention::parse(question, self.now())?)
    }

    /// The keys of the users that a cell of a retention table counts, ascending.
    ///
    /// # Errors
    /// As `retention`; `not_found` for a cell that the table does not have.
    pub fn retention_people(
        &self,
        who: &Principal,
        question: &Retention,
        cell: &retention::Place,
    ) -> Result<Vec<u32>> {
        let asked = self.with_features(who, question)?;
        refuse(nobody(asked.sample.as_ref()).into_iter().collect())?;
        let question = access::grant(who, Permission::ReadAnalytics, &asked)?;
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| retention::people(&question, view, cell),
        )
    }

    /// A valid retention question that knows the catalogue's features.
    pub(super) fn with_features(&self, who: &Principal, question: &Retention) -> Result<Retention> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let mut asked = (*question.inner()).clone();
        if asked.metric == retention::Metric::FeatureUsage {
            asked.features = self.warehouse.catalogue()?.features;
        }
        Ok(asked)
    }
}
