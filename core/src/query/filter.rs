//! Which events or users are meant, by what their properties say (G5).

#[cfg(test)]
mod tests;

use regex::{Regex, RegexBuilder};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::fields::{Parsed, boolean, fault, list, one_of};
use super::number::Decimal;

/// Something that an event or its user has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Property {
    /// A property of the event.
    Event(String),
    /// The session id that the event came with.
    Session,
    /// A property of the user's profile.
    User {
        /// Its name; `plan` is the profile's plan.
        name: String,
        /// The moment whose value counts (C1).
        at: Moment,
    },
    /// Whether the user is of a cohort: true or false, and never missing.
    Cohort {
        /// Its name.
        name: String,
        /// The moment whose members count (C1): as of the question by default.
        at: Moment,
    },
}

/// The moment whose profile, or whose members, count (C1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// The time of the event.
    #[default]
    AtEvent,
    /// The time of the entry of the chain that the event is looked at for; of funnels alone, which have entries.
    AtEntry,
    /// The instant the answer is as of.
    AsOf,
}

const MOMENTS: [(&str, Moment); 3] = [
    ("at_event", Moment::AtEvent),
    ("at_entry", Moment::AtEntry),
    ("as_of", Moment::AsOf),
];

/// In the place of a property's name: the session id.
const SESSION: &str = "$session";

impl Serialize for Property {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Event(name) => serializer.serialize_str(name),
            Self::Session => serializer.serialize_str(SESSION),
            Self::User { name, at } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("user", name)?;
                map.serialize_entry("at", at)?;
                map.end()
            }
            Self::Cohort { name, at } => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("cohort", name)?;
                if *at != Moment::AsOf {
                    map.serialize_entry("at", at)?;
                }
                map.end()
            }
        }
    }
}

/// A condition on one property.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// The property.
    pub property: Property,
    /// What is asked of it.
    pub op: Operator,
    /// What it is compared with: one value, or any of several; none for `exists` and `not_exists`.
    #[serde(rename = "value")]
    pub values: Vec<Value>,
    /// Whether upper and lower case letters are the same; they are not by default.
    pub ignore_case: bool,
    /// Reads both sides as numbers or as text; without it 10 and "10" differ.
    pub cast: Option<Cast>,
}

/// What is asked of a property. Each `not_…` is met wherever its counterpart is not, hence also where the property is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// It is one of the values.
    Is,
    /// It is none of them.
    IsNot,
    /// It is text that contains one of the values.
    Contains,
    /// It is not.
    NotContains,
    /// It is text in which one of the regular expressions matches.
    Matches,
    /// It is not.
    NotMatches,
    /// It is there and not null.
    Exists,
    /// It is not.
    NotExists,
    /// It is below the value, number with number or text with text.
    Lt,
    /// It is not above it.
    Lte,
    /// It is above it.
    Gt,
    /// It is not below it.
    Gte,
}

const OPERATORS: [(&str, Operator); 12] = [
    ("is", Operator::Is),
    ("is_not", Operator::IsNot),
    ("contains", Operator::Contains),
    ("not_contains", Operator::NotContains),
    ("matches", Operator::Matches),
    ("not_matches", Operator::NotMatches),
    ("exists", Operator::Exists),
    ("not_exists", Operator::NotExists),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
];

/// How both sides of a comparison are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cast {
    /// Text that is a number is that number.
    Number,
    /// Numbers and booleans are their text.
    Text,
}

const CASTS: [(&str, Cast); 2] = [("number", Cast::Number), ("text", Cast::Text)];

/// The most values of one filter.
const MAX_VALUES: usize = 1_000;

/// What a property says.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    Text(String),
    Number(Decimal),
    Boolean(bool),
    /// An array or an object, as canonical JSON.
    Other(String),
}

impl Said {
    /// `None` for null, which is as if the property were not there.
    fn of(value: &Value, filter: &Filter) -> Option<Self> {
        let said = match value {
            Value::Null => return None,
            Value::String(text) => Self::Text(text.clone()),
            Value::Number(number) => Self::number(&number.to_string()),
            Value::Bool(flag) => Self::Boolean(*flag),
            other => Self::Other(other.to_string()),
        };
        Some(said.cast(filter, &value.to_string()))
    }

    /// Reads canonical JSON text; numbers keep all their digits.
    fn read(json: &str, filter: &Filter) -> Option<Self> {
        match json.bytes().next() {
            Some(b'-' | b'0'..=b'9') => Some(Self::number(json).cast(filter, json)),
            _ => Self::of(&serde_json::from_str(json).ok()?, filter),
        }
    }

    fn number(text: &str) -> Self {
        Decimal::read(text).map_or_else(|| Self::Other(text.to_owned()), Self::Number)
    }

