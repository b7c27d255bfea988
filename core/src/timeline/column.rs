//! What events and users say of themselves beside name and time: read once from the warehouse, then found by row or user key.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: codes are below the number of values"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::identity::Identity;
use super::membership::Membership;
use super::sparse::Sparse;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Sample;
use crate::query::filter::{Moment, Property};
use crate::warehouse::{EventProperty, Said, Warehouse, Worth};

/// The distinct values of a property, each once, as canonical JSON text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary {
    values: Vec<String>,
    codes: HashMap<String, u32>,
}

impl Dictionary {
    fn code(&mut self, value: &str) -> u32 {
        let value = &*number(value);
        if let Some(code) = self.codes.get(value) {
            return *code;
        }
        let code = self.values.len() as u32;
        self.values.push(value.to_owned());
        self.codes.insert(value.to_owned(), code);
        code
    }

    /// About the memory it takes, in bytes: every text twice, and what leads to it.
    fn bytes(&self) -> u64 {
        const LEADING: u64 = 80;
        let texts: u64 = self.values.iter().map(|value| value.len() as u64).sum();
        2 * texts + LEADING * self.values.len() as u64
    }

    /// The value of a code, as canonical JSON text.
    pub(crate) fn value(&self, code: u32) -> &str {
        &self.values[code as usize]
    }

    /// All values by code.
    pub(crate) fn values(&self) -> &[String] {
        &self.values
    }
}

/// A number has one text, whoever wrote it: `1.0` and `1e0` are `1`, as filters compare them.
fn number(json: &str) -> Cow<'_, str> {
    let decimal = json.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && (json == "-0" || json.contains(['.', 'e', 'E']));
    let value = decimal.then(|| json.parse::<f64>().ok()).flatten();
    // Beyond these the numbers of JSON are floating point, and written so, already.
    match value.filter(|v| v.fract() == 0.0 && v.abs() < 9.2e18) {
        Some(whole) => Cow::Owned((whole as i64).to_string()),
        None => Cow::Borrowed(json),
    }
}

/// A property of events: a code for each row that has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    pub(crate) codes: Sparse<u32>,
    pub(crate) dictionary: Dictionary,
    rows: u32,
}

impl Column {
    /// JSON null is as if the property were not there.
    pub(super) fn push(&mut self, row: u32, json: &str) -> bool {
        json == "null" || {
            let code = self.dictionary.code(json);
            self.codes.push(row, code)
        }
    }

    fn extended(&self, warehouse: &dyn Warehouse, property: &EventProperty) -> Result<Self> {
        let mut column = self.clone();
        let mut found: Vec<(u32, u32)> = Vec::new();
        let rows = warehouse.head()?.rows;
        warehouse.property(property, self.rows, &mut |rows, values| {
            for (row, value) in rows.iter().zip(values) {
                let json = value.unwrap_or("null");
                if json != "null" {
                    found.push((*row, column.dictionary.code(json)));
                }
            }
            Ok(())
        })?;
        found.sort_unstable();
        for (row, code) in found {
            column.codes.push(row, code);
            column.rows = column.rows.max(row + 1);
        }
        column.rows = column.rows.max(rows);
        Ok(column)
    }
}

/// A property of users: what profiles said of it and when, in the order (user, time).
#[derive(Clone, Debug, Default)]
pub(crate) struct UserColumn {
    said: Vec<(u32, i64, u32)>,
    pub(crate) dictionary: Dictionary,
}

impl UserColumn {
    /// Of what was said of one user at one time, the last by content hash counts.
    fn new(mut said: Vec<Said>, identity: &Identity) -> Self {
        for one in &mut said {
            one.user = identity.canonical(one.user);
        }
        said.sort_by_key(|said| (said.user, said.ts, said.hash));
        let mut column = Self::default();
        for one in said {
            let code = column.dictionary.code(&one.value);
            column.said.push((one.user, one.ts, code));
        }
        column
    }

    /// The keys of the users whose value at a time is one of these, ascending.
    fn holders(&self, ts: i64, values: &[String]) -> Vec<u32> {
        let mut users: Vec<u32> = self.said.iter().map(|said| said.0).collect();
        users.dedup();
        users.retain(|user| {
            self.at(*user, ts)
                .is_some_and(|code| values.iter().any(|v| v == self.dictionary.value(code)))
        });
        users
    }

