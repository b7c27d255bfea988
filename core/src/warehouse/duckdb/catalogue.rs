//! The stored catalogue, and the columns that it promotes.

use ::duckdb::{Connection, params};
use twox_hash::XxHash3_64;

use super::{Duckdb, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::events::Catalogue;

/// The definition as it is stored; nothing for the default.
pub(super) fn stored(home: &Duckdb) -> Result<Option<String>> {
    home.connect()?
        .query_row("select max(definition) from catalogue", [], |row| {
            row.get(0)
        })
        .map_err(|e| home.fault(e))
}

/// What a stored definition adds to the hash of all that is not an event.
pub(super) fn hash(stored: &Option<String>) -> u64 {
    stored
        .as_ref()
        .map_or(0, |text| XxHash3_64::oneshot(text.as_bytes()))
}

pub(super) fn read(home: &Duckdb) -> Result<Catalogue> {
    let Some(stored) = stored(home)? else {
        return Ok(Catalogue::default());
    };
    let value = serde_json::from_str(&stored).map_err(|error| {
        Error::new(
            ErrorKind::Corrupt,
            "corrupt",
            "the stored catalogue is not JSON",
        )
        .caused_by(error)
    })?;
    Catalogue::parse(&value)
}

pub(super) fn write(home: &Duckdb, catalogue: &Catalogue) -> Result<()> {
    // A catalogue made in code is held to the rules of one that was parsed.
    let json = catalogue.to_json()?;
    Catalogue::parse(&json)?;
    home.refuse_read_only()?;
    let writer = home.writer()?;
    let before = read(home)?;
    if before == *catalogue {
        return Ok(());
    }
    let mut head = *lock(&home.head);
    head.version += 1;
    let text = json.to_string();
    head.records_hash = head
        .records_hash
        .wrapping_sub(hash(&stored(home)?))
        .wrapping_add(hash(&Some(text.clone())));
    let promote =
        before.revenue != catalogue.revenue || before.base_currency != catalogue.base_currency;
    let write = |connection: &Connection| -> ::duckdb::Result<()> {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute("delete from catalogue", [])?;
        transaction.execute("insert into catalogue values (?)", [&text])?;
        if promote {
            self::promote(&transaction, catalogue)?;
        }
        transaction.execute(
            "update meta set version = ?, records_hash = ?",
            params![head.version, head.records_hash],
        )?;
        transaction.commit()
    };
    write(&writer.connection).map_err(|e| home.fault(e))?;
    *lock(&home.head) = head;
    *lock(&home.catalogue) = Some(catalogue.clone());
    Ok(())
}

/// What a decimal looks like; the engine's own cast would take `1_000` for one.
const DECIMAL: &str = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?";

/// Reads amount and currency of the revenue events again from their properties.
///
/// A currency that is none is kept as it is: revenue then names it as one without a rate, and is not summed as if
/// it were in the base currency.
fn promote(connection: &Connection, catalogue: &Catalogue) -> ::duckdb::Result<()> {
    let revenue = &catalogue.revenue;
    let events = serde_json::to_string(&revenue.events).unwrap_or_default();
    connection.execute(
        "update events set amount = null, currency = null where amount is not null or currency is not null",
        [],
    )?;
    connection.execute(
        "update events e
         set
            amount = case
                when regexp_full_match(trim(json_extract_string(properties, ?)), ?)
                then try_cast(trim(json_extract_string(properties, ?)) as decimal(18, 4))
            end,
            currency = case
                when regexp_full_match(trim(json_extract_string(properties, ?)), ?)
                then coalesce(upper(nullif(trim(json_extract_string(properties, ?)), '')), ?)
            end
         where name_key in (
            select name_key from names where list_contains(from_json(?, '[\"VARCHAR\"]'), name)
         )",
        params![
            pointer(&revenue.amount),
            DECIMAL,
            pointer(&revenue.amount),
            pointer(&revenue.amount),
            DECIMAL,
            pointer(&revenue.currency),
            catalogue.base_currency,
            events,
        ],
    )?;
    Ok(())
}

/// The JSON pointer to a property, which says it whatever letters it has.
pub(super) fn pointer(property: &str) -> String {
    format!("/{}", property.replace('~', "~0").replace('/', "~1"))
}
