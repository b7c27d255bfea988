//! The Python door: the private module `travelsense._native` under the package in `python/`.
//!
//! A function here takes the JSON of a question, asks the core without holding the interpreter's lock, and hands back an
//! answer; what a question means and what is wrong with it is the core's to say.

mod anomaly;
mod answer;
mod capsule;
mod error;
mod forecast;
mod import;
mod letter;
mod patience;
mod store;
mod words;
mod worker;

/// The compiled part of `travelsense`; everything public is in the package around it.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::anomaly::detect_anomalies;
    #[pymodule_export]
    use super::answer::Answer;
    #[pymodule_export]
    use super::forecast::{backtest, forecast};
    #[pymodule_export]
    use super::letter::Letter;
    #[pymodule_export]
    use super::patience::Stop;
    #[pymodule_export]
    use super::store::Store;

    use pyo3::prelude::*;

    /// The switches of a word and what each decides, as JSON.
    #[pyfunction]
    fn rules(py: Python<'_>, word: &str) -> PyResult<String> {
        crate::store::text(&travelsense::explain::rules(word))
            .map_err(|e| crate::error::raise(py, &e))
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
