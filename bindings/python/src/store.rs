//! An open store of events as Python holds it; each method asks the core without the interpreter's lock.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use serde::Serialize;
use serde_json::Value;
use travelsense::analytics::{BatchForm, IngestBatch};
use travelsense::events::{Catalogue, Names};
use travelsense::{Analytics, Error, ErrorKind, Options, Principal, Result};

use crate::answer::Answer;
use crate::error::raise;
use crate::import;
use crate::letter::{self, Letter};
use crate::patience::{Left, Patience, waiting};
use crate::words;
use crate::worker::Workers;

/// An open store of events.
#[pyclass(frozen, module = "travelsense._native")]
pub(crate) struct Store {
    analytics: Mutex<Option<Arc<Analytics>>>,
    workers: Workers,
    /// The process that opened it: a fork has neither the threads nor the locks of its parent.
    process: u32,
    /// Who asks: the program that owns the file, unless it acts for somebody.
    who: Principal,
}

#[pymethods]
impl Store {
    /// Opens what the options say in their JSON form.
    #[new]
    fn open(py: Python<'_>, options: &str) -> PyResult<Self> {
        let open = || Analytics::open_with(Options::parse(&json(options)?)?);
        let analytics = py.detach(open).map_err(|e| raise(py, &e))?;
        Ok(Self {
            analytics: Mutex::new(Some(Arc::new(analytics))),
            workers: Workers::default(),
            process: std::process::id(),
            who: Principal::owner(),
        })
    }

    /// Closes the file, at once or when the last call under way has ended; closing again does nothing.
    fn close(&self, py: Python<'_>) {
        if self.forked() {
            return;
        }
        py.detach(|| {
            if let Some(analytics) = self.held().take().and_then(Arc::into_inner) {
                analytics.close();
            }
        });
    }

