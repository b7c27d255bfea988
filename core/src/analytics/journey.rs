//! Journeys, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::error::Result;
use crate::journey::{self, Journey, JourneyAnswer};

pub(super) const WORD: Word = Word {
    name: "journey",
    ask: |a, who, question| json(&a.journey_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = Journey::parse(question, a.now())?;
        let cell = journey::Who::parse(cell)?;
        Ok((a.journey_people(who, &asked, &cell)?, asked.as_of))
    }),
};

impl Analytics {
    /// Which ways users take through the events of a range.
    ///
    /// # Errors
    /// As `funnel`; `too_many_nodes` where names or values are too many to be nodes.
    pub fn journey(&self, who: &Principal, question: &Journey) -> Result<JourneyAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| journey::answer(&question, view),
        )
    }

    /// `journey` of a question in its JSON form, see [`Journey::parse`].
    ///
    /// # Errors
    /// As `journey`.
    pub fn journey_json(&self, who: &Principal, question: &Value) -> Result<JourneyAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.journey(who, &Journey::parse(question, self.now())?)
    }

    /// The keys of the users behind a number of a journey's answer, ascending: as many as the number says.
    ///
    /// # Errors
    /// As `journey`; `unknown_cell` for what the answer does not have.
    pub fn journey_people(
        &self,
        who: &Principal,
        question: &Journey,
        cell: &journey::Who,
    ) -> Result<Vec<u32>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        refuse(asked.faults(self.now()))?;
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| journey::people(&question, view, cell),
        )
    }
}
