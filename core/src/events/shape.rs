//! Turns the cells of a row into an event or a record, with everything that is wrong with it at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};
use twox_hash::XxHash3_64;

use super::batch::EventBatch;
use super::cell::{Cell, Fault};
use super::mapping::{self, Mapping, PARTS, Part};
use super::model::{Datum, Event, EventId, Kind, Record, Table, canonical};
use super::{Catalogue, money};
use crate::error::{FieldError, Result};
use crate::query::Instant;

/// Why a row is refused, and what of it is kept aside.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) errors: Vec<FieldError>,
    pub(crate) held: Option<Held>,
}

/// A refused event that is kept aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The event as JSON.
    pub event: String,
    /// Why it was refused.
    pub code: &'static str,
    /// The same as a sentence.
    pub message: String,
    /// When it was received, in microseconds.
    pub received_at: i64,
    /// The hash of its content and of what tells it from others.
    pub content_hash: u64,
}

impl Held {
    /// With this id, where it has none of its own.
    pub(crate) fn named(mut self, id: Option<EventId>) -> Self {
        let event = serde_json::from_str::<Map<String, Value>>(&self.event);
        if let (Some(id), Ok(mut event)) = (id, event) {
            let own = event.entry("eventId");
            own.or_insert_with(|| Value::String(id.to_string()));
            self.event = Value::Object(event).to_string();
        }
        self
    }

    /// Tells it from others of equal content in its batch, by its id; an event without one is the same as no other, whatever its
    /// number.
    pub(crate) fn told_apart(self, number: u64) -> Self {
        let own = self.id();
        let own = own.unwrap_or_else(|| format!("{} {number}", self.received_at));
        self.hashed(&own)
    }

    /// Tells it from those of other batches, unless it has an id: what is sent twice without one came twice.
    pub(crate) fn of_batch(self, batch: i64) -> Self {
        match self.id() {
            Some(_) => self,
            None => self.hashed(&format!("batch {batch}")),
        }
    }

    fn id(&self) -> Option<String> {
        let event: Value = serde_json::from_str(&self.event).unwrap_or_default();
        let id = event.get("eventId").and_then(Value::as_str);
        id.map(ToOwned::to_owned)
    }

    fn hashed(mut self, own: &str) -> Self {
        self.content_hash = XxHash3_64::oneshot_with_seed(self.content_hash, own.as_bytes());
        self
    }
}

impl Refused {
    pub(crate) fn one(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        let errors = vec![FieldError {
            field: field.to_owned(),
            code,
            message: message.into(),
        }];
        Self { errors, held: None }
    }
}

/// Which columns a shape knows, and how it is built from them.
pub(crate) trait Shape: Sync {
    /// What a row becomes.
    type Out: Send;

    /// What many of them become on their way to the store.
    type Batch: Send;

    /// The columns it knows.
    fn places(&self) -> &Places;

    /// Builds one from the cells at its places and the other columns of the row.
    fn build(&self, row: Row<'_>) -> std::result::Result<Self::Out, Refused>;

    /// Puts them together, with their numbers.
    fn gather(&self, rows: Vec<(u64, Self::Out)>) -> Result<Self::Batch>;
}

/// The cells of one row, sorted by their places.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// For each place the column found there and its cell.
    pub(crate) placed: Vec<(&'a str, Cell<'a>)>,
    /// The other columns.
    pub(crate) rest: Vec<(&'a str, Cell<'a>)>,
}

/// Which column belongs where: a place has candidates, of which the first that is there wins.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    names: Vec<&'static str>,
    /// Columns asked for by name.
    wanted: Vec<(usize, String)>,
    /// Places that no row can do without.
    needed: Vec<usize>,
    of: BTreeMap<String, (usize, usize)>,
}

