//! Exports, asked of the handle: jobs that are kept, written on threads of their own, and fetched.

mod running;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

pub(super) use self::running::Exports;
use self::running::{AT_ONCE, Heeding, Over, Running};
use super::Analytics;
use super::once::{self, Once};
use crate::access::{self, Permission, Principal};
use crate::alert::Channel;
use crate::audit::{self, Act, Outcome};
use crate::dashboard::{self, Access};
use crate::error::{Error, ErrorKind, FieldError, Result};
use crate::export::job::{self, Kept, Status};
use crate::export::{self, ExportJob, ExportRequest, ExportType, Files, Format, Reader};
use crate::metadata::documents::{self, Find, Sort};
use crate::metadata::{Document, Kind, ObjectId, Session, change, expiries, read};
use crate::query::Instant;
use crate::query::fields::{self, Fields};

/// How long a call waits for its export to be over, so that small ones are complete when it returns.
const SOON: Duration = Duration::from_millis(1_500);

/// How often who waits for an export looks whether to give it up.
const BREATH: Duration = Duration::from_millis(100);

/// How many exports may wait or be written at once.
const MOST: usize = 64;

/// The code of an export that is over already.
const OVER: &str = "export_over";

/// One page of exports.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportList {
    /// How many there are in all.
    pub total: u64,
    /// Whether there are more after these.
    pub has_more: bool,
    /// The latest first.
    pub exports: Vec<ExportJob>,
}

/// The file of an export.
pub struct ExportFile {
    /// What to call it.
    pub name: String,
    /// What it is written as.
    pub format: Format,
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes.
    pub reader: Reader,
}

