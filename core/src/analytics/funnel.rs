//! Funnels, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::error::Result;
use crate::funnel::{self, Funnel, FunnelAnswer};
use crate::query::Selector;
use crate::query::sample::nobody;

pub(super) const WORD: Word = Word {
    name: "funnel",
    ask: |a, who, question| json(&a.funnel_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = Funnel::parse(question, &a.default_funnel()?, a.now())?;
        let cell = funnel::Who::parse(cell, &asked)?;
        Ok((a.funnel_people(who, &asked, &cell)?, asked.as_of))
    }),
};

impl Analytics {
    /// How far the users of a range get through a series of steps.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the question; `forbidden` for a principal who may not read.
    pub fn funnel(&self, who: &Principal, question: &Funnel) -> Result<FunnelAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| funnel::answer(&question, view),
        )
    }

    /// `funnel` of a question in its JSON form, see [`Funnel::parse`].
    ///
    /// # Errors
    /// As `funnel`.
    pub fn funnel_json(&self, who: &Principal, question: &Value) -> Result<FunnelAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.funnel(
            who,
            &Funnel::parse(question, &self.default_funnel()?, self.now())?,
        )
    }

    /// The keys of the users behind a number of a funnel's answer, ascending: as many as the number says where users are counted.
    ///
    /// # Errors
    /// As `funnel`; `unknown_group` and `unknown_bucket` for what the answer does not have.
    pub fn funnel_people(
        &self,
        who: &Principal,
        question: &Funnel,
        cell: &funnel::Who,
    ) -> Result<Vec<u32>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        let mut faults = asked.faults(self.now());
        faults.extend(cell.faults(asked));
        faults.extend(nobody(asked.sample.as_ref()));
        refuse(faults)?;
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| funnel::people(&question, view, cell),
        )
    }

    pub(super) fn default_funnel(&self) -> Result<Vec<Selector>> {
        Ok(self.warehouse.catalogue()?.default_funnel)
    }
}
