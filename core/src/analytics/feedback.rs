//! What became of what was foretold, asked of the handle: kept, told, answered.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::word::Word;
use super::{Analytics, json};
use crate::access::{self, Permission, Principal};
use crate::audit::{Act, Outcome};
use crate::error::{Error, ErrorKind, Result};
use crate::feedback::{self, Actual, Adapted, Feedback, FeedbackAnswer, Joined, Run, join};
use crate::forecast::Table;
use crate::metadata::feedback::{self as kept, Actuals};
use crate::metadata::{change, read};
use crate::query::Instant;
use crate::query::fields;

pub(super) const WORD: Word = Word {
    name: "feedback",
    ask: |a, who, question| json(&a.feedback_json(who, question)?),
    people: None,
};

/// What is kept under a name, as it was made and became known.
type Log = (Vec<(Instant, Run)>, Vec<(Instant, Vec<Actual>)>);

/// The longest text of one run or of what came at once.
const LONGEST: usize = 64 << 20;

/// The levels, widest first, whose bounds are kept of a forecast.
const KEPT: [f64; 6] = [99.0, 98.0, 95.0, 90.0, 80.0, 50.0];

/// So many runs are looked at where what learns from them does.
const LATEST: usize = 200;

/// A name under which something is kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackLog {
    /// The name.
    pub name: String,
    /// How many runs.
    pub runs: u64,
    /// When the latest was made.
    pub latest_at: Instant,
}

