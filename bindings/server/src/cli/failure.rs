//! How a command fails: a sentence on standard error, and an exit code.

use std::io;
use std::process::ExitCode;

use travelsense::{Error, ErrorKind};

use super::output;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The core or a setting refused; each line is a sentence.
    Refused { lines: Vec<String>, invalid: bool },
    /// Nobody reads the output any more, as with `| head`; that is no fault.
    Closed,
}

/// The fields of questions that flags of another name give.
const FLAGS: [(&str, &str); 29] = [
    ("startDate", "--start"),
    ("endDate", "--end"),
    ("steps", "--steps"),
    ("window", "--window"),
    ("timezone", "--timezone"),
    ("segment", "--segment"),
    ("asOf", "--as-of"),
    ("cohortPeriod", "--period"),
    ("start", "--start-event"),
    ("return", "--return-event"),
    ("end", "--end-event"),
    ("unit", "--unit"),
    ("length", "--length"),
    ("limit", "--limit"),
    ("period", "--period"),
    ("features", "--features"),
    ("within", "--within"),
    ("between", "--between"),
    ("breakdown", "--breakdown"),
    ("weekStart", "--week-start"),
    ("periods", "--periods"),
    ("user", "--user"),
    ("anonymous", "--anonymous"),
    ("session", "--session"),
    ("name", "--name"),
    ("time", "--time"),
    ("id", "--id"),
    ("timeUnit", "--time-unit"),
    ("source", "SOURCE:"),
];

impl Failure {
    /// Input that is not valid.
    pub(super) fn invalid(sentence: impl Into<String>) -> Self {
        Self::Refused {
            lines: vec![sentence.into()],
            invalid: true,
        }
    }

    /// Something that did not work although the input is valid.
    pub(super) fn failed(sentence: impl Into<String>) -> Self {
        Self::Refused {
            lines: vec![sentence.into()],
            invalid: false,
        }
    }

    /// Input that is not valid for all these reasons; nothing without any.
    pub(super) fn all_invalid(lines: Vec<String>) -> Option<Self> {
        (!lines.is_empty()).then_some(Self::Refused {
            lines,
            invalid: true,
        })
    }

    /// What the core refused, with each field by the name that it has here.
    pub(super) fn of(error: &Error, named: impl Fn(&str) -> String) -> Self {
        let faults = error.field_errors().iter();
        let mut lines: Vec<String> = faults
            .map(|f| format!("{} {}", named(&f.field), f.message))
            .collect();
        if lines.is_empty() {
            lines.push(error.message().to_owned());
        }
        Self::Refused {
            lines,
            invalid: error.kind() == ErrorKind::Invalid,
        }
    }

    /// Its sentences.
    pub(super) fn lines(&self) -> &[String] {
        match self {
            Self::Closed => &[],
            Self::Refused { lines, .. } => lines,
        }
    }

    /// Says it and gives the exit code.
    pub(super) fn report(&self) -> ExitCode {
        match self {
            Self::Closed => ExitCode::SUCCESS,
            Self::Refused { lines, invalid } => {
                for line in lines {
                    output::complain(line);
                }
                ExitCode::from(if *invalid { 2 } else { 1 })
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error, flag)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::Closed
        } else {
            Self::failed(format!("cannot write: {error}"))
        }
    }
}

/// The flag that gave a field, with the place inside it: `steps[2]` is `--steps[2]`.
fn flag(field: &str) -> String {
    let (name, place) = field.split_at(field.find(['[', '.']).unwrap_or(field.len()));
    FLAGS
        .iter()
        .find(|f| f.0 == name)
        .map_or_else(|| field.to_owned(), |f| format!("{}{place}", f.1))
}
