//! Why two questions differ, asked of the handle.

use serde_json::{Value, json};

use super::word::{Keys, Word};
use super::{Analytics, funnel, json as text, retention};
use crate::access::{self, Permission, Principal};
use crate::error::{Error, Result};
use crate::explain::{self, Counted, DifferenceCell, ExplainDifference, Explanation, Rule};
use crate::funnel::Funnel;
use crate::retention::Retention;
use crate::timeline::View;

pub(super) const WORD: Word = Word {
    name: "explain_difference",
    ask: |a, who, question| text(&a.explain_difference_json(who, question)?),
    people: Some(|a, who, question, cell| {
        let asked = ExplainDifference::parse(question)?;
        let cell = DifferenceCell::parse(cell)?;
        Ok((a.difference_people(who, &asked, &cell)?, None))
    }),
};

/// A word whose questions can be compared.
struct Explained {
    word: Word,
    rules: &'static [Rule],
    /// The question with its preset spelled out.
    spelled: fn(&Analytics, &Value) -> Result<Value>,
    /// Whether two questions mean the same.
    same: fn(&Analytics, &Value, &Value) -> Result<bool>,
    /// The numbers of an answer that tell a difference.
    numbers: fn(&Value) -> Value,
    /// The number whose users are compared where nothing else is said.
    cell: Option<fn() -> Value>,
}

static EXPLAINED: [Explained; 2] = [
    Explained {
        word: funnel::WORD,
        rules: &explain::FUNNEL,
        spelled: |a, question| Funnel::spelled(question, &a.default_funnel()?, a.now()),
        same: |a, one, other| {
            let steps = a.default_funnel()?;
            let read = |question: &Value| Funnel::parse(question, &steps, a.now());
            Ok(read(one)? == read(other)?)
        },
        numbers: |answer| {
            let steps = answer["steps"].as_array();
            let counts: Vec<&Value> = steps.into_iter().flatten().map(|s| &s["count"]).collect();
            json!({
                "entered": answer["entered"],
                "converted": answer["converted"],
                "open": answer["open"],
                "rate": answer["rate"],
                "matured": answer["matured"],
                "counts": counts,
                "timeToConvert": answer["timeToConvert"],
            })
        },
        cell: Some(|| json!({"cell": "converted"})),
    },
    Explained {
        word: retention::WORD,
        rules: &explain::RETENTION,
        spelled: |_, question| Ok(question.clone()),
        same: |a, one, other| {
            let read = |question: &Value| Retention::parse(question, a.now());
            Ok(read(one)? == read(other)?)
        },
        numbers: |answer| {
            let cohorts = answer["cohorts"].as_array();
            let sizes = cohorts.into_iter().flatten();
            let sizes = sizes.map(|c| json!({"period": c["period"], "size": c["size"]}));
            json!({"cohorts": sizes.collect::<Vec<_>>(), "average": answer["average"]})
        },
        cell: None,
    },
];

/// Two questions made ready to be compared.
struct Pair {
    explained: &'static Explained,
    people: Keys,
    a: Value,
    b: Value,
    cell: Value,
}

impl Analytics {
    /// Which switches make two questions of one word differ, what each does alone, and the users that differ (G4).
    ///
    /// # Errors
    /// As the word's, with `a.` or `b.` before the fields; `not_in_list` for a word whose questions cannot be compared.
    pub fn explain_difference(
        &self,
        who: &Principal,
        question: &ExplainDifference,
    ) -> Result<Explanation> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let pair = self.pair(question.inner())?;
        let timelines = self.timelines()?;
        let versions = View::new(&timelines, self.now()).versions();
        explain::explain(
            pair.explained.rules,
            (&pair.a, &pair.b),
            (pair.explained.word.name, &pair.cell),
            &|question| self.counted(who, &pair, question),
            &|one, other| (pair.explained.same)(self, one, other).unwrap_or_default(),
            versions,
        )
    }

    /// `explain_difference` of a question in its JSON form, see [`ExplainDifference::parse`].
    ///
    /// # Errors
    /// As `explain_difference`.
    pub fn explain_difference_json(
        &self,
        who: &Principal,
        question: &Value,
    ) -> Result<Explanation> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.explain_difference(who, &ExplainDifference::parse(question)?)
    }

    /// The keys of the users that differ, ascending.
    ///
    /// # Errors
    /// As `explain_difference`, and as the word's where the switch cannot be changed alone; `not_in_list` for a field that
    /// is no switch.
    pub fn difference_people(
        &self,
        who: &Principal,
        question: &ExplainDifference,
        cell: &DifferenceCell,
    ) -> Result<Vec<u32>> {
        let question = access::grant(who, Permission::ReadAnalytics, question)?;
        let pair = self.pair(question.inner())?;
        let other = match &cell.switch {
            None => pair.b.clone(),
            Some(switch) => {
                let rules = pair.explained.rules.iter();
                if !rules.clone().any(|r| r.field == switch) {
                    let known: Vec<&str> = rules.map(|r| r.field).collect();
                    let known = known.join(", ");
                    let message = format!("`{switch}` is not one of {known}");
                    return Err(Error::field("switch", "not_in_list", message));
                }
                explain::changed(&pair.a, &pair.b, switch)
            }
        };
        let users = |question: &Value| (pair.people)(self, who, question, &pair.cell);
        Ok(cell.of(&users(&pair.a)?.0, &users(&other)?.0))
    }

    /// Both questions spelled out, as of one instant.
    fn pair(&self, asked: &ExplainDifference) -> Result<Pair> {
        let known = EXPLAINED.iter().find(|e| e.word.name == asked.word);
        let (explained, people) =
            known
                .and_then(|e| Some((e, e.word.people?)))
                .ok_or_else(|| {
                    let words: Vec<&str> = EXPLAINED.iter().map(|e| e.word.name).collect();
                    let message = format!("`{}` is not one of {}", asked.word, words.join(", "));
                    Error::field("word", "not_in_list", message)
                })?;
        let now = self.now();
        let spelled = |side: &str, question: &Value| {
            let mut question = (explained.spelled)(self, question).map_err(|e| of_side(side, e))?;
            if let Some(map) = question.as_object_mut() {
                map.retain(|_, value| !value.is_null());
                map.entry("asOf")
                    .or_insert_with(|| Value::from(now.to_string()));
            }
            // The question itself must stand, so that what is wrong with it is told with its side.
            (explained.same)(self, &question, &question).map_err(|e| of_side(side, e))?;
            Ok(question)
        };
        let cell = asked
            .cell
            .clone()
            .or_else(|| explained.cell.map(|cell| cell()));
        Ok(Pair {
            a: spelled("a", &asked.a)?,
            b: spelled("b", &asked.b)?,
            cell: cell
                .ok_or_else(|| Error::field("cell", "required", "is required for this word"))?,
            explained,
            people,
        })
    }

    fn counted(&self, who: &Principal, pair: &Pair, question: &Value) -> Result<Counted> {
        let answer = (pair.explained.word.ask)(self, who, question)?;
        let answer: Value = serde_json::from_str(&answer).map_err(Error::internal)?;
        let (users, _) = (pair.people)(self, who, question, &pair.cell)?;
        Ok(((pair.explained.numbers)(&answer), users))
    }
}

/// What is wrong with one of the questions, with the side before its fields.
fn of_side(side: &str, error: Error) -> Error {
    if error.field_errors().is_empty() {
        return error;
    }
    let fields = error.field_errors().iter().cloned();
    let fields = fields.map(|mut f| {
        f.field = format!("{side}.{}", f.field);
        f
    });
    Error::fields(fields.collect())
}
