//! The words that can be asked by name, and the people behind their numbers.

use serde_json::Value;

use super::{
    Analytics, adoption, anomaly, churn, dropoff, engagement, explain, feedback, funnel, insight,
    journey, model, pickup, predictive, realtime, retention,
};
use crate::access::{self, Permission, Principal};
use crate::error::{Error, ErrorKind, Result};
use crate::people::profile::{self, Asked, Profile};
use crate::people::{self, People, PeopleAnswer};
use crate::query::Instant;
use crate::timeline::View;
use crate::warehouse::person;

/// A word: what it is called and how its questions are answered.
pub(super) struct Word {
    pub(super) name: &'static str,
    /// The JSON answer to a question in its JSON form.
    pub(super) ask: fn(&Analytics, &Principal, &Value) -> Result<String>,
    /// The keys, ascending, of the users behind a cell of the answer to a question, and what the question is as of.
    pub(super) people: Option<Keys>,
}

pub(super) type Keys =
    fn(&Analytics, &Principal, &Value, &Value) -> Result<(Vec<u32>, Option<Instant>)>;

const WORDS: [Word; 21] = [
    funnel::WORD,
    dropoff::DROP_OFF,
    dropoff::COMPARE,
    retention::WORD,
    journey::WORD,
    engagement::WORD,
    adoption::WORD,
    realtime::WORD,
    pickup::WORD,
    anomaly::WORD,
    anomaly::DETECT,
    insight::WORD,
    explain::WORD,
    churn::CHURN,
    churn::VALUE,
    churn::NEXT_ACTION,
    predictive::WORD,
    predictive::FORECAST,
    predictive::BACKTEST,
    model::WORD,
    feedback::WORD,
];

/// The names of all words that can be asked.
pub fn words() -> [&'static str; WORDS.len()] {
    WORDS.map(|word| word.name)
}

impl Analytics {
    /// The answer of any word to a question in its JSON form, as JSON; see the words' `…_json`.
    ///
    /// # Errors
    /// As the word's; `not_in_list` for another word.
    pub fn ask(&self, who: &Principal, word: &str, question: &Value) -> Result<String> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let known = WORDS.iter().find(|w| w.name == word);
        let word = known.ok_or_else(|| unknown(word, WORDS.iter()))?;
        (word.ask)(self, who, question)
    }

    /// The users behind a number: a word, its question and the cell of its answer, see [`People::parse`]. Their count is the
    /// number, always.
    ///
    /// # Errors
    /// As the word's; `validation_failed` for a cell that the answer does not have; `forbidden` for a principal who may not
    /// see people.
    pub fn people(&self, who: &Principal, request: &Value) -> Result<PeopleAnswer> {
        let request = access::grant(who, Permission::ReadPeople, request)?;
        let people = People::parse(request.inner())?;
        let counting = || WORDS.iter().filter_map(|w| Some((w, w.people?)));
        let (_, keys) = counting()
            .find(|(w, _)| w.name == people.word)
            .ok_or_else(|| unknown(&people.word, counting().map(|(w, _)| w)))?;
        let (keys, as_of) = keys(self, who, &people.question, &people.cell)?;
        let timelines = self.timelines()?;
        let view = View::new(&timelines, as_of.unwrap_or_else(|| self.now()));
        people::answer(&keys, &people, &view, &*self.warehouse)
    }

    /// One person with their events, the latest first: who it is that an id belongs to, and what they did; see
    /// [`Asked::parse`].
    ///
    /// # Errors
    /// `not_found` for an id that nobody has; `validation_failed` with every field error at once; `forbidden` for a principal
    /// who may not see people.
    pub fn profile(&self, who: &Principal, id: &str, asked: &Value) -> Result<Profile> {
        let id = *access::grant(who, Permission::ReadPeople, id)?.inner();
        let asked = Asked::parse(asked, self.now())?;
        let Some(key) = person::key(&*self.warehouse, id, asked.anonymous)? else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "not_found",
                format!("there is nobody with the id `{id}`"),
            ));
        };
        let timelines = self.timelines()?;
        let view = View::new(&timelines, asked.as_of.unwrap_or_else(|| self.now()));
        profile::profile(key, &asked, &view, &*self.warehouse)
    }
}

fn unknown<'a>(word: &str, known: impl Iterator<Item = &'a Word>) -> Error {
    let names: Vec<&str> = known.map(|w| w.name).collect();
    Error::field(
        "word",
        "not_in_list",
        format!("`{word}` is not one of {}", names.join(", ")),
    )
}
