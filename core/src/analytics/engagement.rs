//! Engagement, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::engagement::{self, Engagement, EngagementAnswer};
use crate::error::Result;

pub(super) const WORD: Word = Word {
    name: "engagement",
    ask: |a, who, question| json(&a.engagement_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = Engagement::parse(question, a.now())?;
        let cell = engagement::Cell::parse(cell)?;
        Ok((a.engagement_people(who, &asked, &cell)?, asked.as_of))
    }),
};

impl Analytics {
    /// How often the users of a range are active: active users, stickiness, lifecycle, sessions, heat map.
    ///
    /// # Errors
    /// As `funnel`; `too_many_periods` for a range of more than 40,000 days.
    pub fn engagement(&self, who: &Principal, question: &Engagement) -> Result<EngagementAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| engagement::answer(&question, view),
        )
    }

    /// `engagement` of a question in its JSON form, see [`Engagement::parse`].
    ///
    /// # Errors
    /// As `engagement`.
    pub fn engagement_json(&self, who: &Principal, question: &Value) -> Result<EngagementAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.engagement(who, &Engagement::parse(question, self.now())?)
    }

    /// The keys of the users behind a number of the answer, ascending: as many as the number says.
    ///
    /// # Errors
    /// As `engagement`; `not_found` for a cell that the answer does not have.
    pub fn engagement_people(
        &self,
        who: &Principal,
        question: &Engagement,
        cell: &engagement::Cell,
    ) -> Result<Vec<u32>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        self.over(
            asked.as_of,
            asked.segment,
            asked.range.span(),
            &asked.needs(),
            |view| engagement::people(&question, view, cell),
        )
    }
}