    fn cast(self, filter: &Filter, json: &str) -> Self {
        let said = match (self, filter.cast) {
            (Self::Text(text), Some(Cast::Number)) => {
                Decimal::read(text.trim()).map_or(Self::Text(text), Self::Number)
            }
            (Self::Number(_) | Self::Boolean(_), Some(Cast::Text)) => Self::Text(json.to_owned()),
            (said, _) => said,
        };
        match said {
            Self::Text(text) if filter.ignore_case => Self::Text(text.to_lowercase()),
            said => said,
        }
    }
}

/// A filter made ready to be asked of many values.
#[derive(Debug)]
pub(crate) struct Test<'a> {
    filter: &'a Filter,
    values: Vec<Said>,
    patterns: Vec<Regex>,
}

impl<'a> Test<'a> {
    /// Compiles a valid filter.
    pub(crate) fn new(filter: &'a Filter) -> Self {
        let patterns = match filter.op {
            Operator::Matches | Operator::NotMatches => filter
                .values
                .iter()
                .filter_map(Value::as_str)
                .filter_map(|p| pattern(p, filter.ignore_case).ok())
                .collect(),
            _ => Vec::new(),
        };
        Self {
            values: filter
                .values
                .iter()
                .filter_map(|v| Said::of(v, filter))
                .collect(),
            filter,
            patterns,
        }
    }

