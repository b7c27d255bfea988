//! Which column of the data is the user, the name, the time and so on.

use serde_json::Value;

use crate::error::{Error, FieldError, Result};
use crate::query::Zone;
use crate::query::fields::{self, Fields, Parsed};

/// Which column of the data is what; `None` looks for the usual names.
///
/// Columns that are nothing of all this become properties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The user's id; else `userId` or `user_id`.
    pub user: Option<String>,
    /// The anonymous id; else `anonymousId` or `anonymous_id`.
    pub anonymous: Option<String>,
    /// The session; else `sessionId` or `session_id`.
    pub session: Option<String>,
    /// The event's name; else `name` or `event`.
    pub name: Option<Name>,
    /// When it happened; else `ts`, `timestamp` or `time`.
    pub time: Option<String>,
    /// The event's id; else `eventId` or `event_id`.
    pub id: Option<String>,
    /// When it was received; else `receivedAt` or `received_at`.
    pub received: Option<String>,
    /// When the client sent it; else `sentAt` or `sent_at`.
    pub sent: Option<String>,
    /// Its place among the client's events; else `clientSeq` or `client_seq`.
    pub seq: Option<String>,
    /// A JSON object of properties; else `properties`.
    pub properties: Option<String>,
    /// The zone of times without an offset, and of bare dates.
    pub timezone: Zone,
    /// What times that are bare numbers count since 1970.
    pub time_unit: Option<Unit>,
}

/// Where the event's name comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A column.
    Column(String),
    /// The same name for every row.
    Constant(String),
}

/// What a time that is a bare number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// Microseconds since 1970.
    Microseconds,
}

/// The parts of an event that a column can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    User,
    Anonymous,
    Session,
    Name,
    Time,
    Id,
    Received,
    Sent,
    Seq,
    Properties,
}

/// All parts, each at the place of its number.
pub(crate) const PARTS: [Part; 10] = [
    Part::User,
    Part::Anonymous,
    Part::Session,
    Part::Name,
    Part::Time,
    Part::Id,
    Part::Received,
    Part::Sent,
    Part::Seq,
    Part::Properties,
];

impl Part {
    /// The names that its column usually has, the first found wins.
    pub(crate) fn usual(self) -> &'static [&'static str] {
        match self {
            Self::User => &["userId", "user_id"],
            Self::Anonymous => &["anonymousId", "anonymous_id"],
            Self::Session => &["sessionId", "session_id"],
            Self::Name => &["name", "event"],
            Self::Time => &["ts", "timestamp", "time"],
            Self::Id => &["eventId", "event_id"],
            Self::Received => &["receivedAt", "received_at"],
            Self::Sent => &["sentAt", "sent_at"],
            Self::Seq => &["clientSeq", "client_seq"],
            Self::Properties => &["properties"],
        }
    }

    /// Its name in a mapping.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Anonymous => "anonymous",
            Self::Session => "session",
            Self::Name => "name",
            Self::Time => "time",
            Self::Id => "id",
            Self::Received => "received",
            Self::Sent => "sent",
            Self::Seq => "seq",
            Self::Properties => "properties",
        }
    }
}

impl Mapping {
    /// Reads a mapping in its JSON form: `{"user": "customer_id", "time": "date", "name": {"constant": "purchase"},
    /// "timezone": "Europe/Paris", "timeUnit": "ms"}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(value: &Value) -> Result<Self> {
        let mut fields = Fields::of(value)?;
        let mapping = Self {
            user: fields.optional("user", column),
            anonymous: fields.optional("anonymous", column),
            session: fields.optional("session", column),
            name: fields.optional("name", name),
            time: fields.optional("time", column),
            id: fields.optional("id", column),
            received: fields.optional("received", column),
            sent: fields.optional("sent", column),
            seq: fields.optional("seq", column),
            properties: fields.optional("properties", column),
            timezone: fields
                .optional("timezone", fields::zone)
                .unwrap_or_default(),
            time_unit: fields.optional("timeUnit", |v| fields::one_of(v, &UNITS)),
        };
        fields.finish(Vec::new())?;
        Ok(mapping)
    }

    /// The column named for a part.
    pub(crate) fn column(&self, part: Part) -> Option<&str> {
        match part {
            Part::User => self.user.as_deref(),
            Part::Anonymous => self.anonymous.as_deref(),
            Part::Session => self.session.as_deref(),
            Part::Name => match &self.name {
                Some(Name::Column(column)) => Some(column),
                _ => None,
            },
            Part::Time => self.time.as_deref(),
            Part::Id => self.id.as_deref(),
            Part::Received => self.received.as_deref(),
            Part::Sent => self.sent.as_deref(),
            Part::Seq => self.seq.as_deref(),
            Part::Properties => self.properties.as_deref(),
        }
    }

    /// The name that every row has.
    pub(crate) fn constant(&self) -> Option<&str> {
        match &self.name {
            Some(Name::Constant(name)) => Some(name),
            _ => None,
        }
    }

    /// The names under which a part may be found, the first found wins.
    pub(crate) fn candidates(&self, part: Part) -> Vec<&str> {
        match self.column(part) {
            Some(column) => vec![column],
            None if part == Part::Name && self.constant().is_some() => Vec::new(),
            // A column given to another part is that part and no other.
            None => part
                .usual()
                .iter()
                .copied()
                .filter(|usual| PARTS.iter().all(|other| self.column(*other) != Some(usual)))
                .collect(),
        }
    }
}

