//! Churn, customer value and next actions, asked of the handle.

use serde_json::Value as Json;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::churn::{self, Churn, ChurnAnswer, Likely, Named, Value, ValueAnswer};
use crate::error::{Error, FieldError, Result};
use crate::next_action::{self, NextAction, NextActionAnswer};
use crate::query::{Instant, Span, Window};
use crate::warehouse::Page;

pub(super) const CHURN: Word = Word {
    name: "churn",
    ask: |a, who, question| json(&a.churn_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = Churn::parse(question, a.now())?;
        let cell = churn::Cell::parse(cell)?;
        Ok((a.churn_people(who, &asked, &cell)?, asked.as_of))
    }),
};

pub(super) const VALUE: Word = Word {
    name: "value",
    ask: |a, who, question| json(&a.value_json(who, question)?),
    people: None,
};

pub(super) const NEXT_ACTION: Word = Word {
    name: "next_action",
    ask: |a, who, question| json(&a.next_action_json(who, question)?),
    people: None,
};

impl Analytics {
    /// Which users are about to go away, how sure that is, and why.
    ///
    /// # Errors
    /// `validation_failed` with all that is wrong with the question, `unknown_user` for ids that nobody has, `no_events` and
    /// `too_little_history` where there is nothing to learn from; `missing_rate` for amounts without a rate; `forbidden` for a principal who
    /// may not read, or who asks for users and may not see people.
    pub fn churn(&self, who: &Principal, question: &Churn) -> Result<ChurnAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        if asked.limit > 0 {
            access::grant(who, Permission::ReadPeople, ())?;
        }
        refuse(asked.faults(self.now()))?;
        let only = self.only(asked.users.as_deref())?;
        let as_of = asked.as_of.unwrap_or_else(|| self.now());
        let mut answer = self.over(
            Some(as_of),
            asked.segment,
            span(as_of, Window::days(asked.horizon_days)),
            &asked.needs(),
            |view| {
                churn::answer(&question, view, only.as_deref(), &|keys| {
                    self.named(keys, as_of)
                })
            },
        )?;
        if asked.next_actions > 0 && !answer.users.is_empty() {
            self.tell_next(who, asked, &mut answer, as_of)?;
        }
        Ok(answer)
    }

    /// Says what the users of an answer would do next, from what happened strictly before the instant; nobody knows who a device is.
    fn tell_next(
        &self,
        who: &Principal,
        asked: &Churn,
        answer: &mut ChurnAnswer,
        as_of: Instant,
    ) -> Result<()> {
        let known = answer.users.iter().filter(|risk| !risk.anonymous);
        let question = NextAction {
            users: known.map(|risk| risk.user_id.clone()).collect(),
            activity: asked.activity.clone(),
            top: asked.next_actions,
            as_of: Some(Instant::saturating_from_micros(as_of.micros() - 1)),
            ..NextAction::default()
        };
        let next = self.next_action(who, &question)?;
        let told = next.users.into_iter().map(|user| {
            let likely = user.next.into_iter().map(|next| Likely {
                event: next.event,
                probability: next.probability,
            });
            (user.user_id, likely.collect())
        });
        answer.tell_next(next.method, told.collect())
    }

    /// `churn` of a question in its JSON form, see [`Churn::parse`].
    ///
    /// # Errors
    /// As `churn`.
    pub fn churn_json(&self, who: &Principal, question: &Json) -> Result<ChurnAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.churn(who, &Churn::parse(question, self.now())?)
    }

    /// The keys, ascending, of the segment's users with a risk in a cell: as many as the summary's bins say.
    ///
    /// # Errors
    /// As `churn`.
    pub fn churn_people(
        &self,
        who: &Principal,
        question: &Churn,
        cell: &churn::Cell,
    ) -> Result<Vec<u32>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        refuse(asked.faults(self.now()))?;
        let as_of = asked.as_of.unwrap_or_else(|| self.now());
        self.over(
            Some(as_of),
            asked.segment,
            span(as_of, Window::days(asked.horizon_days)),
            &asked.needs(),
            |view| churn::people(&question, view, cell),
        )
    }

    /// What customers will be worth: how often they are expected to buy, and for how much.
    ///
    /// # Errors
    /// As `churn`, but `too_few_repeats` where nobody bought twice.
    pub fn value(&self, who: &Principal, question: &Value) -> Result<ValueAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        if asked.limit > 0 {
            access::grant(who, Permission::ReadPeople, ())?;
        }
        refuse(asked.faults(self.now()))?;
        let only = self.only(asked.users.as_deref())?;
        let currency = self.warehouse.catalogue()?.base_currency;
        let as_of = asked.as_of.unwrap_or_else(|| self.now());
        self.over(
            Some(as_of),
            asked.segment,
            span(as_of, Window::days(asked.horizon_days)),
            &asked.needs(),
            |view| {
                let named = |keys: &[u32]| self.named(keys, as_of);
                churn::worth(&question, view, only.as_deref(), &currency, &named)
            },
        )
    }

    /// `value` of a question in its JSON form, see [`Value::parse`].
    ///
    /// # Errors
    /// As `value`.
    pub fn value_json(&self, who: &Principal, question: &Json) -> Result<ValueAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let purchases = self.warehouse.catalogue()?.revenue.events;
        self.value(who, &Value::parse(question, &purchases, self.now())?)
    }

    /// What users will do next.
    ///
    /// # Errors
    /// As `churn`, but history is never too short where there is any.
    pub fn next_action(&self, who: &Principal, question: &NextAction) -> Result<NextActionAnswer> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let asked = *question.inner();
        if !asked.users.is_empty() {
            access::grant(who, Permission::ReadPeople, ())?;
        }
        refuse(asked.faults(self.now()))?;
        let users = self.only(Some(&asked.users))?.unwrap_or_default();
        let as_of = asked.as_of.unwrap_or_else(|| self.now());
        self.over(
            Some(as_of),
            asked.segment,
            span(as_of, next_action::SPAN),
            &asked.needs(),
            |view| next_action::answer(&question, view, &users),
        )
    }

    /// `next_action` of a question in its JSON form, see [`NextAction::parse`].
    ///
    /// # Errors
    /// As `next_action`.
    pub fn next_action_json(&self, who: &Principal, question: &Json) -> Result<NextActionAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.next_action(who, &NextAction::parse(question, self.now())?)
    }

    /// The keys of the users of these ids, in their order.
    pub(super) fn only(&self, ids: Option<&[String]>) -> Result<Option<Vec<u32>>> {
        let Some(ids) = ids.filter(|ids| !ids.is_empty()) else {
            return Ok(ids.map(|_| Vec::new()));
        };
        let texts: Vec<&str> = ids.iter().map(String::as_str).collect();
        let known = self.warehouse.user_keys(&texts)?;
        let timelines = self.timelines()?;
        let mut faults = Vec::new();
        let mut keys = Vec::with_capacity(ids.len());
        for (i, id) in ids.iter().enumerate() {
            match known.get(id) {
                Some(key) => keys.push(timelines.identity().canonical(*key)),
                None => faults.push(FieldError {
                    field: format!("users[{i}]"),
                    code: "unknown_user",
                    message: "is the id of no known user".to_owned(),
                }),
            }
        }
        if faults.is_empty() {
            Ok(Some(keys))
        } else {
            Err(Error::fields(faults))
        }
    }

    pub(super) fn named(&self, keys: &[u32], as_of: Instant) -> Result<Vec<Named>> {
        let page = Page {
            limit: keys.len(),
            offset: 0,
        };
        let people = self.warehouse.people(keys, &[], &page, as_of)?;
        let named = people.into_iter().map(|person| Named {
            user: person.user,
            id: person.id,
            anonymous: person.anonymous,
        });
        Ok(named.collect())
    }
}

/// So many days before an instant.
pub(super) fn back(as_of: Instant, days: u32) -> Span {
    span(as_of, Window::days(days))
}

/// So long before an instant.
fn span(as_of: Instant, length: Window) -> Span {
    Span {
        from: Instant::saturating_from_micros(as_of.micros() - length.micros()),
        to: as_of,
    }
}
