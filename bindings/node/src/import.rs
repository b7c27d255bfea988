//! Events from files and from Arrow, with progress that may stop them.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::Status;
use napi::bindgen_prelude::{Either, FnArgs, Uint8Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use travelsense::events::{ImportOptions, Progress, Source, read_ipc};
use travelsense::{Error, Result};

use crate::answer::text;
use crate::error::parse;
use crate::patience::Stop;
use crate::store::Store;
use crate::work::Promised;

/// Rows, of how many rows, bytes, of how many bytes.
type SoFar = FnArgs<(f64, Option<f64>, f64, Option<f64>)>;

/// What hears how far an import is.
type Hear = ThreadsafeFunction<SoFar, (), SoFar, Status, false>;

#[napi]
impl Store {
    /// Imports a file, or Arrow IPC from memory; the options and the report are JSON.
    #[napi]
    pub fn import(
        &self,
        source: Either<String, Uint8Array>,
        options: String,
        stop: &Stop,
        hear: Option<Hear>,
    ) -> Promised<String> {
        let stop = stop.flag();
        // The bytes are copied because the caller could change them while another thread reads.
        let source = match source {
            Either::A(path) => Either::A(path),
            Either::B(bytes) => Either::B(bytes.to_vec()),
        };
        self.ask(move |a, who| {
            let mut progress = |so_far: Progress| tell(so_far, hear.as_ref(), &stop);
            let (mapping, mut options) = ImportOptions::parse(&parse(&options)?)?;
            options.progress = Some(&mut progress);
            text(&a.import(who, rows(source)?, &mapping, &mut options)?)
        })
    }
}

fn rows(source: Either<String, Vec<u8>>) -> Result<Source> {
    match source {
        Either::A(path) => Ok(Source::Path(PathBuf::from(path))),
        Either::B(bytes) => read_ipc(Cursor::new(bytes))
            .map(Source::Batches)
            .map_err(|e| {
                let message = format!("holds no Arrow IPC: {e}");
                Error::field("source", "invalid_arrow", message)
            }),
    }
}

fn tell(so_far: Progress, hear: Option<&Hear>, stop: &AtomicBool) -> ControlFlow<()> {
    if let Some(hear) = hear {
        // Beyond 2^53 a number would be rounded, which does a progress bar no harm.
        let number = |n: u64| n as f64;
        let now = (
            number(so_far.rows),
            so_far.total_rows.map(number),
            number(so_far.bytes),
            so_far.total_bytes.map(number),
        );
        hear.call(now.into(), ThreadsafeFunctionCallMode::NonBlocking);
    }
    if stop.load(Ordering::Relaxed) {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}