impl Analytics {
    /// What became of what was foretold under a name: how good it was, by how far ahead, whether the world has changed, and whether to
    /// train anew.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read, or who asks for rows and may not see people; `not_found` for a name under which
    /// nothing is kept.
    pub fn feedback(&self, who: &Principal, question: &Feedback) -> Result<FeedbackAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        if question.rows {
            access::grant(who, Permission::ReadPeople, ())?;
        }
        let as_of = question.as_of.unwrap_or_else(|| self.now());
        let (runs, actuals) = self.log(&question.name, as_of, question.runs.max(1))?;
        if runs.is_empty() {
            return Err(absent(&question.name));
        }
        Ok(feedback::answer(question, &runs, &actuals, as_of))
    }

    /// `feedback` of a question in its JSON form, see [`Feedback::parse`].
    ///
    /// # Errors
    /// As `feedback`.
    pub fn feedback_json(&self, who: &Principal, question: &Value) -> Result<FeedbackAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.feedback(who, &Feedback::parse(question)?)
    }

    /// The names under which something is kept.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read.
    pub fn feedback_logs(&self, who: &Principal) -> Result<Vec<FeedbackLog>> {
        let act = Act::new("feedback.list", "");
        self.seen(who, Permission::ReadAnalytics, &act, |session| {
            let logs = kept::logs(session)?.into_iter();
            Ok(logs
                .map(|(name, runs, latest_at)| FeedbackLog {
                    name,
                    runs: runs.unsigned_abs(),
                    latest_at,
                })
                .collect())
        })
    }

    /// Tells what came of what is kept under a name, see [`feedback::actuals`]; how many values were new. Values that are told again
    /// otherwise count from then on, and the earlier stay.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage models; `validation_failed` with every field error at once; `not_found`.
    pub fn add_actuals(&self, who: &Principal, name: &str, body: &Value) -> Result<u64> {
        let act = Act::new("feedback.actuals", object(name));
        let now = self.now();
        self.acted(who, Permission::ManageModels, act, |session, _| {
            let name = named(&name.into())?;
            let told = feedback::actuals(body)?;
            if kept::runs(session, &name, now, 1)?.is_empty() {
                return Err(absent(&name));
            }
            let before = known(&kept::actuals(session, &name, now)?)?;
            let fresh = fresh(told, &before);
            let new = fresh.len() as u64;
            insert(session, (&name, now, ""), fresh)?;
            Ok(new)
        })
    }

    /// Keeps predictions made elsewhere under a name, see [`feedback::predictions`]; the id of the run.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage models; `validation_failed` with every field error at once.
    pub fn add_predictions(&self, who: &Principal, name: &str, body: &Value) -> Result<String> {
        let read = access::grant(who, Permission::ManageModels, ()).and_then(|_| {
            let name = named(&name.into())?;
            let mut run = feedback::predictions(body)?;
            run.data = hash(body)?;
            Ok((name, run))
        });
        match read {
            Ok((name, run)) => self.keep_run(who, &name, &run, &[]),
            Err(error) => {
                let act = Act::new("feedback.keep", object(name));
                self.record(who, &act, Outcome::of(&error))?;
                Err(error)
            }
        }
    }

    /// Forgets all that is kept under a name; how many runs it had.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage models; `not_found`.
    pub fn delete_feedback(&self, who: &Principal, name: &str) -> Result<u64> {
        let act = Act::new("feedback.delete", object(name));
        self.acted(who, Permission::ManageModels, act, |session, _| {
            let name = named(&name.into())?;
            match kept::forget(session, &name)? {
                0 => Err(absent(&name)),
                runs => Ok(runs),
            }
        })
    }

    /// The forecasts of a table of series, kept under a name; their intervals learn from what is kept there.
    pub(super) fn forecast_kept(
        &self,
        who: &Principal,
        log: &Value,
        question: &Value,
    ) -> Result<Value> {
        access::grant(who, Permission::ManageModels, ())?;
        let log = named(log)?;
        let mut asked = question.clone();
        if let Some(fields) = asked.as_object_mut() {
            fields.remove("feedback");
        }
        let mut table = Table::parse(&asked)?;
        let learned = self.learned(&log)?;
        let levels = std::mem::take(&mut table.options.levels);
        let adapted: Vec<Adapted> = levels
            .iter()
            .map(|l| feedback::adapted(*l, &learned.points))
            .collect();
        // Those asked for, and those by which quantiles are kept.
        table.options.levels = adapted.iter().map(|a| a.used).chain(KEPT).collect();
        let made = self.forecasts(&table)?;
        let mut rows = made.rows();
        let kept = rows.intervals.split_off(adapted.len());
        for (interval, adapted) in rows.intervals.iter_mut().zip(&adapted) {
            interval.level = adapted.level;
        }
        let told = serde_json::json!({
            "uniqueId": rows.unique_id,
            "ds": rows.ds,
            "mean": rows.mean,
        });
        let history = came(&asked)?;
        let mut run = feedback::foretold(&told)?;
        run.word = "forecast".to_owned();
        run.model = "forecast".to_owned();
        run.data = hash(&asked)?;
        run.grid = KEPT
            .iter()
            .map(|level| (1.0 - level / 100.0) / 2.0)
            .chain(KEPT.iter().rev().map(|level| (1.0 + level / 100.0) / 2.0))
            .collect();
        let mut row = 0;
        for fan in &mut run.series {
            let own = history.iter().filter(|a| a.id == fan.id).map(|a| a.y);
            fan.scale = feedback::scale(own);
            for _ in 0..fan.ds.len() {
                let low = kept
                    .iter()
                    .map(|level| level.lower.get(row).copied().flatten());
                let high = kept
                    .iter()
                    .rev()
                    .map(|level| level.upper.get(row).copied().flatten());
                fan.quantiles.push(low.chain(high).collect());
                row += 1;
            }
        }
        let id = self.keep_run(who, &log, &run, &history)?;
        let mut answer = serde_json::to_value(&made).map_err(Error::internal)?;
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("run".to_owned(), id.into());
            let rows = serde_json::to_value(&rows).map_err(Error::internal)?;
            fields.insert("forecasts".to_owned(), rows);
            let adapted = serde_json::to_value(&adapted).map_err(Error::internal)?;
            fields.insert("adapted".to_owned(), adapted);
        }
        Ok(answer)
    }

    /// Keeps what was foretold, with what of its history came of earlier runs; the id of the run.
    pub(super) fn keep_run(
        &self,
        who: &Principal,
        name: &str,
        run: &Run,
        history: &[Actual],
    ) -> Result<String> {
        let act = Act::new("feedback.keep", object(name));
        let (id, now) = (self.fresh_id()?.to_string(), self.now());
        self.acted(who, Permission::ManageModels, act, |session, _| {
            let runs = kept::runs(session, name, now, LATEST)?;
            let mut awaited: HashSet<(String, String)> = HashSet::new();
            for before in &runs {
                let run: Run = parse(&before.body)?;
                for fan in run.series {
                    let id = fan.id;
                    awaited.extend(fan.ds.into_iter().map(|ds| (id.clone(), ds)));
                }
            }
            let before = known(&kept::actuals(session, name, now)?)?;
            let came = history
                .iter()
                .filter(|a| awaited.contains(&(a.id.clone(), a.ds.clone())))
                .cloned()
                .collect();
            insert(session, (name, now, &id), fresh(came, &before))?;
            let row = kept::Run {
                id: id.clone(),
                log: name.to_owned(),
                made_at: now,
                body: text(run)?,
            };
            kept::insert_run(session, &row)?;
            Ok(id.clone())
        })
    }

    /// Forgets what was foretold and came of these series: users that are erased.
    pub(super) fn forget_series(&self, ids: &HashSet<&str>) -> Result<()> {
        let end = Instant::saturating_from_micros(i64::MAX);
        change(&*self.metadata()?, |session| {
            for (name, ..) in kept::logs(session)? {
                for row in kept::runs(session, &name, end, usize::MAX)? {
                    let mut run: Run = parse(&row.body)?;
                    if run.forget(ids) {
                        kept::rewrite_run(session, &row.id, &text(&run)?)?;
                    }
                }
                let mut all = kept::actuals(session, &name, end)?;
                let mut changed = false;
                for row in &mut all {
                    let mut values: Vec<Actual> = parse(&row.body)?;
                    let before = values.len();
                    values.retain(|actual| !ids.contains(actual.id.as_str()));
                    if values.len() < before {
                        (changed, row.body) = (true, text(&values)?);
                    }
                }
                if changed {
                    kept::rewrite_actuals(session, &name, &all)?;
                }
            }
            Ok(())
        })
    }

    /// What is kept under a name, as it was known at an instant.
    pub(super) fn log(&self, name: &str, as_of: Instant, limit: usize) -> Result<Log> {
        let limit = limit.min(1_000);
        read(&*self.metadata()?, |session| {
            let runs = kept::runs(session, name, as_of, limit)?;
            let runs = runs.iter().map(|run| Ok((run.made_at, parse(&run.body)?)));
            let runs = runs.collect::<Result<_>>()?;
            let actuals = kept::actuals(session, name, as_of)?;
            let actuals = actuals.iter().map(|a| Ok((a.known_at, parse(&a.body)?)));
            Ok((runs, actuals.collect::<Result<_>>()?))
        })
    }

    /// All that was foretold under a name and came, for what learns from it.
    pub(super) fn learned(&self, name: &str) -> Result<Joined> {
        let (runs, actuals) = self.log(name, self.now(), LATEST)?;
        Ok(join(&runs, &actuals))
    }
}