impl Places {
    fn new(places: Vec<(&'static str, Vec<&str>)>) -> Self {
        let mut of = BTreeMap::new();
        for (place, (_, candidates)) in places.iter().enumerate() {
            for (rank, candidate) in candidates.iter().enumerate() {
                of.entry((*candidate).to_owned()).or_insert((place, rank));
            }
        }
        Self {
            names: places.iter().map(|p| p.0).collect(),
            wanted: Vec::new(),
            needed: Vec::new(),
            of,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// For each column of a table the place it takes, or `None` for the rest.
    ///
    /// # Errors
    /// `unknown_column` for each column that was asked for by name and is not there, or that no row can do without.
    pub(crate) fn of_columns(&self, columns: &[&str]) -> Result<Vec<Option<usize>>> {
        let name = |place: usize| self.names.get(place).copied().unwrap_or_default();
        let mut errors: Vec<_> = self
            .wanted
            .iter()
            .filter(|(_, wanted)| !columns.contains(&wanted.as_str()))
            .map(|(place, wanted)| mapping::unknown(name(*place), wanted, columns))
            .collect();
        let mut taken: Vec<Option<(usize, usize)>> = vec![None; self.len()];
        for (i, column) in columns.iter().enumerate() {
            if let Some((place, rank)) = self.of.get(*column)
                && let Some(best) = taken.get_mut(*place)
                && best.is_none_or(|(_, other)| *rank < other)
            {
                *best = Some((i, *rank));
            }
        }
        let asked = |place: usize| self.wanted.iter().any(|w| w.0 == place);
        for place in self.needed.iter().copied().filter(|place| !asked(*place)) {
            if taken.get(place).is_some_and(Option::is_none) {
                let usual = self.of.iter().filter(|(_, found)| found.0 == place);
                let usual: Vec<&str> = usual.map(|(column, _)| column.as_str()).collect();
                errors.push(mapping::unknown(
                    name(place),
                    &usual.join("` or `"),
                    columns,
                ));
            }
        }
        mapping::all(errors)?;

        Ok((0..columns.len())
            .map(|i| {
                taken
                    .iter()
                    .position(|t| t.is_some_and(|(column, _)| column == i))
            })
            .collect())
    }

    /// Sorts the fields of a JSON object; a field that is null is not there.
    pub(crate) fn of_object<'a>(&self, object: &'a Map<String, Value>) -> Row<'a> {
        let mut row = self.empty();
        let mut ranks = vec![usize::MAX; self.len()];
        for (name, value) in object {
            let mut found = (name.as_str(), Cell::of(value));
            if found.1.is_null() {
                continue;
            }
            if let Some((place, rank)) = self.of.get(name)
                && let (Some(best), Some(slot)) =
                    (ranks.get_mut(*place), row.placed.get_mut(*place))
                && rank < best
            {
                *best = *rank;
                // What was there came under a name of lower rank: it is one of the rest, where it was anything.
                std::mem::swap(slot, &mut found);
                if found.1.is_null() {
                    continue;
                }
            }
            row.rest.push(found);
        }
        row
    }

    /// A row without cells.
    pub(crate) fn empty<'a>(&self) -> Row<'a> {
        Row {
            placed: vec![("", Cell::Null); self.len()],
            rest: Vec::new(),
        }
    }
}

/// Collects what is wrong with a row.
struct Reading<'a, 'r> {
    row: &'r mut Row<'a>,
    names: &'r [&'static str],
    errors: Vec<FieldError>,
}

