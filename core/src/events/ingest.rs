//! The one way in: read, build, check, and store in one transaction.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;

use serde_json::Value;

use super::batch::EventBatch;
use super::catalogue::Catalogue;
use super::mapping::Mapping;
use super::model::{Event, EventId, Record, Table};
use super::outcome::Outcome;
use super::reader::{self, Built};
use super::report::{EventAnswer, ImportReport, IngestReport, LISTED, Progress, Refusal, Status};
use super::shape::{Events, Held, Records, Refused, Shape};
use super::source::Source;
use crate::access::Scoped;
use crate::error::{Error, ErrorKind, FieldError, Result};
use crate::query::Instant;
use crate::warehouse::{Load, Warehouse};

/// Hears how far an import is and may stop it.
pub type OnProgress<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// How an import is done.
#[derive(Default)]
pub struct ImportOptions<'a> {
    /// The platform's table that the rows belong to; `None` is the events.
    pub table: Option<Table>,
    /// Keeps nothing where any row is refused.
    pub strict: bool,
    /// Hears how far it is, the last time just before what was read is made durable, and stops it by `ControlFlow::Break`; then nothing
    /// is kept.
    pub progress: Option<&'a mut OnProgress<'a>>,
}

impl fmt::Debug for ImportOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportOptions")
            .field("table", &self.table)
            .field("strict", &self.strict)
            .finish_non_exhaustive()
    }
}

/// How many refusals the error of a strict import lists.
const LISTED_STRICT: usize = 100;

/// Imports a file or batches into the events or a table; all of it or, where it fails, nothing.
///
/// # Errors
/// A source that cannot be read, columns that are not there, `cancelled`, the store's own; with `strict`,
/// `validation_failed` where any row is refused, each as `lines[<line>].<field>`.
pub fn import(
    warehouse: &dyn Warehouse,
    catalogue: &Catalogue,
    source: Source,
    mapping: &Scoped<&Mapping>,
    now: Instant,
    options: &mut ImportOptions<'_>,
) -> Result<ImportReport> {
    let mapping = *mapping.inner();
    match options.table {
        None => {
            let shape = Events::new(mapping, catalogue, now, false);
            run(
                warehouse,
                source,
                &shape,
                (now, options),
                |load, batches| load.events(&batches),
            )
        }
        Some(table) => {
            let shape = Records::new(table, mapping);
            run(
                warehouse,
                source,
                &shape,
                (now, options),
                |load, batches| {
                    let records: Vec<(u64, Record)> = batches.into_iter().flatten().collect();
                    load.records(table, &records).map(|()| Vec::new())
                },
            )
        }
    }
}

fn run<S: Shape>(
    warehouse: &dyn Warehouse,
    source: Source,
    shape: &S,
    (now, options): (Instant, &mut ImportOptions<'_>),
    store: impl Fn(&mut dyn Load, Vec<S::Batch>) -> Result<Vec<u64>>,
) -> Result<ImportReport> {
    let mut load = warehouse.load()?;
    let mut report = ImportReport::default();
    let mut read = Progress::default();
    let mut go_on = |progress: Progress| {
        if let Some(hear) = &mut options.progress
            && hear(progress) == ControlFlow::Break(())
        {
            return Err(stopped(progress.rows));
        }
        Ok(())
    };
    // One thread reads and builds, with the others' help; this one stores.
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<(Progress, Result<Vec<Built<S::Batch>>>)>(2);
        let reading = scope.spawn(move || {
            reader::read(source, shape.places(), &mut |chunk| match sender
                .send((chunk.progress, chunk.body.build(shape)))
            {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            })
        });
        for (progress, built) in receiver {
            let how = (now, options.strict);
            take(load.as_mut(), &mut report, built?, how, &store)?;
            read = progress;
            go_on(progress)?;
        }
        reading
            .join()
            .map_err(|_| Error::internal("the reader failed"))?
    })?;

    if options.strict && report.refused > 0 {
        return Err(strict(&report));
    }
    // Duplicates are known only by then, which takes its time: whoever stops it meanwhile is heard too.
    let committed = load.commit_answering(&mut |_| go_on(read).map(|()| Vec::new()))?;
    report.accepted = committed.accepted;
    report.duplicates = committed.duplicates;
    report.conflicts = committed.conflicts;
    report.replaced = committed.replaced;
    report.version = committed.version;
    Ok(report)
}

