//! Feature adoption, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::adoption::{self, Adoption, AdoptionAnswer};
use crate::error::Result;

pub(super) const WORD: Word = Word {
    name: "adoption",
    ask: |a, who, question| json(&a.adoption_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = Adoption::parse(question, &a.features()?, a.now())?;
        let cell = adoption::Cell::parse(cell)?;
        Ok((a.adoption_people(who, &asked, &cell)?, asked.as_of))
    }),
};

impl Analytics {
    /// Which features the users of a range take up, how soon and how many of them.
    ///
    /// # Errors
    /// As `funnel`; `too_many_periods` for a range of more than 40,000 periods.
    pub fn adoption(&self, who: &Principal, question: &Adoption) -> Result<AdoptionAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| adoption::answer(&question, view),
        )
    }

    /// `adoption` of a question in its JSON form, see [`Adoption::parse`].
    ///
    /// # Errors
    /// As `adoption`.
    pub fn adoption_json(&self, who: &Principal, question: &Value) -> Result<AdoptionAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.adoption(
            who,
            &Adoption::parse(question, &self.features()?, self.now())?,
        )
    }

    /// The keys of the users behind a number of the answer, ascending: as many as the number says.
    ///
    /// # Errors
    /// As `adoption`; `not_found` for a cell that the answer does not have.
    pub fn adoption_people(
        &self,
        who: &Principal,
        question: &Adoption,
        cell: &adoption::Cell,
    ) -> Result<Vec<u32>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| adoption::people(&question, view, cell),
        )
    }

    /// The catalogue's features.
    pub(super) fn features(&self) -> Result<Vec<String>> {
        Ok(self.warehouse.catalogue()?.features)
    }
}