impl<'a> Reading<'a, '_> {
    /// The cell at a place, read by `read`; `None` where it is absent or wrong.
    fn read<T>(
        &mut self,
        place: usize,
        read: impl FnOnce(&Cell<'a>) -> std::result::Result<Option<T>, Fault>,
    ) -> Option<T> {
        let (_, cell) = self.row.placed.get(place)?;
        match read(cell) {
            Ok(value) => value,
            Err(fault) => {
                self.wrong(place, fault);
                None
            }
        }
    }

    /// The same for a cell that must be there.
    fn required<T>(
        &mut self,
        place: usize,
        read: impl FnOnce(&Cell<'a>) -> std::result::Result<Option<T>, Fault>,
    ) -> Option<T> {
        let before = self.errors.len();
        let value = self.read(place, read);
        if value.is_none() && self.errors.len() == before {
            self.wrong(place, ("required", "is required".to_owned()));
        }
        value
    }

    fn wrong(&mut self, place: usize, (code, message): Fault) {
        let column = self.row.placed.get(place).map_or("", |p| p.0);
        let field = if column.is_empty() {
            self.names.get(place).copied().unwrap_or_default()
        } else {
            column
        };
        self.errors.push(FieldError {
            field: field.to_owned(),
            code,
            message,
        });
    }

    fn text(&mut self, place: usize, longest: usize) -> Option<String> {
        self.read(place, |cell| {
            cell.text(longest).map(|t| t.map(Cow::into_owned))
        })
    }

    /// The properties: those of the object at a place, and every column without a place.
    fn properties(&mut self, place: usize) -> Map<String, Value> {
        let mut all = Map::new();
        for (name, cell) in std::mem::take(&mut self.row.rest) {
            match cell.into_json() {
                Ok(Value::Null) => {}
                Ok(value) if !deeper(&value, DEEPEST - 1) => {
                    all.insert(name.to_owned(), value);
                }
                found => {
                    let (code, message) = found.err().unwrap_or_else(too_deep);
                    self.errors.push(FieldError {
                        field: name.to_owned(),
                        code,
                        message,
                    });
                }
            }
        }
        let cell = self
            .row
            .placed
            .get_mut(place)
            .map_or(Cell::Null, |p| std::mem::replace(&mut p.1, Cell::Null));
        match object(cell) {
            Ok(Some(object)) if object.values().any(|value| deeper(value, DEEPEST - 1)) => {
                self.wrong(place, too_deep());
            }
            Ok(Some(object)) if all.is_empty() => all = object,
            Ok(Some(object)) => all.extend(object),
            Ok(None) => {}
            Err(fault) => self.wrong(place, fault),
        }
        all
    }

    /// Canonical text of properties, of at most 1 MiB.
    fn canonical(&mut self, place: usize, properties: Map<String, Value>) -> Option<String> {
        if properties.is_empty() {
            return None;
        }
        let mut text = String::new();
        canonical(&Value::Object(properties), &mut text);
        if text.len() > 1 << 20 {
            self.wrong(place, ("too_large", "must have at most 1 MiB".to_owned()));
        }
        Some(text)
    }
}

/// Properties have at most so many levels: JSON is read up to 128, and they are kept within JSON of their own.
const DEEPEST: usize = 100;

/// Whether a value has more levels of arrays and objects.
fn deeper(value: &Value, levels: usize) -> bool {
    let Some(left) = levels.checked_sub(1) else {
        return value.is_array() || value.is_object();
    };
    match value {
        Value::Array(items) => items.iter().any(|item| deeper(item, left)),
        Value::Object(map) => map.values().any(|item| deeper(item, left)),
        _ => false,
    }
}

fn too_deep() -> Fault {
    let message = format!("must be nested at most {DEEPEST} deep, as one of the properties");
    ("too_deep", message)
}

/// A JSON object, or a text that is one.
fn object(cell: Cell<'_>) -> std::result::Result<Option<Map<String, Value>>, Fault> {
    let wrong = || ("invalid_type", "must be a JSON object".to_owned());
    let value = match cell {
        Cell::Null => return Ok(None),
        Cell::Json(value) => value.into_owned(),
        Cell::Text(text) | Cell::Loose(text) if text.is_empty() => return Ok(None),
        Cell::Text(text) | Cell::Loose(text) => serde_json::from_str(&text).map_err(|_| wrong())?,
        _ => return Err(wrong()),
    };
    match value {
        Value::Object(map) => Ok(Some(map)),
        Value::Null => Ok(None),
        _ => Err(wrong()),
    }
}

/// Events by a mapping and a catalogue.
#[derive(Debug)]
pub(crate) struct Events<'a> {
    mapping: &'a Mapping,
    catalogue: &'a Catalogue,
    revenue: HashSet<&'a str>,
    places: Places,
    now: Instant,
    live: bool,
}

/// So many bytes are kept of properties that are too large.
const HEAD: usize = 64 << 10;

/// More than this between two clocks is a wrong clock (I3).
const SKEW: i64 = 5 * 60 * 1_000_000;
/// Further than this in the future no event is believed.
const AHEAD: i64 = 24 * 60 * 60 * 1_000_000;