    /// What time it is for the store.
    fn now(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |a, _| Ok(a.now().to_string()))
    }

    /// Builds the timelines anew.
    fn rebuild(&self, py: Python<'_>, patience: Patience) -> PyResult<()> {
        self.done(py, &patience, |a, who| a.rebuild(who))
    }

    /// Imports a file or an Arrow table as the options say in their JSON form; gives the report's JSON.
    fn import_(
        &self,
        source: &Bound<'_, PyAny>,
        options: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let py = source.py();
        let source = import::source(source)?;
        let report = import::run(self, py, source, options, progress.as_ref())?;
        text(&report).map_err(|e| raise(py, &e))
    }

    /// Takes in a JSON array of events, of a source and with a key where they are named; gives the report's JSON.
    fn ingest(
        &self,
        py: Python<'_>,
        events: &str,
        source: Option<&str>,
        key: Option<&str>,
    ) -> PyResult<String> {
        self.ask(py, |a, who| match (source, key) {
            (None, None) => match json(events) {
                Ok(events) => text(&a.ingest(who, &events)?),
                // One that is nested too deep is refused alone.
                Err(_) => a.ingest_batch(who, &batch(events, Some("embedded"), None)),
            },
            _ => a.ingest_batch(who, &batch(events, source, key)),
        })
    }

    /// What the events mean, as JSON.
    fn catalogue(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.catalogue(who)?.to_json()?))
    }

    /// Says what the events mean.
    fn set_catalogue(&self, py: Python<'_>, catalogue: &str) -> PyResult<()> {
        self.ask(py, |a, who| {
            a.set_catalogue(who, &Catalogue::parse(&json(catalogue)?)?)
        })
    }

    /// Takes everything of these users away; gives the report's JSON.
    fn erase(&self, py: Python<'_>, users: Vec<String>, patience: Patience) -> PyResult<String> {
        self.done(py, &patience, move |a, who| {
            let ids: Vec<&str> = users.iter().map(String::as_str).collect();
            text(&a.erase(who, &ids)?)
        })
    }

    /// One page of the quarantine, as JSON.
    fn quarantine(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.quarantine_json(who, &json(asked)?)?))
    }

    /// Sends events of the quarantine again; gives the report's JSON.
    fn replay_quarantine(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| {
            text(&a.replay_quarantine_json(who, &json(asked)?)?)
        })
    }

    /// Stores batches that had been put beside the file; gives the report's JSON.
    fn replay_parked(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.replay_parked(who)?))
    }

    /// How the intake does, as JSON.
    fn ingest_status(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.ingest_status(who)?))
    }

    /// The version of what is stored.
    fn data_version(&self, py: Python<'_>) -> PyResult<u64> {
        self.ask(py, |a, who| a.data_version(who))
    }

    /// What whoever asks may do, as JSON.
    fn permissions(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |_, who| {
            let names = travelsense::access::permissions(who).iter();
            text(&names.map(|p| p.name()).collect::<Vec<_>>())
        })
    }

    /// Builds the timelines where they are not there yet.
    fn warm_up(&self, py: Python<'_>, patience: Patience) -> PyResult<()> {
        self.answered(py, &patience, |a, _| a.timelines().map(drop))
    }

    /// Has the real-time figures take in what arrived.
    fn refresh_realtime(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, |a, _| a.refresh_realtime())
    }

    /// Judges whether the real-time figures are as usual.
    fn judge_realtime(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, |a, _| a.judge_realtime())
    }

    /// Goes on with exports that were under way; gives how many.
    fn resume_exports(&self, py: Python<'_>) -> PyResult<usize> {
        self.ask(py, |a, _| a.resume_exports())
    }

    /// Takes tokens back.
    fn revoke(&self, py: Python<'_>, asked: &str) -> PyResult<()> {
        self.ask(py, |a, who| a.revoke(who, &json(asked)?))
    }

    /// The JSON answer of any word to a question in its JSON form.
    fn query(
        &self,
        py: Python<'_>,
        word: String,
        question: String,
        patience: Patience,
    ) -> PyResult<String> {
        self.answered(py, &patience, move |a, who| {
            a.ask(who, &word, &json(&question)?)
        })
    }

    /// The users behind a number, as JSON.
    fn people(&self, py: Python<'_>, request: String, patience: Patience) -> PyResult<String> {
        self.answered(py, &patience, move |a, who| {
            text(&a.people(who, &json(&request)?)?)
        })
    }

    /// One person with their events, as JSON.
    fn profile(&self, py: Python<'_>, person: &str, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.profile(who, person, &json(asked)?)?))
    }

    /// All cohorts, as JSON.
    fn cohorts(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.cohorts(who)?))
    }

    /// Makes a cohort.
    fn create_cohort(&self, py: Python<'_>, name: &str, definition: &str) -> PyResult<()> {
        self.ask(py, |a, who| a.create_cohort(who, name, &json(definition)?))
    }

    /// Removes a cohort.
    fn remove_cohort(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.ask(py, |a, who| a.remove_cohort(who, name))
    }

    /// Exports what a request in its JSON form asks for, once for a key; gives the job as JSON.
    fn export(
        &self,
        py: Python<'_>,
        request: String,
        key: Option<String>,
        patience: Patience,
    ) -> PyResult<String> {
        self.done(py, &patience, move |a, who| {
            text(&a.export_once(who, &json(&request)?, key.as_deref())?)
        })
    }

    /// One's exports, as JSON.
    fn exports(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.exports(who, &json(asked)?)?))
    }

    /// An export, as JSON.
    fn export_job(&self, py: Python<'_>, export: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.export_job(who, export)?))
    }

    /// Gives an export up; gives the job as JSON.
    fn cancel_export(&self, py: Python<'_>, export: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.cancel_export(who, export)?))
    }

    /// Copies the file of an export to a path; gives its size in bytes.
    fn save_export(
        &self,
        py: Python<'_>,
        export: String,
        path: PathBuf,
        patience: Patience,
    ) -> PyResult<u64> {
        self.done(py, &patience, move |a, who| {
            a.save_export(who, &export, &path)
        })
    }

    /// The answer of a word to a question in its JSON form.
    fn answer(
        &self,
        py: Python<'_>,
        word: String,
        question: String,
        patience: Patience,
    ) -> PyResult<Answer> {
        self.answered(py, &patience, move |a, who| {
            words::answer(a, who, &word, &json(&question)?)
        })
    }

    /// The same store for somebody else: what they may not do is refused, and the record holds their name.
    fn acting(&self, user: &str, role: &str) -> Self {
        Self {
            analytics: Mutex::new(self.held().clone()),
            workers: self.workers.clone(),
            process: self.process,
            who: Principal::new(user, role),
        }
    }

    /// One page of the dashboards that can be seen, as JSON.
    fn dashboards(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.dashboards(who, &json(asked)?)?))
    }

    /// Makes a dashboard, once for a key; gives it as JSON.
    fn create_dashboard(&self, py: Python<'_>, body: &str, key: Option<&str>) -> PyResult<String> {
        self.ask(py, |a, who| {
            text(&a.create_dashboard_once(who, &json(body)?, key)?)
        })
    }

    /// Makes a dashboard of a template; gives it as JSON.
    fn create_dashboard_from(
        &self,
        py: Python<'_>,
        template: &str,
        body: &str,
    ) -> PyResult<String> {
        self.ask(py, |a, who| {
            text(&a.create_dashboard_from(who, template, &json(body)?)?)
        })
    }

    /// The templates, as JSON.
    fn dashboard_templates(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.dashboard_templates(who)?))
    }

    /// A dashboard, as JSON.
    fn dashboard(&self, py: Python<'_>, dashboard: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.dashboard(who, dashboard)?))
    }

    /// Changes a dashboard; gives it as JSON.
    fn update_dashboard(
        &self,
        py: Python<'_>,
        dashboard: &str,
        body: &str,
        revision: Option<i64>,
    ) -> PyResult<String> {
        self.ask(py, |a, who| {
            text(&a.update_dashboard(who, dashboard, &json(body)?, revision)?)
        })
    }

    /// Removes a dashboard.
    fn delete_dashboard(
        &self,
        py: Python<'_>,
        dashboard: &str,
        revision: Option<i64>,
    ) -> PyResult<()> {
        self.ask(py, |a, who| a.delete_dashboard(who, dashboard, revision))
    }

    /// A dashboard's widgets with their data, as JSON.
    fn dashboard_data(
        &self,
        py: Python<'_>,
        dashboard: String,
        asked: String,
        patience: Patience,
    ) -> PyResult<String> {
        self.answered(py, &patience, move |a, who| {
            text(&a.dashboard_data(who, &dashboard, &json(&asked)?)?)
        })
    }

    /// Registers a model from the bytes of its file; gives it as JSON.
    fn register_model(&self, py: Python<'_>, body: &str, file: &[u8]) -> PyResult<String> {
        self.ask(py, |a, who| {
            text(&a.register_model(who, &json(body)?, file)?)
        })
    }

    /// One page of the models, as JSON.
    fn models(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.models(who, &json(asked)?)?))
    }

    /// A model, as JSON.
    fn model(&self, py: Python<'_>, model: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.model(who, model)?))
    }

    /// Removes a version of a model.
    fn delete_model(&self, py: Python<'_>, model: &str) -> PyResult<()> {
        self.ask(py, |a, who| a.delete_model(who, model))
    }

    /// The names under which something foretold is kept, as JSON.
    fn feedback_logs(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.feedback_logs(who)?))
    }

    /// Tells what came; how many values were new.
    fn add_actuals(&self, py: Python<'_>, name: &str, body: &str) -> PyResult<u64> {
        self.ask(py, |a, who| a.add_actuals(who, name, &json(body)?))
    }

    /// Keeps predictions made elsewhere; gives the id of the run.
    fn add_predictions(&self, py: Python<'_>, name: &str, body: &str) -> PyResult<String> {
        self.ask(py, |a, who| a.add_predictions(who, name, &json(body)?))
    }

    /// Forgets all that is kept under a name; how many runs it had.
    fn delete_feedback(&self, py: Python<'_>, name: &str) -> PyResult<u64> {
        self.ask(py, |a, who| a.delete_feedback(who, name))
    }

    /// One page of the alert rules, as JSON.
    fn alerts(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.alerts(who, &json(asked)?)?))
    }

    /// Makes an alert rule; gives it as JSON.
    fn create_alert(&self, py: Python<'_>, body: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.create_alert(who, &json(body)?)?))
    }

    /// An alert rule and where it stands, as JSON.
    fn alert(&self, py: Python<'_>, alert: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.alert(who, alert)?))
    }

    /// Changes an alert rule; gives it as JSON.
    fn update_alert(
        &self,
        py: Python<'_>,
        alert: &str,
        body: &str,
        revision: Option<i64>,
    ) -> PyResult<String> {
        self.ask(py, |a, who| {
            text(&a.update_alert(who, alert, &json(body)?, revision)?)
        })
    }

    /// Removes an alert rule.
    fn delete_alert(&self, py: Python<'_>, alert: &str, revision: Option<i64>) -> PyResult<()> {
        self.ask(py, |a, who| a.delete_alert(who, alert, revision))
    }

    /// Tells nobody of an alert rule for a while; gives it as JSON.
    fn silence_alert(&self, py: Python<'_>, alert: &str, body: &str) -> PyResult<String> {
        self.ask(py, |a, who| {
            text(&a.silence_alert(who, alert, &json(body)?)?)
        })
    }

    /// Sends a test to all places that an alert rule tells; gives what was read, as JSON.
    fn test_alert(&self, py: Python<'_>, alert: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.test_alert(who, alert)?))
    }

    /// What became of an alert rule, as JSON.
    fn alert_history(&self, py: Python<'_>, alert: &str, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| {
            text(&a.alert_history(who, alert, &json(asked)?)?)
        })
    }

    /// Evaluates the alert rules that are due; gives what it came to, as JSON.
    fn evaluate_alerts(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.evaluate_alerts(who)?))
    }

    /// What became of all alert rules, as JSON.
    fn alert_news(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.alert_news_json(who, &json(asked)?)?))
    }

    /// Takes notifications that are due; they are one's own for two minutes.
    fn take_notifications(&self, py: Python<'_>, limit: usize) -> PyResult<Vec<Letter>> {
        let due = self.ask(py, |a, who| a.take_notifications(who, limit))?;
        Ok(due.into_iter().map(Letter).collect())
    }

    /// Keeps how an attempt to deliver one went: it arrived unless it is said why not.
    #[pyo3(signature = (letter, why_not, lost))]
    fn attempted(
        &self,
        py: Python<'_>,
        letter: &Letter,
        why_not: Option<String>,
        lost: bool,
    ) -> PyResult<()> {
        let attempt = letter::attempt(why_not, lost);
        self.ask(py, |a, who| a.attempted(who, &letter.0, &attempt))
    }

    /// One page of one's notifications, as JSON.
    fn notifications(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.notifications(who, &json(asked)?)?))
    }

    /// Marks a notification as read.
    fn read_notification(&self, py: Python<'_>, notification: &str) -> PyResult<()> {
        self.ask(py, |a, who| a.read_notification(who, notification))
    }

    /// One page of the notifications on their way out, as JSON.
    fn deliveries(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.deliveries(who, &json(asked)?)?))
    }

    /// Puts a notification that was given up on its way again.
    fn retry_delivery(&self, py: Python<'_>, notification: &str) -> PyResult<()> {
        self.ask(py, |a, who| a.retry_delivery(who, notification))
    }

    /// With whom a dashboard is shared, as JSON.
    fn dashboard_sharing(&self, py: Python<'_>, dashboard: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.dashboard_sharing(who, dashboard)?))
    }

    /// Shares a dashboard; gives with whom, as JSON.
    fn share_dashboard(&self, py: Python<'_>, dashboard: &str, sharing: &str) -> PyResult<String> {
        self.ask(py, |a, who| {
            text(&a.share_dashboard(who, dashboard, &json(sharing)?)?)
        })
    }

    /// One page of the record, as JSON.
    fn audit(&self, py: Python<'_>, asked: &str) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.audit(who, &json(asked)?)?))
    }

    /// Where the record ends now, as JSON.
    fn audit_anchor(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |a, who| text(&a.audit_anchor(who)?))
    }

    /// Whether the record is whole, as JSON.
    fn verify_audit(&self, py: Python<'_>, asked: String, patience: Patience) -> PyResult<String> {
        self.answered(py, &patience, move |a, who| {
            text(&a.verify_audit_json(who, &json(&asked)?)?)
        })
    }
}