impl std::fmt::Debug for ExportFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExportFile")
            .field("name", &self.name)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Analytics {
    /// Exports the data of a dashboard, a report or a dataset; see [`ExportRequest::parse`]. A small export is complete when this
    /// returns, a larger one goes on: ask [`Self::export_job`] how far it is.
    ///
    /// # Errors
    /// In this order: `forbidden` for a principal who may not read; `validation_failed` with every field error at once, and for a
    /// dashboard that does not exist; `forbidden` for a dashboard one may not see, and for a dataset where one may not see people.
    pub fn export(&self, who: &Principal, request: &Value) -> Result<ExportJob> {
        self.export_once(who, request, None)
    }

    /// As `export`, but with a key the same request that is sent again within 24 hours gives the export that it began.
    ///
    /// # Errors
    /// As `export`; `idempotency_key_reused` for a key that was given to another request.
    pub fn export_once(
        &self,
        who: &Principal,
        request: &Value,
        key: Option<&str>,
    ) -> Result<ExportJob> {
        self.expire_exports()?;
        let (id, now) = (self.fresh_id()?, self.now());
        let home = self.home()?;
        let once = Once::new(who, "export", key, (request, now));
        let act = Act::new("export.create", "");
        let (id, new) = self.acted(who, Permission::ReadAnalytics, act, |session, act| {
            act.object = object(&id.to_string());
            let read = once::with(ExportRequest::parse(request, now), told_to(request));
            let request = once::with_key(read, key)?;
            if let Some(id) = once.made(session)? {
                act.object = object(&id.to_string());
                return Ok((id, None));
            }
            if !request.notify.is_empty() {
                // Whoever is told by this server, and where, is for those to say who manage alerts.
                access::grant(who, Permission::ManageAlerts, ())?;
            }
            if let Some(dashboard) = &request.dashboard_id {
                may_see(session, who, dashboard)?;
            }
            if request.export_type == ExportType::Dataset {
                access::grant(who, Permission::ReadPeople, ())?;
            }
            if self.exports.under_way() >= MOST {
                return Err(Error::new(
                    ErrorKind::Limit,
                    "too_many_exports",
                    "too many exports are under way; try again when some are over",
                ));
            }
            let kept = Kept::new((id, now), (who.id(), who.role()), home, request);
            documents::insert(session, &kept.document()?)?;
            once.keep(session, id)?;
            Ok((id, Some(kept)))
        })?;
        if let Some(kept) = new {
            self.start(kept)?;
        }
        // One that has to wait for its turn is not over soon.
        if self.exports.under_way() <= AT_ONCE {
            self.exports.wait(id, SOON);
        }
        let kept = read(&*self.metadata()?, |s| opened(s, who, id))?;
        Ok(self.told(&kept))
    }

    /// An export, and how far it is.
    ///
    /// # Errors
    /// `validation_failed` for what is no id; `not_found`; `forbidden` for the export of somebody else, unless one manages access.
    pub fn export_job(&self, who: &Principal, id: &str) -> Result<ExportJob> {
        let act = Act::new("export.read", object(id));
        let kept = self.seen(who, Permission::ReadAnalytics, &act, |session| {
            opened(session, who, id.parse()?)
        })?;
        Ok(self.told(&kept))
    }

    /// One's exports, the latest first; all of them for those who manage access. `limit` is 1 to 100, 20 by default; `offset`,
    /// 0 by default; `status` is one of the four.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once; `forbidden` for a principal who may not read.
    pub fn exports(&self, who: &Principal, asked: &Value) -> Result<ExportList> {
        let act = Act::new("export.list", "");
        let (offset, found) = self.seen(who, Permission::ReadAnalytics, &act, |session| {
            let mut fields = Fields::of(asked)?;
            let (limit, offset) = fields.page(1..=100, 20);
            let states = Status::ALL.map(|s| (s.name(), s));
            let state = fields.optional("status", |v| fields::one_of(v, &states));
            fields.finish(Vec::new())?;
            let found = documents::find(
                session,
                &Find {
                    kind: Kind::Export,
                    user: who.id(),
                    role: "",
                    public: access::decide(who, Permission::ManageAccess).allow,
                    search: "",
                    state: state.map_or("", Status::name),
                    sort: Sort::Newest,
                    limit,
                    offset,
                },
            )?;
            Ok((offset, found))
        })?;
        let shown = (offset + found.documents.len()) as u64;
        let exports = found.documents.into_iter().map(|document| {
            let kept = Kept::read(document)?;
            Ok(self.told(&kept))
        });
        Ok(ExportList {
            total: found.total,
            has_more: shown < found.total,
            exports: exports.collect::<Result<_>>()?,
        })
    }

    /// The file of an export that is complete.
    ///
    /// # Errors
    /// As `export_job`; `not_ready` for an export that has no file yet; `not_found` for one whose file has expired.
    pub fn export_file(&self, who: &Principal, id: &str) -> Result<ExportFile> {
        let act = Act::new("export.download", object(id));
        let kept = self.seen(who, Permission::ReadAnalytics, &act, |session| {
            let kept = opened(session, who, id.parse()?)?;
            if kept.request.export_type == ExportType::Dataset {
                // Whoever may not see people any more does not see them in a file either.
                access::grant(who, Permission::ReadPeople, ())?;
            }
            match kept.status() {
                Status::Completed => Ok(kept),
                Status::Failed => Err(Error::new(
                    ErrorKind::NotFound,
                    "not_found",
                    "the export failed, and has no file",
                )),
                _ => Err(Error::new(
                    ErrorKind::Conflict,
                    "not_ready",
                    "the export is not complete yet",
                )),
            }
        })?;
        let gone = || {
            Error::new(
                ErrorKind::NotFound,
                "not_found",
                "the file has expired; export it again",
            )
        };
        let now = self.now();
        let file = kept.file(now).ok_or_else(gone)?;
        let job = kept.told(None, now);
        let kind = serde_json::to_value(job.export_type).map_err(Error::internal)?;
        let day = job.date_range.timezone.day(job.date_range.start_date);
        Ok(ExportFile {
            name: format!(
                "{}-{day}.{}",
                kind.as_str().unwrap_or("export"),
                job.format.name()
            ),
            format: job.format,
            size: job.file_size.unwrap_or_default(),
            reader: self.exports.files.open(file)?,
        })
    }

    /// Copies the file of an export to a path, and says how many bytes it has; waits for one that is still written here.
    ///
    /// # Errors
    /// As `export_file`; `write_failed` where the path cannot be written; `cancelled` or `timed_out` while it waits.
    pub fn save_export(&self, who: &Principal, id: &str, path: &Path) -> Result<u64> {
        let mut found = self.export_file(who, id);
        if found.as_ref().is_err_and(|e| e.code() == "not_ready") {
            let job = id.parse()?;
            while self.exports.running(job).is_some() {
                self.stop().check()?;
                self.exports.wait(job, BREATH);
            }
            found = self.export_file(who, id);
        }
        let mut file = found?;
        let refused = |e: std::io::Error| {
            let sentence = format!("`{}` cannot be written: {e}", path.display());
            Error::new(ErrorKind::Storage, "write_failed", sentence).caused_by(e)
        };
        // What stands at the path stays until the copy is whole. What is no file, such as a pipe, is written to as it is.
        if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            let mut sink = std::fs::OpenOptions::new();
            let mut sink = sink.write(true).open(path).map_err(refused)?;
            return std::io::copy(&mut file.reader, &mut sink).map_err(refused);
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let copied = std::fs::File::create(&part).and_then(|mut copy| {
            let bytes = std::io::copy(&mut file.reader, &mut copy)?;
            std::fs::rename(&part, path)?;
            Ok(bytes)
        });
        if copied.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        copied.map_err(refused)
    }

    /// Gives an export up that is not over: it is then `failed`, for the reason `cancelled`.
    ///
    /// # Errors
    /// As `export_job`; `export_over` for one that is over.
    pub fn cancel_export(&self, who: &Principal, id: &str) -> Result<ExportJob> {
        let (act, now) = (Act::new("export.cancel", object(id)), self.now());
        let kept = self.acted(who, Permission::ReadAnalytics, act, |session, _| {
            let mut kept = opened(session, who, id.parse()?)?;
            if kept.status().is_over() {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    OVER,
                    "the export is over, and cannot be cancelled any more",
                ));
            }
            kept.fail(job::CANCELLED, now);
            documents::update(session, &kept.document()?)?;
            Ok(kept)
        })?;
        self.exports.stop(kept.id());
        Ok(self.told(&kept))
    }

    /// Goes on with the exports that were under way when the store was last closed, and says how many. Files that no export has any
    /// more are taken away.
    ///
    /// # Errors
    /// What reading the store raises.
    pub fn resume_exports(&self) -> Result<usize> {
        let found = self.exports.found();
        if !found.is_empty() {
            let kept = read(&*self.metadata()?, |session| {
                expiries::due(session, Kind::Export, Instant::MAX)
            })?;
            let kept = kept.into_iter().map(Kept::read);
            let kept: Vec<Kept> = kept.collect::<Result<_>>()?;
            let has = |file: &String| kept.iter().any(|k| k.has_file(file));
            for orphan in found.iter().filter(|file| !has(file)) {
                self.exports.files.remove(orphan);
            }
        }
        let left = read(&*self.metadata()?, |session| {
            let mut left = documents::in_state(session, Kind::Export, Status::Processing.name())?;
            left.extend(documents::in_state(
                session,
                Kind::Export,
                Status::Pending.name(),
            )?);
            Ok(left)
        })?;
        let mut resumed = 0;
        for kept in self.ours(left)? {
            if self.exports.running(kept.id()).is_none() {
                self.start(kept)?;
                resumed += 1;
            }
        }
        Ok(resumed)
    }

    /// Takes the files of exports away that have expired, and says how many; where that was done less than a minute ago, none. Whoever
    /// exports does it too.
    ///
    /// # Errors
    /// What the store raises.
    pub fn expire_exports(&self) -> Result<usize> {
        let (store, now) = (self.metadata()?, self.now());
        if store.read_only() || !self.exports.are_to_be_swept(now) {
            return Ok(0);
        }
        let due = read(&*store, |session| expiries::due(session, Kind::Export, now))?;
        let mut expired = 0;
        for mut kept in self.ours(due)? {
            if kept.file(now).is_none() && self.take_away(&mut kept, now)? {
                expired += 1;
            }
        }
        Ok(expired)
    }

    /// Takes the file of an export away, if it has one, with an entry in the record; the file first, so that none outlasts its export.
    fn take_away(&self, kept: &mut Kept, now: Instant) -> Result<bool> {
        let Some(file) = kept.expire(now) else {
            change(&*self.metadata()?, |s| {
                expiries::clear(s, Kind::Export, kept.id())
            })?;
            return Ok(false);
        };
        self.exports.files.remove(&file);
        let document = kept.document()?;
        let act = Act::new("export.expire", object(&kept.id().to_string()));
        change(&*self.metadata()?, |session| {
            let is_new = documents::update(session, &document)?;
            if is_new {
                expiries::clear(session, Kind::Export, kept.id())?;
                let system = Principal::new("system", "admin");
                let outcome = (
                    Outcome::Allowed,
                    "files are kept no longer than they may be",
                );
                audit::append(session, vec![audit::entry(&system, &act, outcome, now)])?;
            }
            Ok(is_new)
        })
    }

    /// Those exports that are of this store: several may share what is kept about them, each with events and files of its own.
    fn ours(&self, documents: Vec<Document>) -> Result<Vec<Kept>> {
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let home = self.home()?;
        let kept = documents.into_iter().map(Kept::read);
        let mut kept = kept.collect::<Result<Vec<Kept>>>()?;
        kept.retain(|kept| kept.is_of(&home));
        Ok(kept)
    }

    /// What this store is known by among others.
    fn home(&self) -> Result<String> {
        self.exports.home(|| {
            let mut chance = [0; 16];
            (self.chance)(&mut chance)?;
            Ok(Files::name(chance))
        })
    }

    /// Begins to write an export on a thread of its own.
    fn start(&self, kept: Kept) -> Result<()> {
        let running = self.exports.begin(kept.id());
        // Whoever asked may go; only a cancellation stops an export.
        let stop = Arc::clone(&running);
        let free = Self {
            stop: None,
            progress: None,
            ..self.clone()
        };
        let handle = free.until(move || stop.stop.load(Ordering::Relaxed));
        let id = kept.id();
        let thread = std::thread::Builder::new().name("travelsense-export".to_owned());
        let begun = thread.spawn(move || {
            let _over = Over::of(&handle.exports, id);
            handle.work(kept, &running);
        });
        if let Err(error) = begun {
            self.exports.forget(id);
            return Err(Error::internal(error));
        }
        Ok(())
    }

    /// Writes an export, or says why not.
    fn work(&self, mut kept: Kept, running: &Running) {
        let ended = if self.exports.turn(running) {
            self.write(&mut kept, running)
        } else {
            return;
        };
        let Err(error) = ended else { return };
        // Where the store is being closed the export is left as it is, to go on later; where it was cancelled, that is kept already.
        let closing = self.exports.are_closing();
        if closing || running.stop.load(Ordering::Relaxed) {
            return;
        }
        // A fault of ours is not described to those who asked.
        let reason = match error.kind() {
            ErrorKind::Internal => "internal error",
            _ => error.message(),
        };
        kept.fail(reason, self.now());
        // Where even that cannot be kept, the export is taken up again when the store is next opened.
        let _ = self.give_up(&kept, reason);
    }

    fn write(&self, kept: &mut Kept, running: &Running) -> Result<()> {
        kept.process(self.now());
        if !self.keep(kept)? {
            // Somebody else cancelled it, or goes on with it.
            return Ok(());
        }
        let who = Principal::new(kept.owner(), kept.role());
        let report = self.report(&who, &kept.request, kept.created_at())?;
        let mut chance = [0; 16];
        (self.chance)(&mut chance)?;
        let (name, format) = (Files::name(chance), kept.request.format);
        let files = &self.exports.files;
        let (size, rows) = files.create(&name, |sink| {
            let sink = Heeding { sink, running };
            export::write(format, report, sink, &mut |rows| {
                running.rows.store(rows, Ordering::Relaxed);
                if running.stop.load(Ordering::Relaxed) {
                    return Err(Error::new(
                        ErrorKind::Cancelled,
                        "cancelled",
                        "the export was cancelled",
                    ));
                }
                Ok(())
            })
        })?;
        let mut complete = kept.clone();
        complete.complete((name.clone(), size, rows), self.now());
        let act = Act::new("export.complete", object(&kept.id().to_string()));
        let done = self.acted(&who, Permission::ReadAnalytics, act, |session, _| {
            if documents::update(session, &complete.document()?)? {
                if let Some(due) = complete.expires_at() {
                    expiries::set(session, Kind::Export, complete.id(), due)?;
                }
                return self.tell_of_export(session, kept, "completed", "your export is complete");
            }
            Err(Error::new(
                ErrorKind::Conflict,
                OVER,
                "the export was given up before it was complete",
            ))
        });
        if done.is_err() {
            files.remove(&name);
        }
        match done {
            // Whoever gave it up has kept why.
            Err(error) if error.code() == OVER => Ok(()),
            done => done,
        }
    }

    /// Keeps an export as it is now; `false` where it was changed elsewhere since it was read.
    fn keep(&self, kept: &Kept) -> Result<bool> {
        let document = kept.document()?;
        change(&*self.metadata()?, |s| documents::update(s, &document))
    }

    /// Keeps an export that failed, with an entry in the record, and tells whoever asked for it.
    fn give_up(&self, kept: &Kept, reason: &str) -> Result<()> {
        let document = kept.document()?;
        let who = Principal::new(kept.owner(), kept.role());
        let act = Act::new("export.complete", object(&kept.id().to_string()));
        let entry = audit::entry(&who, &act, (Outcome::Failed, reason), self.now());
        change(&*self.metadata()?, |session| {
            if documents::update(session, &document)? {
                audit::append(session, vec![entry])?;
                let title = format!("your export failed: {reason}");
                self.tell_of_export(session, kept, "failed", &title)?;
            }
            Ok(())
        })
    }

    /// An export as it is told, with the rows written so far.
    fn told(&self, kept: &Kept) -> ExportJob {
        let running = self.exports.running(kept.id());
        let rows = running.map(|r| r.rows.load(Ordering::Relaxed));
        let rows = rows.filter(|_| kept.status() == Status::Processing);
        kept.told(rows, self.now())
    }

    /// Takes the files of all datasets away, which hold what users did, and gives those up that are not complete: what was erased
    /// is in no file that can still be fetched.
    pub(super) fn forget_exports(&self) -> Result<()> {
        let (store, now) = (self.metadata()?, self.now());
        for status in [Status::Pending, Status::Processing, Status::Completed] {
            let found = read(&*store, |session| {
                documents::in_state(session, Kind::Export, status.name())
            })?;
            for mut kept in self.ours(found)? {
                if kept.request.export_type != ExportType::Dataset {
                    continue;
                }
                if status == Status::Completed {
                    self.take_away(&mut kept, now)?;
                    continue;
                }
                kept.fail(job::ERASED, now);
                self.keep(&kept)?;
                self.exports.stop(kept.id());
            }
        }
        Ok(())
    }
}