/// The error for a column that the data does not have.
pub(crate) fn unknown(part: &str, wanted: &str, columns: &[&str]) -> FieldError {
    let columns: Vec<String> = columns.iter().map(|c| format!("`{c}`")).collect();
    FieldError {
        field: part.to_owned(),
        code: "unknown_column",
        message: format!(
            "there is no column `{wanted}`; the columns are {}",
            columns.join(", ")
        ),
    }
}

/// Refuses with all errors, or none.
pub(crate) fn all(errors: Vec<FieldError>) -> Result<()> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::fields(errors))
    }
}

const UNITS: [(&str, Unit); 3] = [
    ("s", Unit::Seconds),
    ("ms", Unit::Milliseconds),
    ("us", Unit::Microseconds),
];

fn column(value: &Value) -> Parsed<String> {
    let text = fields::text(value)?;
    if text.is_empty() {
        return fields::fault("invalid_length", "must name a column");
    }
    Ok(text.to_owned())
}

fn name(value: &Value) -> Parsed<Name> {
    let constant = value
        .as_object()
        .filter(|map| map.len() == 1)
        .and_then(|map| map.get("constant"));
    match constant {
        Some(Value::String(text)) if text.is_empty() || text.chars().count() > 200 => {
            fields::fault("invalid_length", "must have 1 to 200 characters")
        }
        Some(Value::String(text)) => Ok(Name::Constant(text.clone())),
        _ if value.is_string() => column(value).map(Name::Column),
        _ => fields::fault(
            "invalid_type",
            "must be a column, or {\"constant\": \"purchase\"} for one name for all",
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mapping_is_read_from_json() {
        let mapping = Mapping::parse(&json!({
            "user": "customer_id", "time": "date", "name": {"constant": "purchase"},
            "timezone": "Europe/Paris", "timeUnit": "ms",
        }))
        .unwrap();
        assert_eq!(mapping.column(Part::User), Some("customer_id"));
        assert_eq!(mapping.constant(), Some("purchase"));
        assert_eq!(mapping.timezone.name(), "Europe/Paris");
        assert_eq!(mapping.time_unit, Some(Unit::Milliseconds));
        assert_eq!(mapping.candidates(Part::Name), Vec::<&str>::new());
        assert_eq!(
            mapping.candidates(Part::Session),
            ["sessionId", "session_id"]
        );
        assert_eq!(
            Mapping::parse(&json!({"name": "activity"})).unwrap().name,
            Some(Name::Column("activity".to_owned()))
        );
    }

    #[test]
    fn everything_wrong_with_a_mapping_is_said_at_once() {
        let error = Mapping::parse(&json!({
            "user": 5, "time": "", "name": {"const": "x"}, "timezone": "Mars", "timeUnit": "h", "when": "x",
        }))
        .unwrap_err();
        let fields: Vec<(&str, &str)> = error
            .field_errors()
            .iter()
            .map(|e| (e.field.as_str(), e.code))
            .collect();
        assert_eq!(
            fields,
            [
                ("user", "invalid_type"),
                ("name", "invalid_type"),
                ("time", "invalid_length"),
                ("timezone", "unknown_zone"),
                ("timeUnit", "not_in_list"),
                ("when", "unknown_field"),
            ]
        );
    }

    #[test]
    fn a_column_given_to_one_part_is_no_other() {
        let mapping = Mapping {
            user: Some("name".to_owned()),
            ..Mapping::default()
        };
        assert_eq!(mapping.candidates(Part::Name), ["event"]);
    }
}
