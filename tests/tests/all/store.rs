//! Stores in memory whose clock stands still.

use std::io::Write;
use std::sync::Arc;

use serde_json::Value;
use travelsense::events::{ImportOptions, IngestReport, Mapping, Source, Table};
use travelsense::{Analytics, Instant, Options, Principal};
use travelsense_tests::vector::Vector;

/// A store in memory with a clock that stands at `now`.
pub(crate) fn open(now: i64, threads: usize) -> Analytics {
    let now = Instant::from_micros(now).expect("an instant");
    let options = Options {
        threads: Some(threads),
        clock: Arc::new(move || now),
        ..Options::default()
    };
    Analytics::open_with(options).expect("a store in memory")
}

/// Imports rows, one JSON object each, into a table of the platform.
pub(crate) fn import(store: &Analytics, table: Table, rows: &[Value]) {
    if rows.is_empty() {
        return;
    }
    let mut file = tempfile::Builder::new()
        .suffix(".ndjson")
        .tempfile()
        .expect("a file");
    for row in rows {
        writeln!(file, "{row}").expect("room on the disk");
    }
    let source = Source::Path(file.path().to_owned());
    let mut options = ImportOptions {
        table: Some(table),
        strict: true,
        progress: None,
    };
    store
        .import(
            &Principal::owner(),
            source,
            &Mapping::default(),
            &mut options,
        )
        .expect("rows that are valid");
}

/// Ingests a batch.
pub(crate) fn ingest(store: &Analytics, events: &[Value]) -> IngestReport {
    store
        .ingest(&Principal::owner(), &Value::Array(events.to_vec()))
        .expect("a batch")
}

/// A store as a vector has it, and the report of its ingest.
pub(crate) fn of(vector: &Vector) -> (Analytics, IngestReport) {
    let store = open(vector.now(), 2);
    import(&store, Table::Profiles, &vector.profiles);
    import(&store, Table::Rates, &vector.rates);
    import(&store, Table::Aliases, &vector.aliases);
    import(&store, Table::Merges, &vector.merges);
    let report = ingest(&store, &vector.events);
    for cohort in &vector.cohorts {
        let name = cohort["name"].as_str().expect("a name");
        store
            .create_cohort(&Principal::owner(), name, &cohort["definition"])
            .expect("a cohort that is valid");
    }
    let me = Principal::owner();
    for model in &vector.models {
        let (text, body) = without(model, "text");
        store
            .register_model(&me, &body, text.as_bytes())
            .expect("a model");
    }
    for run in &vector.predictions {
        let (name, body) = without(run, "name");
        store
            .add_predictions(&me, &name, &body)
            .expect("predictions");
    }
    for one in &vector.asked {
        let (word, body) = without(one, "word");
        store
            .ask(&me, &word, &body["question"])
            .expect("an answer that is kept");
    }
    for came in &vector.actuals {
        let (name, body) = without(came, "name");
        store.add_actuals(&me, &name, &body).expect("what came");
    }
    (store, report)
}

/// The text of a field, and the object without it.
fn without(object: &Value, field: &str) -> (String, Value) {
    let mut rest = object.as_object().expect("an object").clone();
    let text = rest.remove(field);
    let text = text.as_ref().and_then(Value::as_str).expect("a text");
    (text.to_owned(), Value::Object(rest))
}