fn object(name: &str) -> String {
    format!("feedback/{name}")
}

fn absent(name: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        "not_found",
        format!("nothing is kept under the name `{name}`"),
    )
}

/// A name as it may be.
fn named(name: &Value) -> Result<String> {
    let question = serde_json::json!({ "feedback": name });
    let mut fields = fields::Fields::of(&question)?;
    let name = fields.required("feedback", fields::log_name);
    fields.finish(Vec::new())?;
    Ok(name)
}

/// What came, from the rows of a table that was valid; missing values did not.
fn came(table: &Value) -> Result<Vec<Actual>> {
    let column = |name: &str| table.get(name).and_then(Value::as_array);
    let y = column("y").map(Vec::as_slice).unwrap_or_default();
    let there: Vec<usize> = (0..y.len())
        .filter(|i| y.get(*i).is_some_and(Value::is_number))
        .collect();
    let chosen = |name: &str| {
        let values = column(name)?;
        Some(
            there
                .iter()
                .filter_map(|i| values.get(*i).cloned())
                .collect::<Vec<Value>>(),
        )
    };
    feedback::actuals(&serde_json::json!({
        "uniqueId": chosen("uniqueId"),
        "ds": chosen("ds"),
        "y": chosen("y"),
    }))
}

/// The hash of what something was made of.
pub(super) fn hash<T: Serialize>(data: &T) -> Result<String> {
    let json = serde_json::to_vec(data).map_err(Error::internal)?;
    Ok(Sha256::digest(&json)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect())
}

fn parse<T: serde::de::DeserializeOwned>(body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(Error::internal)
}

fn text<T: Serialize>(what: &T) -> Result<String> {
    let text = serde_json::to_string(what).map_err(Error::internal)?;
    if text.len() > LONGEST {
        return Err(Error::new(
            ErrorKind::Limit,
            "too_large",
            "what is to be kept has more than 64 MiB; fewer rows or series at once can be",
        ));
    }
    // PostgreSQL holds no NUL within text, and JSON writes it otherwise.
    Ok(text)
}

/// The last value that is known of each time.
fn known(actuals: &[Actuals]) -> Result<HashMap<(String, String), f64>> {
    let mut last = HashMap::new();
    for told in actuals {
        let values: Vec<Actual> = parse(&told.body)?;
        last.extend(values.into_iter().map(|a| ((a.id, a.ds), a.y)));
    }
    Ok(last)
}

/// Those that are not known yet, or otherwise. What has no time comes anew each time.
fn fresh(told: Vec<Actual>, before: &HashMap<(String, String), f64>) -> Vec<Actual> {
    let new =
        |a: &Actual| a.ds.is_empty() || before.get(&(a.id.clone(), a.ds.clone())) != Some(&a.y);
    told.into_iter().filter(new).collect()
}

fn insert(
    session: &mut dyn crate::metadata::Session,
    (name, now, run): (&str, Instant, &str),
    values: Vec<Actual>,
) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let row = Actuals {
        log: name.to_owned(),
        known_at: now,
        run: run.to_owned(),
        body: text(&values)?,
    };
    kept::insert_actuals(session, &row)
}
