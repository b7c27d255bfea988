//! Turns a query string into the JSON form of a question. It decides what is a list, a number or a truth value and nothing
//! else: text that does not read as what it should be stays text, so that the core refuses it with its own words.

use serde_json::{Map, Number, Value};
use travelsense::{Error, FieldError};

/// A question as a query string gives it.
#[derive(Debug)]
pub(crate) struct Parameters {
    question: Value,
    repeated: Vec<String>,
}

/// How a parameter's text becomes JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// Text that is never JSON, whatever it begins with.
    Literal,
    Number,
    Truth,
    /// A list of names.
    Names,
    /// A list of numbers.
    Numbers,
    /// A list of event names, where `*` is any event.
    Steps,
    /// One event name or a list of them, where `*` is any event.
    Events,
}

/// Every parameter that is not plain text; the same name means the same everywhere.
const KINDS: [(&str, Kind); 31] = [
    ("anchorFirst", Kind::Truth),
    ("anonymous", Kind::Truth),
    ("between", Kind::Names),
    ("classes", Kind::Names),
    ("confidenceLevel", Kind::Number),
    ("end", Kind::Events),
    ("features", Kind::Names),
    ("grace", Kind::Number),
    ("histogramBins", Kind::Number),
    ("horizon", Kind::Number),
    ("length", Kind::Number),
    ("limit", Kind::Number),
    ("metrics", Kind::Names),
    ("minimumOccurrences", Kind::Number),
    ("offset", Kind::Number),
    ("periods", Kind::Number),
    ("refreshInterval", Kind::Number),
    ("return", Kind::Events),
    ("sample", Kind::Number),
    ("search", Kind::Literal),
    ("revenue", Kind::Truth),
    ("rows", Kind::Truth),
    ("runs", Kind::Number),
    ("segments", Kind::Names),
    ("sessionTimeout", Kind::Number),
    ("start", Kind::Events),
    ("unread", Kind::Truth),
    ("steps", Kind::Steps),
    ("strictIncrease", Kind::Truth),
    ("timeBetween", Kind::Numbers),
    ("windowCalendarDays", Kind::Number),
];

/// `window` may be `7d` or a number of seconds, which is just what a number that stays text otherwise gives.
const WINDOW: (&str, Kind) = ("window", Kind::Number);

impl Parameters {
    /// Reads the decoded pairs of a query string.
    ///
    /// A list is a repeated parameter, one whose name ends in `[]`, or one with commas. A value that begins with `[` or `{`
    /// is JSON. An empty value is empty text, and nothing is passed over, known or not.
    pub(crate) fn read(pairs: Vec<(String, String)>) -> Self {
        let mut given: Vec<(String, Vec<String>)> = Vec::new();
        for (name, value) in pairs {
            let name = name
                .strip_suffix("[]")
                .map_or(name.clone(), ToOwned::to_owned);
            match given.iter_mut().find(|g| g.0 == name) {
                Some(known) => known.1.push(value),
                None => given.push((name, vec![value])),
            }
        }
        let mut question = Map::new();
        let mut repeated = Vec::new();
        for (name, values) in given {
            let kind = kind(&name);
            let value = match (kind.is_list(), &values[..]) {
                (true, _) => list(kind, &values),
                (false, [one]) => single(kind, one),
                // A list where none belongs, so that the core refuses the question; `explain` then says why.
                (false, many) => {
                    repeated.push(name.clone());
                    many.iter().map(|v| Value::String(v.clone())).collect()
                }
            };
            question.insert(name, value);
        }
        Self {
            question: Value::Object(question),
            repeated,
        }
    }

    /// The question.
    pub(crate) fn question(&self) -> &Value {
        &self.question
    }

    /// Says of a parameter given more than once that this is what is wrong with it.
    pub(crate) fn explain(&self, error: Error) -> Error {
        if self.repeated.is_empty() || error.field_errors().is_empty() {
            return error;
        }
        let explained = error.field_errors().iter().map(|fault| {
            if self.repeated.contains(&fault.field) && fault.code != "unknown_field" {
                FieldError {
                    field: fault.field.clone(),
                    code: "repeated",
                    message: "is given more than once".to_owned(),
                }
            } else {
                fault.clone()
            }
        });
        Error::fields(explained.collect())
    }
}

impl Kind {
    fn is_list(self) -> bool {
        matches!(
            self,
            Self::Names | Self::Numbers | Self::Steps | Self::Events
        )
    }
}

fn kind(name: &str) -> Kind {
    KINDS
        .iter()
        .chain([&WINDOW])
        .find(|k| k.0 == name)
        .map_or(Kind::Text, |k| k.1)
}

fn list(kind: Kind, values: &[String]) -> Value {
    let mut items = Vec::new();
    for value in values {
        match json(value) {
            Some(Value::Array(inner)) => items.extend(inner),
            Some(other) => items.push(other),
            None => items.extend(value.split(',').map(|text| item(kind, text))),
        }
    }
    match (kind, &items[..]) {
        (Kind::Events, [one]) => one.clone(),
        _ => Value::Array(items),
    }
}

fn item(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Steps | Kind::Events if text == "*" => Value::Null,
        Kind::Numbers => single(Kind::Number, text),
        _ => Value::String(text.to_owned()),
    }
}