/// What is wrong with the places that are to be told of an export.
fn told_to(request: &Value) -> Vec<FieldError> {
    let places = request.get("notify").and_then(Value::as_array);
    let wrong = places
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(i, place)| {
            let error = Channel::parse(place).err()?;
            let within = error.field_errors().iter().map(move |fault| FieldError {
                field: fault.field.replacen("channel", &format!("notify[{i}]"), 1),
                ..fault.clone()
            });
            Some(within.collect::<Vec<_>>())
        });
    wrong.flatten().collect()
}

/// An export that somebody may see: their own, or any for those who manage access.
fn opened(session: &mut dyn Session, who: &Principal, id: ObjectId) -> Result<Kept> {
    let document = documents::get(session, Kind::Export, id)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "not_found",
            format!("there is no export `{id}`"),
        )
    })?;
    let kept = Kept::read(document)?;
    if kept.owner() == who.id() || access::decide(who, Permission::ManageAccess).allow {
        return Ok(kept);
    }
    Err(Error::new(
        ErrorKind::Forbidden,
        "forbidden",
        "the export is somebody else's",
    ))
}

/// Whether a dashboard exists and somebody may see it. The specification has no 404 for exports: one that does not exist is a
/// fault of the request.
fn may_see(session: &mut dyn Session, who: &Principal, id: &str) -> Result<()> {
    match dashboard::open(session, who, id.parse()?, Access::View) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::field(
            "dashboardId",
            "not_found",
            error.message().to_owned(),
        )),
        Err(error) => Err(error),
    }
}

fn object(id: &str) -> String {
    format!("export/{id}")
}
