//! Events on their way in: the model, the mapping of columns, the readers, the one pipeline, and the catalogue.

pub(crate) mod batch;
pub mod catalogue;
mod cell;
mod ingest;
pub mod mapping;
pub mod model;
pub(crate) mod money;
pub(crate) mod outcome;
mod reader;
pub mod report;
mod shape;
pub mod source;

pub use batch::EventBatch;
pub use catalogue::{Catalogue, Revenue};
pub use ingest::{ImportOptions, Names, OnProgress, Prepared, Sound, import, ingest, prepare};
pub(crate) use ingest::{Reading, prepare_records, prepare_texts};
pub use mapping::{Mapping, Name, Unit};
pub use model::{Datum, Event, EventId, Record, Table};
pub use reader::{DEEPEST_TYPE, read_ipc};
pub use report::{EventAnswer, ImportReport, IngestReport, Progress, Refusal, Status};
pub use shape::Held;
pub(crate) use shape::promoted;
pub use source::{Format, Source};