fn single(kind: Kind, text: &str) -> Value {
    if kind == Kind::Literal {
        return Value::String(text.to_owned());
    }
    if let Some(value) = json(text) {
        return value;
    }
    let read = match (kind, text) {
        (Kind::Number, _) => number(text).map(Value::Number),
        (Kind::Truth, "true") => Some(Value::Bool(true)),
        (Kind::Truth, "false") => Some(Value::Bool(false)),
        _ => None,
    };
    read.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A number as JSON writes it, without white space around it.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || text.ends_with(char::is_whitespace) {
        return None;
    }
    serde_json::from_str(text).ok()
}

fn json(text: &str) -> Option<Value> {
    if text.starts_with(['[', '{']) {
        serde_json::from_str(text).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(query: &str) -> Value {
        let uri: axum::http::Uri = format!("/?{query}").parse().unwrap();
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri)
            .unwrap()
            .0;
        Parameters::read(pairs).question
    }

    #[test]
    fn a_query_string_becomes_the_json_form_of_a_question() {
        let table = [
            ("", json!({})),
            ("metrics=a&metrics=b", json!({"metrics": ["a", "b"]})),
            ("metrics[]=a&metrics[]=b", json!({"metrics": ["a", "b"]})),
            ("metrics%5B%5D=a", json!({"metrics": ["a"]})),
            (
                "metrics=a,b&metrics[]=c",
                json!({"metrics": ["a", "b", "c"]}),
            ),
            ("metrics=a", json!({"metrics": ["a"]})),
            ("metrics=", json!({"metrics": [""]})),
            ("metrics=a,,b", json!({"metrics": ["a", "", "b"]})),
            (
                r#"metrics=%5B%22a%22,%22b,c%22%5D"#,
                json!({"metrics": ["a", "b,c"]}),
            ),
            ("steps=a,*,b", json!({"steps": ["a", null, "b"]})),
            (
                r#"steps=%5B%5B%22a%22,%22b%22%5D,%22c%22%5D"#,
                json!({"steps": [["a", "b"], "c"]}),
            ),
            (
                r#"steps=%7B%22event%22:%22a%22%7D&steps=b"#,
                json!({"steps": [{"event": "a"}, "b"]}),
            ),
            ("steps=%5Bbroken", json!({"steps": ["[broken"]})),
            (
                "start=*&return=book",
                json!({"start": null, "return": "book"}),
            ),
            ("return=book,pay", json!({"return": ["book", "pay"]})),
            ("limit=20", json!({"limit": 20})),
            ("limit=-1", json!({"limit": -1})),
            ("limit=1.5", json!({"limit": 1.5})),
            ("limit=", json!({"limit": ""})),
            ("limit=abc", json!({"limit": "abc"})),
            ("limit=%2020", json!({"limit": " 20"})),
            ("limit=20%20", json!({"limit": "20 "})),
            ("limit=%2B20", json!({"limit": "+20"})),
            ("limit=020", json!({"limit": "020"})),
            ("limit=NaN", json!({"limit": "NaN"})),
            ("limit=1e999", json!({"limit": "1e999"})),
            ("limit=0x10", json!({"limit": "0x10"})),
            ("window=7d", json!({"window": "7d"})),
            ("window=3600", json!({"window": 3600})),
            ("strictIncrease=true", json!({"strictIncrease": true})),
            ("strictIncrease=yes", json!({"strictIncrease": "yes"})),
            ("timeBetween=1,3", json!({"timeBetween": [1, 3]})),
            ("startDate=2026-01-01", json!({"startDate": "2026-01-01"})),
            ("startDate=20260101", json!({"startDate": "20260101"})),
            ("segment=", json!({"segment": ""})),
            ("offset=40", json!({"offset": 40})),
            ("search=%5B1%5D", json!({"search": "[1]"})),
            ("search=50%25", json!({"search": "50%"})),
            ("x=1&y[]=2", json!({"x": "1", "y": "2"})),
            (
                "asOf=2026-01-01T00:00:00%2B01:00",
                json!({"asOf": "2026-01-01T00:00:00+01:00"}),
            ),
        ];
        for (query, expected) in table {
            assert_eq!(read(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_given_twice_and_is_no_list_is_reported_as_repeated() {
        let pairs = [
            ("segment", "all"),
            ("segment", "new"),
            ("x", "1"),
            ("x", "2"),
        ];
        let parameters = Parameters::read(
            pairs
                .iter()
                .map(|p| (p.0.to_owned(), p.1.to_owned()))
                .collect(),
        );
        assert_eq!(
            parameters.question,
            json!({"segment": ["all", "new"], "x": ["1", "2"]})
        );
        let fault = |field: &str, code| FieldError {
            field: field.to_owned(),
            code,
            message: String::new(),
        };
        let core = vec![
            fault("segment", "invalid_type"),
            fault("x", "unknown_field"),
            fault("limit", "out_of_range"),
        ];
        let error = parameters.explain(Error::fields(core));
        let codes: Vec<_> = error.field_errors().iter().map(|f| f.code).collect();
        assert_eq!(codes, ["repeated", "unknown_field", "out_of_range"]);
    }
}