impl<'a> Events<'a> {
    /// The shape; `live` says that what is read was received just now, so that `now` can correct a client's clock.
    pub(crate) fn new(
        mapping: &'a Mapping,
        catalogue: &'a Catalogue,
        now: Instant,
        live: bool,
    ) -> Self {
        let mut places = Places::new(
            PARTS
                .iter()
                .map(|p| (p.name(), mapping.candidates(*p)))
                .collect(),
        );
        places.needed = match mapping.constant() {
            Some(_) => vec![Part::Time as usize],
            None => vec![Part::Name as usize, Part::Time as usize],
        };
        places.wanted = PARTS
            .iter()
            .enumerate()
            .filter_map(|(place, part)| {
                mapping
                    .column(*part)
                    .map(|column| (place, column.to_owned()))
            })
            .collect();
        let revenue = catalogue
            .revenue
            .events
            .iter()
            .map(String::as_str)
            .collect();
        Self {
            mapping,
            catalogue,
            revenue,
            places,
            now,
            live,
        }
    }

    /// The amount and currency of a revenue event.
    fn money(
        &self,
        properties: &Map<String, Value>,
        errors: &mut Vec<FieldError>,
    ) -> (Option<i128>, Option<String>) {
        let revenue = &self.catalogue.revenue;
        let cell = |name: &str| properties.get(name).map_or(Cell::Null, Cell::of);
        let mut wrong = |name: &str, (code, message): Fault| {
            errors.push(FieldError {
                field: format!("properties.{name}"),
                code,
                message,
            });
        };
        let amount = cell(&revenue.amount)
            .decimal(18, 4)
            .unwrap_or_else(|fault| {
                wrong(&revenue.amount, fault);
                None
            });
        let given = cell(&revenue.currency)
            .text(100)
            .map(|t| t.map(Cow::into_owned))
            .unwrap_or_else(|fault| {
                wrong(&revenue.currency, fault);
                None
            });
        let currency = match given {
            None => amount.map(|_| self.catalogue.base_currency.clone()),
            Some(text) => {
                let read = money::currency(&text);
                if read.is_none() {
                    wrong(&revenue.currency, not_a_currency(&text));
                }
                read
            }
        };
        (amount, currency)
    }
}

/// The same events with the amounts and currencies that a catalogue reads in them.
pub(crate) fn promoted(events: &EventBatch, catalogue: &Catalogue) -> Result<EventBatch> {
    let mapping = Mapping::default();
    let shape = Events::new(&mapping, catalogue, Instant::default(), false);
    events.promoted(|name, properties| {
        if !shape.revenue.contains(name) {
            return (None, None);
        }
        let properties = properties.and_then(|text| serde_json::from_str(text).ok());
        let mut errors = Vec::new();
        let money = shape.money(&properties.unwrap_or_default(), &mut errors);
        // What is no amount by another catalogue is none.
        if errors.is_empty() {
            money
        } else {
            (None, None)
        }
    })
}

fn not_a_currency(text: &str) -> Fault {
    (
        "invalid_currency",
        format!("`{text}` is not a currency of three letters, such as EUR"),
    )
}