fn stopped(rows: u64) -> Error {
    Error::new(
        ErrorKind::Cancelled,
        "cancelled",
        format!("the import was stopped after {rows} rows; nothing of it was kept"),
    )
}

/// Stores the rows of a chunk and counts the refused.
fn take<T>(
    load: &mut dyn Load,
    report: &mut ImportReport,
    built: Vec<Built<T>>,
    (now, strict): (Instant, bool),
    store: &impl Fn(&mut dyn Load, Vec<T>) -> Result<Vec<u64>>,
) -> Result<()> {
    let mut batches = Vec::with_capacity(built.len());
    let mut held = Vec::new();
    for part in built {
        report.sent += part.rows;
        batches.push(part.batch);
        for (line, mut refused) in part.refused {
            let aside = refused.held.take();
            held.extend(aside.map(|held| held.told_apart(line).of_batch(now.micros())));
            refuse(report, line, refused);
        }
    }
    report.quarantined += held.len() as u64;
    // A strict import that has met a refusal keeps nothing: the rest is only checked.
    if strict && report.refused > 0 {
        return Ok(());
    }
    load.hold(&held)?;
    for line in store(load, batches)? {
        refuse(report, line, too_many_names());
    }
    Ok(())
}

fn refuse(report: &mut ImportReport, line: u64, refused: Refused) {
    report.refused += 1;
    let code = refused.errors.first().map_or("invalid", |e| e.code);
    *report.refused_by_code.entry(code).or_default() += 1;
    if report.refusals.len() < LISTED {
        report.refusals.push(Refusal {
            line,
            errors: refused.errors,
        });
    }
}

pub(crate) fn too_many_names() -> Refused {
    Refused::one(
        "name",
        "too_many_names",
        "there are 65,535 event names already, and this would be one more",
    )
}

fn strict(report: &ImportReport) -> Error {
    let lists = |refusal: &Refusal| {
        let line = refusal.line;
        refusal
            .errors
            .iter()
            .map(move |e| FieldError {
                field: format!("lines[{line}].{}", e.field),
                ..e.clone()
            })
            .collect::<Vec<_>>()
    };
    let mut fields: Vec<FieldError> = report
        .refusals
        .iter()
        .flat_map(lists)
        .take(LISTED_STRICT)
        .collect();
    fields.push(FieldError {
        field: "lines".to_owned(),
        code: "refused",
        message: format!(
            "{} of {} rows were refused, so that nothing was kept",
            report.refused, report.sent
        ),
    });
    Error::fields(fields)
}

/// The events of one batch, checked, and what is known of the answer to each.
#[derive(Debug)]
pub struct Prepared {
    /// The answers: refused, or accepted where nothing that is stored already says otherwise.
    pub report: IngestReport,
    /// The valid events, by their places in the batch.
    pub events: Sound,
    /// The refused that are kept aside.
    pub held: Vec<Held>,
    /// When the latest of the valid events happened, in microseconds.
    pub latest: Option<i64>,
}

/// The valid events of a batch: as they are where they are few, since they are stored beside those of others, and else as columns.
#[derive(Debug)]
pub enum Sound {
    /// A few.
    Few(Vec<(u64, Event)>),
    /// Many.
    Many(Box<EventBatch>),
}

/// Fewer events are a few.
const MANY: usize = 50;

impl Sound {
    fn new(rows: Vec<(u64, Event)>) -> Result<Self> {
        if rows.len() < MANY {
            return Ok(Self::Few(rows));
        }
        EventBatch::new(&rows).map(|events| Self::Many(Box::new(events)))
    }

    /// As columns.
    pub(crate) fn columns(&self) -> Result<EventBatch> {
        match self {
            Self::Few(rows) => EventBatch::new(rows),
            Self::Many(events) => Ok((**events).clone()),
        }
    }
}

