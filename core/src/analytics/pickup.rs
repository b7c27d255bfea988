//! Bookings by the day of service, asked of the handle.

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::error::Result;
use crate::pickup::{self, Pickup, PickupAnswer};
use crate::query::Segment;
use crate::timeline::View;

pub(super) const WORD: Word = Word {
    name: "pickup",
    ask: |a, who, question| json(&a.pickup_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = Pickup::parse(question, &a.conversions()?, a.now())?;
        let cell = pickup::Cell::parse(cell)?;
        Ok((a.pickup_people(who, &asked, &cell)?, asked.as_of))
    }),
};

impl Analytics {
    /// How the bookings of a range of service dates came in: on the books, net of cancellations, by days before service.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the question; `forbidden` for a principal who may not read;
    /// `too_many_periods` for a range of more than 40,000 periods.
    pub fn pickup(&self, who: &Principal, question: &Pickup) -> Result<PickupAnswer> {
        self.booked(who, question, pickup::answer)
    }

    /// `pickup` of a question in its JSON form, see [`Pickup::parse`].
    ///
    /// # Errors
    /// As `pickup`.
    pub fn pickup_json(&self, who: &Principal, question: &Value) -> Result<PickupAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.pickup(
            who,
            &Pickup::parse(question, &self.conversions()?, self.now())?,
        )
    }

    /// The keys of the users behind a number of the answer, ascending: as many as its `users` say.
    ///
    /// # Errors
    /// As `pickup`; `not_found` for a period that the answer does not have.
    pub fn pickup_people(
        &self,
        who: &Principal,
        question: &Pickup,
        cell: &pickup::Cell,
    ) -> Result<Vec<u32>> {
        self.booked(who, question, |question, view| {
            pickup::people(question, view, cell)
        })
    }

    fn booked<T: Send>(
        &self,
        who: &Principal,
        question: &Pickup,
        answer: impl FnOnce(&access::Scoped<&Pickup>, &View<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        refuse(question.inner().faults(self.now()))?;
        let asked = *question.inner();
        self.over(
            asked.as_of,
            Segment::All,
            asked.range.span(),
            &asked.needs(),
            |view| answer(&question, view),
        )
    }

    fn conversions(&self) -> Result<Vec<String>> {
        Ok(self.warehouse.catalogue()?.conversions)
    }
}