impl Shape for Events<'_> {
    type Out = Event;
    type Batch = EventBatch;

    fn gather(&self, rows: Vec<(u64, Event)>) -> Result<EventBatch> {
        EventBatch::new(&rows)
    }

    fn places(&self) -> &Places {
        &self.places
    }

    fn build(&self, mut row: Row<'_>) -> std::result::Result<Event, Refused> {
        let at = |part: Part| part as usize;
        let (zone, unit) = (&self.mapping.timezone, self.mapping.time_unit);
        let mut r = Reading {
            row: &mut row,
            names: &self.places.names,
            errors: Vec::new(),
        };

        let id = r.text(at(Part::Id), 500);
        let user = r.text(at(Part::User), 500);
        let anonymous = r.text(at(Part::Anonymous), 500);
        let session = r.text(at(Part::Session), 500);
        let name = match self.mapping.constant() {
            Some(name) => Some(name.to_owned()),
            None => r.required(at(Part::Name), |cell| {
                cell.text(200).map(|t| t.map(Cow::into_owned))
            }),
        };
        let time = r.required(at(Part::Time), |cell| cell.instant(zone, unit));
        let sent_at = r.read(at(Part::Sent), |cell| cell.instant(zone, unit));
        let received = r.read(at(Part::Received), |cell| cell.instant(zone, unit));
        let seq = r.read(at(Part::Seq), Cell::integer);
        let properties = r.properties(at(Part::Properties));

        let revenue = name
            .as_deref()
            .is_some_and(|name| self.revenue.contains(name));
        let (amount, currency) = if revenue {
            self.money(&properties, &mut r.errors)
        } else {
            (None, None)
        };
        let properties = r.canonical(at(Part::Properties), properties);

        let errors = r.errors;
        // Nothing else is wrong with it: its beginning is kept for whoever wants to know what grows so large.
        let oversized = match errors.as_slice() {
            [one] if one.code == "too_large" && self.live => Some(one.clone()),
            _ => None,
        };
        let sound = errors.is_empty() || oversized.is_some();
        let (Some(name), Some(client_ts), true) = (name, time, sound) else {
            return Err(Refused { errors, held: None });
        };
        let received_at = received.unwrap_or(self.now.micros());
        let mut ts = client_ts;
        // Where a file does not say when it was received, `now` says nothing of the client's clock.
        if let Some(sent) = sent_at.filter(|_| received.is_some() || self.live) {
            let skew = received_at.saturating_sub(sent);
            if skew.saturating_abs() > SKEW {
                ts = client_ts.saturating_add(skew);
            }
        }
        let mut event = Event {
            id: id.map(|id| EventId::new(&id)),
            user,
            anonymous,
            session,
            name,
            ts,
            client_ts,
            sent_at,
            received_at,
            seq,
            content_hash: 0,
            properties,
            amount,
            currency,
        };
        event.content_hash = event.content_hash(&mut Vec::with_capacity(256));
        if let Some(FieldError { code, message, .. }) = oversized {
            if let Some(properties) = &mut event.properties {
                properties.truncate(properties.floor_char_boundary(HEAD));
            }
            let held = Held {
                event: text_of(&event),
                code,
                message,
                received_at,
                content_hash: event.content_hash,
            };
            return Err(Refused {
                errors,
                held: Some(held),
            });
        }
        let column = |part: Part| {
            row.placed
                .get(at(part))
                .map(|p| p.0)
                .filter(|c| !c.is_empty())
                .unwrap_or(part.name())
        };
        // A time of receipt that is itself to come vouches for nothing.
        if ts > received_at.min(self.now.micros()).saturating_add(AHEAD) {
            let message = format!(
                "{} lies more than 24 hours after it was received",
                Instant::saturating_from_micros(ts)
            );
            let mut refused = Refused::one(column(Part::Time), "clock_in_future", message.clone());
            refused.held = Some(Held {
                event: text_of(&event),
                code: "clock_in_future",
                message,
                received_at,
                content_hash: event.content_hash,
            });
            return Err(refused);
        }
        if Instant::from_micros(ts).is_none() || ts < Instant::MIN.micros() {
            return Err(Refused::one(
                column(Part::Time),
                "invalid_date",
                "must be within the years 1 to 9998",
            ));
        }
        Ok(event)
    }
}

/// An event as JSON, with our own names.
fn text_of(event: &Event) -> String {
    let mut map = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            map.insert(name.to_owned(), value);
        }
    };
    let time = |micros: i64| Value::String(Instant::saturating_from_micros(micros).to_string());
    put(
        "eventId",
        event.id.as_ref().map(|id| Value::String(id.to_string())),
    );
    put("userId", event.user.clone().map(Value::String));
    put("anonymousId", event.anonymous.clone().map(Value::String));
    put("sessionId", event.session.clone().map(Value::String));
    put("name", Some(Value::String(event.name.clone())));
    put("ts", Some(time(event.client_ts)));
    put("sentAt", event.sent_at.map(time));
    put("receivedAt", Some(time(event.received_at)));
    put("clientSeq", event.seq.map(Value::from));
    put(
        "properties",
        // Of those that are too large there is only a beginning, which is a text.
        event.properties.as_deref().map(|properties| {
            serde_json::from_str(properties).unwrap_or_else(|_| properties.into())
        }),
    );
    let mut text = String::new();
    canonical(&Value::Object(map), &mut text);
    text
}