    /// Whether a value, as canonical JSON text, or the lack of one, meets the filter.
    pub(crate) fn holds(&self, json: Option<&str>) -> bool {
        let said = json.and_then(|json| Said::read(json, self.filter));
        let text = || match &said {
            Some(Said::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let is = || said.as_ref().is_some_and(|s| self.values.contains(s));
        let contains = || {
            text().is_some_and(|t| {
                let part = |v: &Said| matches!(v, Said::Text(part) if t.contains(part.as_str()));
                self.values.iter().any(part)
            })
        };
        // The pattern itself knows whether case matters; what it sees is the text as it stands.
        let matches = || {
            let whole = json.and_then(|j| serde_json::from_str::<Value>(j).ok());
            let cast = self.filter.cast == Some(Cast::Text);
            let text = match (&whole, json) {
                (Some(Value::String(text)), _) => Some(text.as_str()),
                (Some(Value::Number(_) | Value::Bool(_)), json) if cast => json,
                _ => None,
            };
            text.is_some_and(|t| self.patterns.iter().any(|p| p.is_match(t)))
        };
        let order = || match (&said, self.values.first()) {
            (Some(Said::Number(a)), Some(Said::Number(b))) => Some(a.cmp(b)),
            (Some(Said::Text(a)), Some(Said::Text(b))) => Some(a.cmp(b)),
            _ => None,
        };
        match self.filter.op {
            Operator::Is => is(),
            Operator::IsNot => !is(),
            Operator::Contains => contains(),
            Operator::NotContains => !contains(),
            Operator::Matches => matches(),
            Operator::NotMatches => !matches(),
            Operator::Exists => said.is_some(),
            Operator::NotExists => said.is_none(),
            Operator::Lt => order().is_some_and(std::cmp::Ordering::is_lt),
            Operator::Lte => order().is_some_and(std::cmp::Ordering::is_le),
            Operator::Gt => order().is_some_and(std::cmp::Ordering::is_gt),
            Operator::Gte => order().is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

/// A regular expression that takes linear time and bounded memory, whatever the text.
fn pattern(text: &str, ignore_case: bool) -> Result<Regex, String> {
    if text.chars().count() > 1_000 {
        return Err("must have at most 1,000 characters".to_owned());
    }
    RegexBuilder::new(text)
        .case_insensitive(ignore_case)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "needs too much memory".to_owned(),
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or("error");
                format!(
                    "is no regular expression: {}",
                    last.trim_start_matches("error: ")
                )
            }
        })
}

/// A property: its name, `"$session"`, `{"user": name, "at": "at_event" | "at_entry" | "as_of"}`, or `{"cohort": name, "at": …}`.
pub(crate) fn property(value: &Value) -> Parsed<Property> {
    match value {
        Value::String(name) if name == SESSION => Ok(Property::Session),
        Value::String(_) => super::fields::name(value).map(Property::Event),
        Value::Object(map) if map.keys().all(|k| k == "user" || k == "at") => {
            let Some(name) = map.get("user") else {
                return fault("required", "must have the field `user`");
            };
            Ok(Property::User {
                name: super::fields::name(name)?,
                at: moment(map, Moment::AtEvent)?,
            })
        }
        Value::Object(map) if map.keys().all(|k| k == "cohort" || k == "at") => {
            let Some(name) = map.get("cohort") else {
                return fault("required", "must have the field `cohort`");
            };
            Ok(Property::Cohort {
                name: super::fields::name(name)?,
                at: moment(map, Moment::AsOf)?,
            })
        }
        Value::Object(map) if map.len() == 1 => {
            fault("invalid_type", "must have the field `user` or `cohort`")
        }
        _ => fault(
            "invalid_type",
            "must be the name of a property, {\"user\": name} or {\"cohort\": name}",
        ),
    }
}

/// The moment that a property names.
fn moment(property: &serde_json::Map<String, Value>, absent: Moment) -> Parsed<Moment> {
    let given = property.get("at");
    given.map_or(Ok(absent), |at| one_of(at, &MOMENTS))
}

/// `{"property": …, "op": …, "value": …, "ignoreCase": …, "cast": …}`.
pub(crate) fn filter(value: &Value) -> Parsed<Filter> {
    const KNOWN: [&str; 5] = ["property", "op", "value", "ignoreCase", "cast"];
    let Some(map) = value.as_object() else {
        return fault(
            "invalid_type",
            "must be an object with the fields property, op and value",
        );
    };
    if let Some(unknown) = map.keys().find(|k| !KNOWN.contains(&k.as_str())) {
        return fault(
            "unknown_field",
            format!(
                "has the unknown field `{unknown}`; known are {}",
                KNOWN.join(", ")
            ),
        );
    }
    let Some(named) = map.get("property") else {
        return fault("required", "must have the field `property`");
    };
    let op = map
        .get("op")
        .map_or(Ok(Operator::Is), |v| one_of(v, &OPERATORS))?;
    let values = match map.get("value") {
        None => Vec::new(),
        Some(Value::Array(values)) => values.clone(),
        Some(value) => vec![value.clone()],
    };
    let filter = Filter {
        property: property(named)?,
        op,
        values,
        ignore_case: map.get("ignoreCase").map_or(Ok(false), boolean)?,
        cast: map
            .get("cast")
            .filter(|v| !v.is_null())
            .map(|v| one_of(v, &CASTS))
            .transpose()?,
    };
    match filter.fault() {
        None => Ok(filter),
        Some((code, message)) => fault(code, message),
    }
}

/// A list of filters, all of which must be met; at most 64.
pub(crate) fn filters(value: &Value) -> Parsed<Vec<Filter>> {
    let filters = list(value, filter)?;
    if filters.len() > 64 {
        return fault("invalid_length", "must have at most 64 filters");
    }
    Ok(filters)
}

impl Property {
    /// Who is of a cohort as of the question.
    pub(crate) fn cohort(name: &str) -> Self {
        Self::Cohort {
            name: name.to_owned(),
            at: Moment::AsOf,
        }
    }

    /// Whether it says of a user the same at every row: who is of a cohort as of the question.
    pub(crate) fn fixed(&self) -> bool {
        matches!(self, Self::Cohort { at, .. } if *at == Moment::AsOf)
    }

    /// Whether the entry of a chain says what it is (C1).
    pub(crate) fn at_entry(&self) -> bool {
        let at_entry = |at: &Moment| *at == Moment::AtEntry;
        matches!(self, Self::User { at, .. } | Self::Cohort { at, .. } if at_entry(at))
    }
}

impl Filter {
    /// A property that is one value.
    pub fn is(property: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            property: Property::Event(property.into()),
            op: Operator::Is,
            values: vec![value.into()],
            ignore_case: false,
            cast: None,
        }
    }

    /// What is wrong with it: a code and a sentence.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        use Operator as O;
        let count = self.values.len();
        match self.op {
            O::Exists | O::NotExists if count > 0 => {
                Some(("contradiction", "takes no value".to_owned()))
            }
            O::Exists | O::NotExists => None,
            _ if count == 0 => Some(("required", "must have the field `value`".to_owned())),
            _ if count > MAX_VALUES => Some((
                "invalid_length",
                format!("must have at most {MAX_VALUES} values"),
            )),
            _ if self.values.iter().any(Value::is_null) => Some((
                "invalid_type",
                "must have no null among its values; ask with not_exists".to_owned(),
            )),
            O::Lt | O::Lte | O::Gt | O::Gte
                if count > 1 || !self.values.iter().all(|v| v.is_number() || v.is_string()) =>
            {
                Some(("invalid_type", "must be one number or text".to_owned()))
            }
            O::Contains | O::NotContains | O::Matches | O::NotMatches
                if !self.values.iter().all(Value::is_string) =>
            {
                Some(("invalid_type", "must be text".to_owned()))
            }
            O::Matches | O::NotMatches => self
                .values
                .iter()
                .filter_map(Value::as_str)
                .find_map(|p| pattern(p, self.ignore_case).err())
                .map(|message| ("invalid_regex", message)),
            _ => None,
        }
    }
}
