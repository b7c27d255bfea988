//! What became of one batch of several that were stored as one.

use serde_json::{Value, json};

use super::ingest::too_many_names;
use super::report::{EventAnswer, IngestReport, Status};
use crate::warehouse::Committed;

/// What became of the events of a batch; numbers are places in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Events whose name would be one too many.
    unnamed: Vec<u64>,
    /// Events that were there already.
    repeated: Vec<u64>,
    conflicts: u64,
    replaced: u64,
    version: u64,
}

impl Outcome {
    /// Of the batch whose events have the numbers from `first` on.
    pub(crate) fn of(first: u64, sent: u64, unnamed: &[u64], committed: &Committed) -> Self {
        let within = |lines: &[u64]| -> Vec<u64> {
            let from = lines.partition_point(|line| *line < first);
            let own = lines.get(from..).unwrap_or_default().iter();
            own.take_while(|line| **line < first + sent)
                .map(|line| line - first)
                .collect()
        };
        Self {
            unnamed: within(unnamed),
            repeated: within(&committed.repeated),
            conflicts: within(&committed.conflicting).len() as u64,
            replaced: within(&committed.replacing).len() as u64,
            version: committed.version,
        }
    }

    /// Makes a report that knows only of the refused complete.
    pub(crate) fn report(&self, report: &mut IngestReport) {
        let mark = |events: &mut [EventAnswer], places: &[u64], status| {
            for place in places {
                if let Some(answer) = events.get_mut(*place as usize) {
                    answer.status = status;
                    if status == Status::Refused {
                        answer.errors = too_many_names().errors;
                    }
                }
            }
        };
        mark(&mut report.events, &self.unnamed, Status::Refused);
        mark(&mut report.events, &self.repeated, Status::Duplicate);
        report.refused += self.unnamed.len() as u64;
        report.duplicates = self.repeated.len() as u64;
        report.accepted = report.sent - report.refused - report.duplicates;
        report.conflicts = self.conflicts;
        report.replaced = self.replaced;
        report.version = self.version;
    }

    /// The same to a report that was written as JSON.
    pub(crate) fn write(&self, report: &mut Value) {
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let mut mark = |places: &[u64], status: &str, errors: Option<Value>| {
            for place in places {
                let events = report.get_mut("events").and_then(Value::as_array_mut);
                let answer = events.and_then(|events| events.get_mut(*place as usize));
                if let Some(answer) = answer.and_then(Value::as_object_mut) {
                    answer.insert("status".to_owned(), json!(status));
                    if let Some(errors) = &errors {
                        answer.insert("errors".to_owned(), errors.clone());
                    }
                }
            }
        };
        mark(
            &self.unnamed,
            "refused",
            serde_json::to_value(too_many_names().errors).ok(),
        );
        mark(&self.repeated, "duplicate", None);
        let Some(report) = report.as_object_mut() else {
            return;
        };
        let sent = report.get("sent").map(number).unwrap_or_default();
        let refused =
            report.get("refused").map(number).unwrap_or_default() + self.unnamed.len() as u64;
        let duplicates = self.repeated.len() as u64;
        for (name, count) in [
            ("refused", refused),
            ("duplicates", duplicates),
            ("accepted", sent - refused - duplicates),
            ("conflicts", self.conflicts),
            ("replaced", self.replaced),
            ("version", self.version),
        ] {
            report.insert(name.to_owned(), json!(count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_and_its_json_are_completed_alike() {
        let committed = Committed {
            version: 9,
            repeated: vec![3, 10, 12, 20],
            conflicting: vec![10, 12, 12, 30],
            replacing: vec![11, 40],
            ..Committed::default()
        };
        let outcome = Outcome::of(10, 5, &[9, 13, 15], &committed);
        let mut report = IngestReport {
            sent: 5,
            refused: 1,
            quarantined: 1,
            ..IngestReport::default()
        };
        for index in 0..5 {
            report.events.push(EventAnswer {
                index,
                status: if index == 4 {
                    Status::Refused
                } else {
                    Status::Accepted
                },
                errors: Vec::new(),
            });
        }
        let mut json = serde_json::to_value(&report).unwrap();
        outcome.report(&mut report);
        outcome.write(&mut json);
        assert_eq!(json, serde_json::to_value(&report).unwrap());
        assert_eq!(
            (report.accepted, report.duplicates, report.refused),
            (1, 2, 2)
        );
        assert_eq!(
            (report.conflicts, report.replaced, report.version),
            (3, 1, 9)
        );
    }
}
