//! Events from files and from other libraries, with Python's Ctrl-C and progress.

use std::ops::ControlFlow;
use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use travelsense::events::{ImportOptions, ImportReport, Progress, Source};

use crate::capsule;
use crate::store::{Store, json};

/// Where rows come from: a path, or anything that exports Arrow.
pub(crate) fn source(source: &Bound<'_, PyAny>) -> PyResult<Source> {
    if let Ok(path) = source.extract::<PathBuf>() {
        Ok(Source::Path(path))
    } else if capsule::exports(source)? {
        Ok(Source::Batches(capsule::batches(source)?))
    } else {
        let given = source.get_type().name()?;
        let sentence =
            format!("a path or an Arrow table is needed, not {given}; dicts go to `ingest`");
        Err(PyTypeError::new_err(sentence))
    }
}

/// Imports; stopped, with nothing kept, by Ctrl-C and by an exception of `progress`, which is then raised.
pub(crate) fn run(
    store: &Store,
    py: Python<'_>,
    source: Source,
    options: &str,
    progress: Option<&Py<PyAny>>,
) -> PyResult<ImportReport> {
    let mut raised = None;
    let mut hear = |so_far: Progress| match tell(progress, so_far) {
        Ok(()) => ControlFlow::Continue(()),
        Err(exception) => {
            raised = Some(exception);
            ControlFlow::Break(())
        }
    };
    let report = store.ask(py, |a, who| {
        let (mapping, mut options) = ImportOptions::parse(&json(options)?)?;
        options.progress = Some(&mut hear);
        a.import(who, source, &mapping, &mut options)
    });
    raised.map_or(report, Err)
}

fn tell(progress: Option<&Py<PyAny>>, so_far: Progress) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        if let Some(progress) = progress {
            let Progress {
                rows,
                total_rows,
                bytes,
                total_bytes,
            } = so_far;
            progress.call1(py, (rows, total_rows, bytes, total_bytes))?;
        }
        Ok(())
    })
}
