//! How to open a store and how to import into it, in the JSON form that doors share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::analytics::Options;
use crate::error::{Error, FieldError, Result};
use crate::events::{ImportOptions, Mapping, Name, Table};
use crate::query::Window;
use crate::query::fields::{self, Fields, Parsed};

/// The largest whole number that JSON carries exactly everywhere.
const LARGEST: i64 = (1 << 53) - 1;

impl Options {
    /// Reads options in their JSON form: `path` (`:memory:` for a store that ends with its handle), `readOnly`, `threads`,
    /// `memoryLimit` in bytes, `timeout` in seconds or as text with a unit, `now` (the instant at which the store's clock stands still).
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(options: &Value) -> Result<Self> {
        let mut fields = Fields::of(options)?;
        let mut read = Self {
            path: fields.required("path", path),
            read_only: fields
                .optional("readOnly", fields::boolean)
                .unwrap_or_default(),
            threads: fields
                .optional("threads", |v| fields::integer(v, 1, 1024))
                .and_then(|n| usize::try_from(n).ok()),
            memory_limit: fields
                .optional("memoryLimit", |v| fields::integer(v, 1, LARGEST))
                .map(i64::unsigned_abs),
            timeout: fields
                .optional("timeout", timeout)
                .map(|limit| Duration::from_micros(limit.micros().unsigned_abs())),
            ..Self::default()
        };
        if let Some(now) = fields.optional("now", fields::instant) {
            read.clock = Arc::new(move || now);
        }
        fields.finish(Vec::new())?;
        Ok(read)
    }
}

impl Options {
    /// Reads how long one question may take from the JSON form that doors share: `timeout` in seconds or as text with a unit, or
    /// `timeoutMs`; nothing where neither is given.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn limit(asked: &Value) -> Result<Option<Duration>> {
        let mut fields = Fields::of(asked)?;
        let text = fields.optional("timeout", timeout);
        let millis = fields.optional("timeoutMs", |v| fields::integer(v, 1, LARGEST / 1_000));
        fields.finish(Vec::new())?;
        let text = text.map(|limit| Duration::from_micros(limit.micros().unsigned_abs()));
        Ok(text.or(millis.map(|ms| Duration::from_millis(ms.unsigned_abs()))))
    }
}

impl ImportOptions<'_> {
    /// Reads how to import from its JSON form: the fields of a mapping, see [`Mapping::parse`]; `event`, one name for all
    /// rows in place of a column; `table`, `strict`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(options: &Value) -> Result<(Mapping, Self)> {
        let (mut mine, mut others) = (options.clone(), options.clone());
        if let (Some(mine), Some(others)) = (mine.as_object_mut(), others.as_object_mut()) {
            mine.retain(|name, _| OWN.contains(&name.as_str()));
            others.retain(|name, _| !OWN.contains(&name.as_str()));
        }
        let mut fields = Fields::of(&mine)?;
        let event = fields.optional("event", fields::name);
        let read = Self {
            table: fields.optional("table", |v| {
                fields::one_of(v, &Table::ALL.map(|table| (table.name(), table)))
            }),
            strict: fields
                .optional("strict", fields::boolean)
                .unwrap_or_default(),
            progress: None,
        };
        let both = event.is_some() && others.get("name").is_some_and(|name| !name.is_null());
        let conflict = both.then(|| FieldError {
            field: "event".to_owned(),
            code: "conflict",
            message: "must not be given beside `name`".to_owned(),
        });
        match (
            Mapping::parse(&others),
            fields.finish(conflict.into_iter().collect()),
        ) {
            (Ok(mut mapping), Ok(())) => {
                mapping.name = event.map(Name::Constant).or(mapping.name);
                Ok((mapping, read))
            }
            (Err(error), Ok(())) | (Ok(_), Err(error)) => Err(error),
            (Err(one), Err(other)) => {
                let all = [one.field_errors(), other.field_errors()].concat();
                Err(Error::fields(all))
            }
        }
    }
}

/// What of an import's options is not its mapping.
const OWN: [&str; 3] = ["event", "table", "strict"];

/// A length of time that gives a question a chance.
fn timeout(value: &Value) -> Parsed<Window> {
    match fields::window(value)? {
        limit if limit.micros() == 0 => fields::fault("out_of_range", "must be above 0"),
        limit => Ok(limit),
    }
}