/// Rows of one of the platform's tables, by the names of its columns.
#[derive(Debug)]
pub(crate) struct Records<'a> {
    table: Table,
    mapping: &'a Mapping,
    places: Places,
}

impl<'a> Records<'a> {
    /// The shape; of the mapping count the user, the time, the properties, the zone and the unit of time.
    pub(crate) fn new(table: Table, mapping: &'a Mapping) -> Self {
        let part = |kind: Kind| match kind {
            Kind::User => Some(Part::User),
            Kind::Anonymous => Some(Part::Anonymous),
            Kind::Time => Some(Part::Time),
            Kind::Properties => Some(Part::Properties),
            _ => None,
        };
        let columns = table.columns();
        let mut wanted = Vec::new();
        let named: Vec<String> = columns
            .iter()
            .map(|c| c.name.replace("_key", "_id"))
            .collect();
        let camels: Vec<String> = named.iter().map(|name| camel(name)).collect();
        let places = columns
            .iter()
            .zip(named.iter().zip(&camels))
            .enumerate()
            .map(|(place, (column, (name, camel)))| match part(column.kind) {
                Some(part) => {
                    if let Some(asked) = mapping.column(part) {
                        wanted.push((place, asked.to_owned()));
                    }
                    (part.name(), mapping.candidates(part))
                }
                None => (column.name, vec![name.as_str(), camel.as_str()]),
            })
            .collect();
        let mut places = Places::new(places);
        places.wanted = wanted;
        places.needed = (0..)
            .zip(columns)
            .filter(|(_, c)| c.required)
            .map(|(place, _)| place)
            .collect();
        Self {
            table,
            mapping,
            places,
        }
    }
}

impl Shape for Records<'_> {
    type Out = Record;
    type Batch = Vec<(u64, Record)>;

    fn gather(&self, rows: Vec<(u64, Record)>) -> Result<Self::Batch> {
        Ok(rows)
    }

    fn places(&self) -> &Places {
        &self.places
    }

    fn build(&self, mut row: Row<'_>) -> std::result::Result<Record, Refused> {
        let (zone, unit) = (&self.mapping.timezone, self.mapping.time_unit);
        let mut r = Reading {
            row: &mut row,
            names: &self.places.names,
            errors: Vec::new(),
        };
        let columns = self.table.columns();
        let mut values = Vec::with_capacity(columns.len());
        for (place, column) in columns.iter().enumerate() {
            let read = |cell: &Cell<'_>| match column.kind {
                Kind::User | Kind::Anonymous | Kind::Known | Kind::Text => cell
                    .text(500)
                    .map(|t| t.map(|t| Datum::Text(t.into_owned()))),
                Kind::Time => cell.instant(zone, unit).map(|t| t.map(Datum::Time)),
                Kind::Date => cell.date().map(|d| d.map(Datum::Date)),
                Kind::Money => cell.decimal(18, 4).map(|d| d.map(Datum::Decimal)),
                Kind::Rate => match cell.decimal(18, 8)? {
                    Some(rate) if rate <= 0 => Err(("out_of_range", "must be above 0".to_owned())),
                    rate => Ok(rate.map(Datum::Decimal)),
                },
                Kind::Currency => match cell.text(100)? {
                    None => Ok(None),
                    Some(text) => money::currency(&text)
                        .map(|currency| Some(Datum::Text(currency)))
                        .ok_or_else(|| not_a_currency(&text)),
                },
                Kind::Number => cell.double().map(|n| n.map(Datum::Number)),
                Kind::Properties => Ok(None),
            };
            let value = if column.kind == Kind::Properties {
                let properties = r.properties(place);
                r.canonical(place, properties).map(Datum::Text)
            } else if column.required {
                r.required(place, read)
            } else {
                r.read(place, read)
            };
            values.push(value.unwrap_or(Datum::Null));
        }
        if r.errors.is_empty() {
            Ok(Record::new(values))
        } else {
            Err(Refused {
                errors: r.errors,
                held: None,
            })
        }
    }
}

/// `booking_id` as `bookingId`.
fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            _ if upper => {
                camel.extend(letter.to_uppercase());
                upper = false;
            }
            _ => camel.push(letter),
        }
    }
    camel
}
