//! Models trained elsewhere, asked of the handle: registered, listed, scored with, removed.

use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::word::Word;
use super::{Analytics, json, refuse};
use crate::access::{self, Permission, Principal};
use crate::audit::Act;
use crate::churn::{self, Churn, USER_FEATURES};
use crate::error::{Error, ErrorKind, Result};
use crate::feedback::{self, Fan, Measure, Run, profile};
use crate::metadata::documents::{self, Find, Sort};
use crate::metadata::models::{self, Version};
use crate::metadata::{Kind, ObjectId, Session, read};
use crate::model::{
    Column, Frame, MOST_ROWS, Model, ModelList, Reference, Registered, Registration, Score,
    ScoreAnswer, Task, told,
};
use crate::query::fields::{self, Fields};

pub(super) const WORD: Word = Word {
    name: "score",
    ask: |a, who, question| json(&a.score_json(who, question)?),
    people: None,
};

/// So many models are kept ready.
const READY: usize = 8;

/// Rows to be scored, with their ids where they have any.
struct Rows {
    frame: Frame,
    ids: Option<Vec<String>>,
}

impl Analytics {
    /// Registers a model from the bytes of its file; see [`Registration::parse`]. A name's next version, unless its latest is the same
    /// file with the same names, which is given then.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage models; `validation_failed` with every field error at once, among them for `file`:
    /// `malformed_model`, `unsupported_model`, `unsupported_operator`, `too_large`. Then nothing has changed.
    pub fn register_model(&self, who: &Principal, body: &Value, file: &[u8]) -> Result<Registered> {
        let (id, now) = (self.fresh_id()?, self.now());
        let act = Act::new("model.register", "");
        // Reading takes a while, in which others need not wait.
        let parsed = access::grant(who, Permission::ManageModels, ()).and_then(|_| {
            let asked = Registration::parse(body)?;
            let (features, classes) = (asked.features.as_deref(), asked.classes.as_deref());
            let model = Model::read(file, asked.format, features, classes)?;
            Ok((asked, model))
        });
        self.acted(who, Permission::ManageModels, act, |session, act| {
            let (asked, model) = parsed?;
            let (hash, all) = asked.hashes(file);
            let versions = models::versions(session, &asked.name)?;
            if let Some(latest) = versions.first().filter(|v| !v.gone && v.hash == all)
                && let Some(document) = documents::get(session, Kind::Model, latest.id)?
            {
                act.object = object(latest.id);
                return Registered::read(&document);
            }
            let version = Version {
                version: versions.first().map_or(1, |latest| latest.version + 1),
                id,
                hash: all,
                gone: false,
            };
            let registered = Registered {
                id,
                name: asked.name.clone(),
                version: version.version,
                description: asked.description.clone(),
                hash,
                bytes: file.len(),
                schema: model.schema().clone(),
                owner_id: who.id().to_owned(),
                created_at: now,
            };
            act.object = object(id);
            models::insert(session, &asked.name, &version, file)?;
            documents::insert(session, &registered.document()?)?;
            Ok(registered)
        })
    }

    /// All versions of all models, page by page: `search` over names and descriptions, `limit` (1 to 100, 20 by default), `offset`.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read; `validation_failed` with every field error at once.
    pub fn models(&self, who: &Principal, asked: &Value) -> Result<ModelList> {
        let act = Act::new("model.list", "");
        self.seen(who, Permission::ReadAnalytics, &act, |session| {
            let mut fields = Fields::of(asked)?;
            let search = fields.optional("search", |v| fields::text_of(v, 0, 100));
            let (limit, offset) = fields.page(1..=100, 20);
            fields.finish(Vec::new())?;
            let found = documents::find(
                session,
                &Find {
                    kind: Kind::Model,
                    user: who.id(),
                    role: who.role(),
                    public: true,
                    search: search.as_deref().unwrap_or_default(),
                    state: "",
                    sort: Sort::Newest,
                    limit,
                    offset,
                },
            )?;
            let behind = offset.saturating_add(found.documents.len()) as u64;
            Ok(ModelList {
                models: found
                    .documents
                    .iter()
                    .map(Registered::read)
                    .collect::<Result<_>>()?,
                total: found.total,
                limit,
                offset,
                has_more: behind < found.total,
            })
        })
    }

    /// A model by its name, `name@version` or id; by its name alone the latest version.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read; `not_found`.
    pub fn model(&self, who: &Principal, reference: &str) -> Result<Registered> {
        let act = Act::new("model.read", format!("model/{reference}"));
        self.seen(who, Permission::ReadAnalytics, &act, |session| {
            found(session, reference)
        })
    }