/// Checks a batch of events, a JSON array of objects.
///
/// # Errors
/// `validation_failed` where it is no array.
pub fn prepare(catalogue: &Catalogue, events: &Scoped<&Value>, now: Instant) -> Result<Prepared> {
    let Some(events) = events.inner().as_array() else {
        return Err(Error::field(
            "events",
            "invalid_type",
            "must be an array of events",
        ));
    };
    let mapping = Mapping::default();
    let shape = Events::new(&mapping, catalogue, now, true);
    let events = events.iter().map(|event| reader::value(event, &shape));
    gather(events, Names::None)
}

/// By what events without an id are known when they come again.
#[derive(Clone, Copy, Debug, Default)]
pub enum Names<'a> {
    /// By nothing: they are the same as no others.
    #[default]
    None,
    /// By the name of what they come from and their places in it, of which this is the first.
    From(&'a str, u64),
    /// Each by a name of its own, in their order.
    Each(&'a [String]),
}

impl Names<'_> {
    /// The id of the event at a place; one that looks like a UUID.
    fn id(&self, place: u64) -> Option<EventId> {
        let name = match self {
            Self::None => return None,
            Self::From(name, first) => format!("{name}\n{}", first + place),
            Self::Each(names) => names.get(usize::try_from(place).ok()?)?.clone(),
        };
        let key = EventId::new(&name).key;
        Some(EventId { key, text: None })
    }
}

/// How the texts of events are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) mapping: &'a Mapping,
    /// Whether they are received now, so that the clock of who sent them can be checked.
    pub(crate) live: bool,
    pub(crate) now: Instant,
    pub(crate) names: Names<'a>,
}

/// Checks a batch of events, each as the text of a JSON object.
pub(crate) fn prepare_texts(reading: &Reading<'_>, events: &Scoped<&[&[u8]]>) -> Result<Prepared> {
    let shape = Events::new(
        reading.mapping,
        reading.catalogue,
        reading.now,
        reading.live,
    );
    let events = events.inner().iter().map(|text| reader::text(text, &shape));
    gather(events, reading.names)
}

/// Checks a batch of events as records of CSV, whose columns the first text names.
pub(crate) fn prepare_records(
    reading: &Reading<'_>,
    records: &Scoped<(&[u8], &[u8])>,
    delimiter: u8,
) -> Result<Prepared> {
    let shape = Events::new(
        reading.mapping,
        reading.catalogue,
        reading.now,
        reading.live,
    );
    let (header, body) = *records.inner();
    let events = reader::records(header, body, delimiter, &shape)?;
    gather(events.into_iter(), reading.names)
}

fn gather(
    events: impl Iterator<Item = std::result::Result<Event, Refused>>,
    names: Names<'_>,
) -> Result<Prepared> {
    let mut report = IngestReport::default();
    let mut good = Vec::with_capacity(events.size_hint().0);
    let mut held = Vec::new();
    for (index, event) in (0u64..).zip(events) {
        let mut answer = EventAnswer {
            index,
            status: Status::Accepted,
            errors: Vec::new(),
        };
        match event {
            Ok(mut event) => {
                event.id = event.id.or_else(|| names.id(index));
                good.push((index, event));
            }
            Err(mut refused) => {
                let aside = refused.held.take();
                let aside = aside.map(|held| held.named(names.id(index)).told_apart(index));
                held.extend(aside);
                answer.status = Status::Refused;
                answer.errors = refused.errors;
                report.refused += 1;
            }
        }
        report.events.push(answer);
    }
    report.sent = report.events.len() as u64;
    report.quarantined = held.len() as u64;
    Ok(Prepared {
        report,
        latest: good.iter().map(|row| row.1.ts).max(),
        events: Sound::new(good)?,
        held,
    })
}

/// Takes a batch of events, a JSON array of objects, and answers each; a success is durable.
///
/// # Errors
/// `validation_failed` where it is no array; the store's own, and then nothing of it is kept.
pub fn ingest(
    warehouse: &dyn Warehouse,
    catalogue: &Catalogue,
    events: &Scoped<&Value>,
    now: Instant,
) -> Result<IngestReport> {
    let Prepared {
        mut report,
        events,
        held,
        ..
    } = prepare(catalogue, events, now)?;
    let mut load = warehouse.load()?;
    load.hold(&held)?;
    let unnamed = load.events(&[events.columns()?])?;
    let committed = load.commit()?;
    Outcome::of(0, report.sent, &unnamed, &committed).report(&mut report);
    Ok(report)
}