    /// What was known of a user at a time: the code of the latest value said by then; null is as if nothing were said.
    pub(crate) fn at(&self, user: u32, ts: i64) -> Option<u32> {
        let after = self.said.partition_point(|s| (s.0, s.1) <= (user, ts));
        let (whose, _, code) = *self.said.get(after.checked_sub(1)?)?;
        (whose == user && self.dictionary.value(code) != "null").then_some(code)
    }
}

/// The amounts of events in the base currency (M1).
#[derive(Clone, Debug, Default)]
pub(crate) struct Amounts {
    worth: Sparse<Worth>,
    missing: Vec<(String, String)>,
    rows: u32,
    version: u64,
}

impl Amounts {
    /// What an event is worth in 10^-12 of the base currency; nothing for an event without an amount.
    ///
    /// # Errors
    /// `missing_rate` for an amount in a currency without a rate on or before its day.
    #[inline]
    pub(crate) fn worth(&self, row: u32) -> Result<Option<i128>> {
        match self.worth.get(row) {
            None => Ok(None),
            Some(Worth::Base(amount)) => Ok(Some(*amount)),
            Some(Worth::Missing(which)) => {
                let (currency, day) = self
                    .missing
                    .get(*which as usize)
                    .cloned()
                    .unwrap_or_default();
                Err(Error::new(
                    ErrorKind::Invalid,
                    "missing_rate",
                    format!(
                        "there is no rate from `{currency}` to the base currency on or before {day}; import one into `rates`"
                    ),
                ))
            }
        }
    }
}

/// What a question asks for beside the timelines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs<'a> {
    /// The properties it looks at.
    pub(crate) properties: Vec<&'a Property>,
    /// Whether it sums money.
    pub(crate) amounts: bool,
    /// Which users it sees; all by default.
    pub(crate) sample: Option<&'a Sample>,
}

/// Properties and amounts, as far as questions have needed them.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    events: BTreeMap<EventProperty, Arc<Column>>,
    /// By name, with the version and the identities at which they were read.
    users: BTreeMap<String, ((u64, u64), Arc<UserColumn>)>,
    cohorts: BTreeMap<String, Arc<Membership>>,
    amounts: Option<Arc<Amounts>>,
    epoch: u64,
}

/// Without any column.
pub(super) static NONE: Columns = Columns {
    events: BTreeMap::new(),
    users: BTreeMap::new(),
    cohorts: BTreeMap::new(),
    amounts: None,
    epoch: 0,
};

fn stored(name: &Property) -> Option<EventProperty> {
    match name {
        Property::Event(name) => Some(EventProperty::Named(name.clone())),
        Property::Session => Some(EventProperty::Session),
        Property::User { .. } | Property::Cohort { .. } => None,
    }
}

/// What a cohort says of a user: the value of code 0 is no, of code 1 yes.
static MEMBERSHIP: LazyLock<Dictionary> = LazyLock::new(|| {
    let mut dictionary = Dictionary::default();
    dictionary.code("false");
    dictionary.code("true");
    dictionary
});

