//! Drop-off points and comparisons of funnels, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::error::Result;
use crate::funnel::{self, Compare, ComparedCell, Comparison, DropOff, DropOffAnswer, DropOffWho};

pub(super) const DROP_OFF: Word = Word {
    name: "drop_off",
    ask: |a, who, question| json(&a.drop_off_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = DropOff::parse(question, &a.default_funnel()?, a.now())?;
        let cell = DropOffWho::parse(cell, &asked)?;
        Ok((a.drop_off_people(who, &asked, &cell)?, asked.funnel.as_of))
    }),
};

pub(super) const COMPARE: Word = Word {
    name: "compare",
    ask: |a, who, question| json(&a.compare_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = Compare::parse(question, &a.default_funnel()?, a.now())?;
        let cell = ComparedCell::parse(cell, &asked)?;
        Ok((a.compared_people(who, &asked, &cell)?, asked.funnel.as_of))
    }),
};

impl Analytics {
    /// Where the units of a funnel stop, what they do next, and what separates them from those who go on.
    ///
    /// # Errors
    /// As `funnel`.
    pub fn drop_off(&self, who: &Principal, question: &DropOff) -> Result<DropOffAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        refuse(asked.faults(self.now()))?;
        let funnel = &asked.funnel;
        self.over(
            funnel.as_of,
            funnel.segment,
            funnel.range.span(),
            &asked.needs(),
            |view| funnel::drop_off(&question, view),
        )
    }

    /// `drop_off` of a question in its JSON form, see [`DropOff::parse`].
    ///
    /// # Errors
    /// As `drop_off`.
    pub fn drop_off_json(&self, who: &Principal, question: &Value) -> Result<DropOffAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.drop_off(
            who,
            &DropOff::parse(question, &self.default_funnel()?, self.now())?,
        )
    }

    /// The keys of the users behind a number about drop-off points, ascending.
    ///
    /// # Errors
    /// As `drop_off`.
    pub fn drop_off_people(
        &self,
        who: &Principal,
        question: &DropOff,
        cell: &DropOffWho,
    ) -> Result<Vec<u32>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        let mut faults = asked.faults(self.now());
        faults.extend(cell.faults(asked));
        refuse(faults)?;
        let funnel = &asked.funnel;
        self.over(
            funnel.as_of,
            funnel.segment,
            funnel.range.span(),
            &asked.needs(),
            |view| funnel::drop_off_people(&question, view, cell),
        )
    }

    /// Which groups of a funnel differ, each against the rest.
    ///
    /// # Errors
    /// As `funnel`.
    pub fn compare(&self, who: &Principal, question: &Compare) -> Result<Comparison> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        refuse(asked.faults(self.now()))?;
        self.over(
            asked.funnel.as_of,
            asked.by_plan(),
            asked.funnel.range.span(),
            &asked.needs(),
            |view| funnel::compare(&question, view),
        )
    }

    /// `compare` of a question in its JSON form, see [`Compare::parse`].
    ///
    /// # Errors
    /// As `compare`.
    pub fn compare_json(&self, who: &Principal, question: &Value) -> Result<Comparison> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.compare(
            who,
            &Compare::parse(question, &self.default_funnel()?, self.now())?,
        )
    }

    /// The keys of the users behind a number of a comparison, ascending.
    ///
    /// # Errors
    /// As `compare`; `unknown_group` for a group that the answer does not have.
    pub fn compared_people(
        &self,
        who: &Principal,
        question: &Compare,
        cell: &ComparedCell,
    ) -> Result<Vec<u32>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        let mut faults = asked.faults(self.now());
        faults.extend(cell.faults(asked));
        refuse(faults)?;
        self.over(
            asked.funnel.as_of,
            asked.by_plan(),
            asked.funnel.range.span(),
            &asked.needs(),
            |view| funnel::compared_people(&question, view, cell),
        )
    }
}