fn path(value: &Value) -> Parsed<Option<PathBuf>> {
    match fields::text(value)? {
        "" => fields::fault("invalid_length", "must name a file, or be `:memory:`"),
        ":memory:" => Ok(None),
        path => Ok(Some(PathBuf::from(path))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_read_and_the_clock_can_stand_still() {
        let read = Options::parse(&json!({
            "path": "a.db", "readOnly": true, "threads": 2, "memoryLimit": 1000, "timeout": "30s", "now": "2026-01-01T00:00:00Z"
        }))
        .unwrap();
        assert_eq!(read.path, Some(PathBuf::from("a.db")));
        assert!(read.read_only);
        assert_eq!((read.threads, read.memory_limit), (Some(2), Some(1000)));
        assert_eq!(read.timeout, Some(Duration::from_secs(30)));
        assert_eq!((read.clock)(), "2026-01-01T00:00:00Z".parse().unwrap());
        let memory = Options::parse(&json!({"path": ":memory:", "threads": null})).unwrap();
        assert_eq!(
            (memory.path, memory.read_only, memory.threads),
            (None, false, None)
        );
    }

    #[test]
    fn everything_wrong_with_options_is_said_at_once() {
        let wrong = json!({"path": "", "readOnly": 1, "threads": 0, "memoryLimit": -1, "timeout": 0, "now": "soon", "mode": "r"});
        let error = Options::parse(&wrong).unwrap_err();
        let faults: Vec<_> = error
            .field_errors()
            .iter()
            .map(|f| (f.field.as_str(), f.code))
            .collect();
        let expected = [
            ("path", "invalid_length"),
            ("readOnly", "invalid_type"),
            ("threads", "out_of_range"),
            ("memoryLimit", "out_of_range"),
            ("timeout", "out_of_range"),
            ("now", "invalid_date"),
            ("mode", "unknown_field"),
        ];
        assert_eq!(faults, expected);
        assert_eq!(
            Options::parse(&json!({})).unwrap_err().field_errors()[0].code,
            "required"
        );
    }

    #[test]
    fn a_question_may_have_a_limit_of_its_own() {
        let limit = |asked: Value| Options::limit(&asked).map_err(|e| e.field_errors()[0].code);
        assert_eq!(limit(json!({})), Ok(None));
        assert_eq!(
            limit(json!({"timeout": "2s"})),
            Ok(Some(Duration::from_secs(2)))
        );
        assert_eq!(
            limit(json!({"timeoutMs": 5})),
            Ok(Some(Duration::from_millis(5)))
        );
        assert_eq!(limit(json!({"timeout": 0})), Err("out_of_range"));
        assert_eq!(limit(json!({"timeoutMs": 0})), Err("out_of_range"));
        assert_eq!(limit(json!({"timeoutMs": "5"})), Err("invalid_type"));
        assert_eq!(limit(json!({"limit": 5})), Err("unknown_field"));
    }

    #[test]
    fn an_import_is_read_with_its_mapping() {
        let asked = json!({"user": "customer_id", "event": "buy", "name": null, "table": null, "strict": true});
        let (mapping, options) = ImportOptions::parse(&asked).unwrap();
        assert_eq!(mapping.user.as_deref(), Some("customer_id"));
        assert_eq!(mapping.name, Some(Name::Constant("buy".to_owned())));
        assert_eq!((options.table, options.strict), (None, true));
        let asked = json!({"name": "activity", "table": "profiles"});
        let (mapping, options) = ImportOptions::parse(&asked).unwrap();
        assert_eq!(mapping.name, Some(Name::Column("activity".to_owned())));
        assert_eq!(
            (options.table, options.strict),
            (Some(Table::Profiles), false)
        );
    }

    #[test]
    fn everything_wrong_with_an_import_is_said_at_once() {
        let faults = |options: Value| -> Vec<_> {
            let error = ImportOptions::parse(&options).unwrap_err();
            let faults = error.field_errors().iter();
            faults.map(|f| (f.field.clone(), f.code)).collect()
        };
        let expected = [
            ("user", "invalid_type"),
            ("when", "unknown_field"),
            ("table", "not_in_list"),
            ("strict", "invalid_type"),
            ("event", "conflict"),
        ]
        .map(|(field, code)| (field.to_owned(), code));
        let wrong = json!({"user": 5, "when": "x", "table": "users", "strict": 1, "event": "a", "name": "b"});
        assert_eq!(faults(wrong), expected);
        assert_eq!(
            faults(json!({"event": ""})),
            [("event".to_owned(), "invalid_length")]
        );
        assert_eq!(faults(json!([])), [("question".to_owned(), "invalid_type")]);
    }
}