impl Columns {
    /// Reads what is not there yet, so that these properties, and amounts where they are asked for, are known of all events
    /// stored by now.
    ///
    /// # Errors
    /// Whatever reading the store raises.
    pub(crate) fn load<'p>(
        &mut self,
        warehouse: &dyn Warehouse,
        identity: &Identity,
        properties: impl IntoIterator<Item = &'p Property>,
        amounts: bool,
    ) -> Result<()> {
        let head = warehouse.head()?;
        if head.epoch != self.epoch {
            *self = Self {
                epoch: head.epoch,
                ..Self::default()
            };
        }
        for property in properties {
            match property {
                Property::User { name, .. } => {
                    let known = self
                        .users
                        .get(name)
                        .is_some_and(|u| u.0.0 >= head.version && u.0.1 == identity.hash);
                    if !known {
                        let column = UserColumn::new(warehouse.user_property(name)?, identity);
                        self.users.insert(
                            name.clone(),
                            ((head.version, identity.hash), Arc::new(column)),
                        );
                    }
                }
                property => {
                    let Some(key) = stored(property) else {
                        continue;
                    };
                    let known = self.events.get(&key).cloned().unwrap_or_default();
                    if known.rows < head.rows || !self.events.contains_key(&key) {
                        let column = known.extended(warehouse, &key)?;
                        self.events.insert(key, Arc::new(column));
                    }
                }
            }
        }
        let fresh = |a: &Arc<Amounts>| a.rows >= head.rows && a.version >= head.version;
        if amounts && !self.amounts.as_ref().is_some_and(fresh) {
            let worths = warehouse.worths()?;
            let mut read = Amounts {
                rows: head.rows,
                version: head.version,
                missing: worths.missing,
                ..Amounts::default()
            };
            for (row, worth) in worths.rows {
                read.worth.push(row, worth);
            }
            self.amounts = Some(Arc::new(read));
        }
        Ok(())
    }

    /// About the memory they take, in bytes.
    fn bytes(&self) -> u64 {
        let events = self.events.values();
        let events = events.map(|column| column.codes.bytes() + column.dictionary.bytes());
        let users = self.users.values().map(|(_, column)| {
            size_of_val(column.said.as_slice()) as u64 + column.dictionary.bytes()
        });
        let amounts = self.amounts.iter().map(|amounts| amounts.worth.bytes());
        events.chain(users).chain(amounts).sum()
    }

    /// Forgets what this question does not need where all together take more than memory may.
    ///
    /// # Errors
    /// `memory_limit` where what it needs alone takes more.
    pub(crate) fn keep_within<'p>(
        &mut self,
        limit: Option<u64>,
        properties: impl IntoIterator<Item = &'p Property>,
        amounts: bool,
    ) -> Result<()> {
        let Some(limit) = limit.filter(|limit| self.bytes() > *limit) else {
            return Ok(());
        };
        let (mut events, mut users) = (BTreeMap::new(), BTreeMap::new());
        for property in properties {
            if let Property::User { name, .. } = property {
                users.extend(self.users.remove_entry(name));
            } else if let Some(key) = stored(property) {
                events.extend(self.events.remove_entry(&key));
            }
        }
        (self.events, self.users) = (events, users);
        self.amounts = self.amounts.take().filter(|_| amounts);
        let need = self.bytes();
        if need <= limit {
            return Ok(());
        }
        // What does not fit is not held on to.
        *self = Self {
            epoch: self.epoch,
            ..Self::default()
        };
        Err(Error::new(
            ErrorKind::Limit,
            "memory_limit",
            format!(
                "the properties and amounts that the question needs take about {need} bytes; the limit is {limit}"
            ),
        ))
    }

    /// Adds who is of a cohort.
    pub(crate) fn add_cohort(&mut self, name: &str, members: Membership) {
        self.cohorts.insert(name.to_owned(), Arc::new(members));
    }

    /// Columns given row by row instead of read: values as JSON text.
    pub fn given(
        events: impl IntoIterator<Item = (String, Vec<Option<String>>)>,
        users: impl IntoIterator<Item = (String, Vec<(u32, i64, String)>)>,
        amounts: Vec<Option<i128>>,
    ) -> Self {
        let column = |values: Vec<Option<String>>| {
            let mut column = Column::default();
            for (row, value) in (0_u32..).zip(values) {
                column.push(row, value.as_deref().unwrap_or("null"));
            }
            Arc::new(column)
        };
        let mut known = Amounts::default();
        for (row, amount) in (0_u32..).zip(amounts) {
            if let Some(amount) = amount {
                known.worth.push(row, Worth::Base(amount));
            }
        }
        Self {
            events: events
                .into_iter()
                .map(|(name, values)| {
                    let key = if name == "$session" {
                        EventProperty::Session
                    } else {
                        EventProperty::Named(name)
                    };
                    (key, column(values))
                })
                .collect(),
            users: users
                .into_iter()
                .map(|(name, said)| {
                    let said = (0..).zip(said).map(|(hash, (user, ts, value))| Said {
                        user,
                        ts,
                        hash,
                        value,
                    });
                    let column = UserColumn::new(said.collect(), &Identity::default());
                    (name, ((0, 0), Arc::new(column)))
                })
                .collect(),
            cohorts: BTreeMap::new(),
            amounts: Some(Arc::new(known)),
            epoch: 0,
        }
    }

    /// The same with a cohort of these members.
    #[must_use]
    pub fn with_cohort(mut self, name: &str, members: Membership) -> Self {
        self.add_cohort(name, members);
        self
    }

    /// The keys of the users whose loaded property had one of these values just before an instant, ascending.
    pub(crate) fn users_with(&self, name: &str, before: i64, values: &[String]) -> Vec<u32> {
        let json: Vec<String> = values
            .iter()
            .map(|v| Value::from(v.as_str()).to_string())
            .collect();
        self.users
            .get(name)
            .map(|(_, column)| column.holders(before - 1, &json))
            .unwrap_or_default()
    }

    /// A loaded property, ready to be looked up.
    ///
    /// # Errors
    /// `contradiction` for a property as of an entry, where nothing knows of entries; else only a fault of our own: a
    /// property that was not loaded.
    pub(crate) fn reader(&self, property: &Property, as_of: i64) -> Result<Reader<'_>> {
        if property.at_entry() {
            return Err(Error::field(
                "at",
                "contradiction",
                "must not be `at_entry` here; it is for the filters and the breakdown of a funnel",
            ));
        }
        self.reader_of_entry(property, as_of)
    }

    /// The same for whoever looks a property as of an entry up at the time of the entry.
    ///
    /// # Errors
    /// Only a fault of our own: a property that was not loaded.
    pub(crate) fn reader_of_entry(&self, property: &Property, as_of: i64) -> Result<Reader<'_>> {
        let lost = || Error::internal("a property was asked for that was not loaded");
        match property {
            Property::User { name, at } => {
                let (_, column) = self.users.get(name).ok_or_else(lost)?;
                Ok(Reader::User {
                    column,
                    as_of: (*at == Moment::AsOf).then_some(as_of),
                })
            }
            Property::Cohort { name, at } => Ok(Reader::Cohort {
                members: self.cohorts.get(name).ok_or_else(lost)?,
                as_of: *at == Moment::AsOf,
            }),
            property => {
                let key = stored(property).ok_or_else(lost)?;
                let column = self.events.get(&key).ok_or_else(lost)?;
                Ok(Reader::Event(column))
            }
        }
    }

    /// The loaded amounts.
    ///
    /// # Errors
    /// Only a fault of our own: amounts that were not loaded.
    pub(crate) fn amounts(&self) -> Result<&Amounts> {
        self.amounts
            .as_deref()
            .ok_or_else(|| Error::internal("amounts were asked for that were not loaded"))
    }
}