    /// Removes a version of a model, by `name@version` or id; by its name alone the latest. Its number is not given again.
    ///
    /// # Errors
    /// In this order: `forbidden` for a principal who may not manage models; `not_found`; `forbidden` for the model of somebody else,
    /// unless one manages access.
    pub fn delete_model(&self, who: &Principal, reference: &str) -> Result<()> {
        let act = Act::new("model.delete", format!("model/{reference}"));
        self.acted(who, Permission::ManageModels, act, |session, act| {
            let model = found(session, reference)?;
            act.object = object(model.id);
            if model.owner_id != who.id() && !access::decide(who, Permission::ManageAccess).allow {
                return Err(Error::new(
                    ErrorKind::Forbidden,
                    "forbidden",
                    "only who registered a model may remove it, and who manages access",
                ));
            }
            models::remove(session, model.id)?;
            documents::delete(session, Kind::Model, model.id).map(|_| ())
        })
    }

    /// What a model says of rows, or of the warehouse's users.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read, who asks for users and may not see people, or who wants scores kept and may not
    /// manage models; `not_found` for the model; `validation_failed` for `rows` that lack a feature, and for models that take features
    /// which are not known of users; `unscorable_rows` for values that the model refuses; `too_large`.
    pub fn score(&self, who: &Principal, question: &Score) -> Result<ScoreAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        if question.users.is_some() {
            access::grant(who, Permission::ReadPeople, ())?;
        }
        if question.feedback.is_some() {
            access::grant(who, Permission::ManageModels, ())?;
        }
        if let Some(limit) = self.timeout {
            let limited = Self {
                timeout: None,
                ..self.within(limit)
            };
            return limited.score(who, question);
        }
        let (registered, model) = self.ready(&question.model)?;
        let rows = match &question.users {
            Some(users) => self.of_users(who, &model, users)?,
            None => Rows {
                frame: question.rows.clone(),
                ids: question.ids.clone(),
            },
        };
        let go_on = || self.stop().check();
        let scores = self.pool.install(|| model.score(&rows.frame, &go_on))?;
        let run = match &question.feedback {
            Some(log) => {
                let run = self.scored(log, &registered, question, (&rows, &scores))?;
                Some(self.keep_run(who, log, &run, &[])?)
            }
            None => None,
        };
        Ok(ScoreAnswer {
            model: registered.reference(),
            hash: registered.hash,
            ids: rows.ids,
            predictions: told(&scores),
            run,
        })
    }

    /// `score` of a question in its JSON form, see [`Score::parse`].
    ///
    /// # Errors
    /// As `score`.
    pub fn score_json(&self, who: &Principal, question: &Value) -> Result<ScoreAnswer> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        self.score(who, &Score::parse(question)?)
    }

    /// A model ready to score, from among those that were used last.
    fn ready(&self, reference: &str) -> Result<(Registered, Arc<Model>)> {
        let store = self.metadata()?;
        let registered = read(&*store, |session| found(session, reference))?;
        let held = || {
            self.kept
                .models
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let known = held().iter().find(|(id, _)| *id == registered.id).cloned();
        if let Some((_, model)) = known {
            return Ok((registered, model));
        }
        let file = read(&*store, |session| models::file(session, registered.id))?;
        let schema = &registered.schema;
        let names: Vec<String> = schema.features.iter().map(|f| f.name.clone()).collect();
        let classes = (!schema.classes.is_empty()).then_some(schema.classes.as_slice());
        let model = Model::read(&file, Some(schema.format), Some(&names), classes)?;
        let model = Arc::new(model);
        let mut held = held();
        if held.len() >= READY {
            held.remove(0);
        }
        held.push((registered.id, Arc::clone(&model)));
        Ok((registered, model))
    }

    /// The features of the warehouse's users that a model takes.
    fn of_users(&self, who: &Principal, model: &Model, users: &Value) -> Result<Rows> {
        let wrong: Vec<crate::error::FieldError> = model
            .schema()
            .features
            .iter()
            .filter(|f| !USER_FEATURES.contains(&f.name.as_str()))
            .map(|f| crate::error::FieldError {
                field: "users".to_owned(),
                code: "unknown_feature",
                message: format!(
                    "the model takes `{}`, which is not known of users; known are {}",
                    f.name,
                    USER_FEATURES.join(", ")
                ),
            })
            .collect();
        refuse(wrong)?;
        let asked = Churn::parse(users, self.now())?;
        let asked = access::grant(who, Permission::ReadPeople, &asked)?;
        let only = self.only(asked.inner().users.as_deref())?;
        let as_of = asked.inner().as_of.unwrap_or_else(|| self.now());
        let span = super::churn::back(as_of, asked.inner().horizon_days);
        let known = self.over(
            Some(as_of),
            asked.inner().segment,
            span,
            &asked.inner().needs(),
            |view| {
                churn::features(&asked, view, only.as_deref(), &|keys| {
                    self.named(keys, as_of)
                })
            },
        )?;
        if known.users.len() > MOST_ROWS {
            return Err(Error::field(
                "users",
                "too_many_rows",
                format!("must be at most {MOST_ROWS} users; a segment or `users` chooses some"),
            ));
        }
        let columns = USER_FEATURES.iter().zip(known.columns);
        Ok(Rows {
            frame: Frame {
                columns: columns
                    .map(|(n, c)| ((*n).to_owned(), Column::Numbers(c)))
                    .collect(),
            },
            ids: Some(known.users.into_iter().map(|user| user.id).collect()),
        })
    }

    /// Scores as they are kept: the probability of the second of two classes, or the prediction, with the features.
    fn scored(
        &self,
        log: &str,
        model: &Registered,
        question: &Score,
        (rows, scores): (&Rows, &Frame),
    ) -> Result<Run> {
        let (column, measure) = match model.schema.task {
            Task::Classification => (scores.columns.last(), Measure::Probability),
            _ => (scores.columns.first(), Measure::Number),
        };
        let two = model.schema.classes.len() == 2;
        let chance =
            |name: &str| measure == Measure::Number || two && name.starts_with("probability_");
        let Some((_, Column::Numbers(values))) = column.filter(|(name, _)| chance(name)) else {
            return Err(Error::field(
                "feedback",
                "not_used",
                "the model gives neither a number nor the probability of one of two classes",
            ));
        };
        let name = |i: usize| match &rows.ids {
            Some(ids) => ids.get(i).cloned().unwrap_or_default(),
            None => i.to_string(),
        };
        let ds = question.ds.as_deref().map(|ds| feedback::ds(&ds.into()));
        let ds = ds.and_then(std::result::Result::ok).unwrap_or_default();
        let each = values.iter().enumerate().map(|(i, value)| Fan {
            id: name(i),
            ds: vec![ds.clone()],
            mean: vec![value.is_finite().then_some(*value)],
            ..Fan::default()
        });
        let reference = model.reference();
        let (runs, _) = self.log(log, self.now(), usize::MAX)?;
        let before = runs
            .iter()
            .find(|(_, r)| r.model == reference && !r.profile.is_empty());
        let profiled = |(name, column): &(String, Column)| match column {
            Column::Numbers(values) => {
                let before = before.and_then(|(_, r)| r.profile.iter().find(|p| p.name == *name));
                Some(profile(name, values, before))
            }
            Column::Texts(_) => None,
        };
        let taken = |name: &str| model.schema.features.iter().any(|f| f.name == name);
        let features = Frame {
            columns: rows
                .frame
                .columns
                .iter()
                .filter(|(n, _)| taken(n))
                .cloned()
                .collect(),
        };
        let columns = told(&features)
            .into_iter()
            .map(|(name, values)| match values {
                Value::Array(values) => (name, values),
                other => (name, vec![other]),
            });
        let kept: Vec<(String, Vec<Value>)> = columns.collect();
        Ok(Run {
            word: WORD.name.to_owned(),
            model: reference,
            data: super::feedback::hash(&kept)?,
            measure,
            grid: Vec::new(),
            series: each.collect(),
            profile: features.columns.iter().filter_map(profiled).collect(),
            features: kept,
        })
    }
}

fn object(id: ObjectId) -> String {
    format!("model/{id}")
}

/// The model that a reference means.
fn found(session: &mut dyn Session, reference: &str) -> Result<Registered> {
    let missing = || {
        Error::new(
            ErrorKind::NotFound,
            "not_found",
            format!("there is no model `{reference}`"),
        )
    };
    let id = match Reference::parse(reference) {
        _ if reference.contains('\0') => None,
        Reference::Id(id) => Some(id),
        Reference::Latest(name) => {
            let versions = models::versions(session, &name)?;
            versions.iter().find(|v| !v.gone).map(|v| v.id)
        }
        Reference::Version(name, number) => {
            let versions = models::versions(session, &name)?;
            versions
                .iter()
                .find(|v| !v.gone && v.version == number)
                .map(|v| v.id)
        }
    };
    let document = match id {
        Some(id) => documents::get(session, Kind::Model, id)?,
        None => None,
    };
    document
        .as_ref()
        .map(Registered::read)
        .transpose()?
        .ok_or_else(missing)
}