impl Store {
    /// Calls the core without the interpreter's lock, for whom it acts, in the process that opened the file.
    pub(crate) fn ask<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&Analytics, &Principal) -> Result<T> + Send,
    ) -> PyResult<T> {
        let answer = py.detach(|| {
            // Asked first, since another thread of the parent may have had the lock at the time of the fork.
            if self.forked() {
                return Err(forked());
            }
            let held = self.held().clone();
            call(&*held.ok_or_else(closed)?, &self.who)
        });
        answer.map_err(|e| raise(py, &e))
    }

    /// Asks a question on another thread, so that this one hears Ctrl-C, which gives the question up, and tells how far it is.
    fn answered<T: Send + 'static>(
        &self,
        py: Python<'_>,
        patience: &Patience,
        call: impl FnOnce(&Analytics, &Principal) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        self.waited(py, patience, Left::Alone, call)
    }

    /// The same for what changes something: what became of it is known when this returns.
    fn done<T: Send + 'static>(
        &self,
        py: Python<'_>,
        patience: &Patience,
        call: impl FnOnce(&Analytics, &Principal) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        self.waited(py, patience, Left::Awaited, call)
    }

    fn waited<T: Send + 'static>(
        &self,
        py: Python<'_>,
        patience: &Patience,
        left: Left,
        call: impl FnOnce(&Analytics, &Principal) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let raised = &mut None;
        let answer = self.ask(py, |a, who| {
            let (handle, asked) = patience.handle(a)?;
            let who = who.clone();
            let call = move || call(&handle, &who);
            waiting(&self.workers, (patience, &asked), raised, left, call)
        });
        raised.take().map_or(answer, Err)
    }

    fn forked(&self) -> bool {
        self.process != std::process::id()
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<Analytics>>> {
        self.analytics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Store {
    /// In a fork the store is left alone: closing it would write to the file of the parent.
    fn drop(&mut self) {
        if self.forked()
            && let Ok(held) = self.analytics.get_mut()
        {
            std::mem::forget(held.take());
            std::mem::forget(std::mem::take(&mut self.workers));
        }
    }
}

/// Events as they come from a program that says which they are.
fn batch<'a>(events: &'a str, source: Option<&'a str>, key: Option<&'a str>) -> IngestBatch<'a> {
    IngestBatch {
        body: events.as_bytes(),
        form: BatchForm::Array,
        mapping: None,
        source: source.unwrap_or("python"),
        key,
        names: Names::None,
        most: usize::MAX,
    }
}

fn forked() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "forked",
        "this store was opened by the parent process; it must be opened again in this one",
    )
}

/// What the package wrote as JSON.
pub(crate) fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|e| Error::field("question", "invalid_json", format!("is not JSON: {e}")))
}

pub(crate) fn text<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

fn closed() -> Error {
    Error::new(ErrorKind::Conflict, "closed", "the store is closed")
}