/// A property ready to be looked up, row by row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reader<'a> {
    /// Of events.
    Event(&'a Column),
    /// Of users, at the time of the event or at one instant.
    User {
        /// What was said.
        column: &'a UserColumn,
        /// The one instant.
        as_of: Option<i64>,
    },
    /// Whether the user is of a cohort, at the time of the event or as of the question.
    Cohort {
        /// Who is.
        members: &'a Membership,
        /// Whether as of the question.
        as_of: bool,
    },
}

impl<'a> Reader<'a> {
    /// The code of the value that an event, or its user, has.
    #[inline]
    pub(crate) fn code(&self, user: u32, ts: i64, row: u32) -> Option<u32> {
        match self {
            Self::Event(column) => column.codes.get(row).copied(),
            Self::User { column, as_of } => column.at(user, as_of.unwrap_or(ts)),
            Self::Cohort { members, as_of } => Some(u32::from(if *as_of {
                members.hold(user)
            } else {
                members.hold_at(user, ts)
            })),
        }
    }

    /// The values by code.
    pub(crate) fn dictionary(&self) -> &'a Dictionary {
        match self {
            Self::Event(column) => &column.dictionary,
            Self::User { column, .. } => &column.dictionary,
            Self::Cohort { .. } => &MEMBERSHIP,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_no_question_needs_give_way_to_the_limit() {
        let column = |name: &str| {
            let values = (0..1_000).map(|n| Some(format!("{}", n % 10)));
            (name.to_owned(), values.collect::<Vec<_>>())
        };
        let property = |name: &str| Property::Event(name.to_owned());
        let mut columns = Columns::given([column("p"), column("t")], [], vec![Some(1); 1_000]);
        let all = columns.bytes();
        let p = property("p");
        columns.keep_within(Some(all), [&p], false).unwrap();
        assert_eq!(columns.bytes(), all);
        columns.keep_within(Some(all - 1), [&p], false).unwrap();
        assert!(columns.reader(&p, 0).is_ok() && columns.reader(&property("t"), 0).is_err());
        assert!(columns.amounts().is_err());
        let refused = columns.keep_within(Some(100), [&p], false).unwrap_err();
        assert_eq!(refused.code(), "memory_limit");
        assert!(columns.reader(&p, 0).is_err());
    }
}
