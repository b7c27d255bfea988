//! Money in whole numbers (M1): what an event carries, what a currency was worth, and a sum a minute.

use chrono::NaiveDate;
use serde_json::Value;

use super::calendar::utc;
use super::question::text;

/// The catalogue's base currency.
pub const BASE: &str = "EUR";

/// The catalogue's events that carry money.
const REVENUE: [&str; 2] = ["payment", "refund"];

/// An amount in ten-thousandths of its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// How much.
    pub amount: i128,
    /// Of which currency.
    pub currency: String,
}

impl Money {
    /// The money of an event as `ingest` takes it: the properties `amount` and `currency` of an event of revenue.
    pub fn of(event: &Value) -> Option<Self> {
        let named = |name: &&str| event.get("name").and_then(Value::as_str) == Some(name);
        REVENUE.iter().find(|name| named(name))?;
        let properties = event.get("properties")?;
        let currency = properties
            .get("currency")
            .map_or_else(|| BASE.to_owned(), text);
        Some(Self {
            amount: decimal(properties.get("amount")?, 4),
            currency,
        })
    }
}

/// What one unit of a currency was worth from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The currency.
    pub currency: String,
    /// The day.
    pub day: NaiveDate,
    /// How much of the base currency, in hundred-millionths.
    pub rate: i128,
}

impl Rate {
    /// A row of the table `rates`.
    pub fn read(row: &Value) -> Self {
        let day = text(&row["day"]).parse().expect("a date");
        Self {
            currency: text(&row["currency"]),
            day,
            rate: decimal(&row["rate"], 8),
        }
    }
}

/// An amount at an instant in the base currency, in 10^-12: by the latest rate on or before the day it happened.
pub fn in_base(money: &Money, ts: i64, rates: &[Rate]) -> i128 {
    if money.currency == BASE {
        return money.amount * 100_000_000;
    }
    let day = utc(ts).date();
    let known = rates
        .iter()
        .filter(|r| r.currency == money.currency && r.day <= day);
    let rate = known
        .max_by_key(|r| r.day)
        .expect("a rate on or before the day");
    money.amount * rate.rate
}

/// A sum in 10^-12 over so many seconds as text of so much a minute: six digits, the last rounded half to even.
pub fn per_minute(sum: i128, seconds: i128) -> String {
    let (above, below) = (sum * 60, seconds * 1_000_000);
    let floor = above.div_euclid(below);
    let twice_the_rest = 2 * above.rem_euclid(below);
    let up = twice_the_rest > below || (twice_the_rest == below && floor % 2 != 0);
    let millionths = floor + i128::from(up);
    let sign = if millionths < 0 { "-" } else { "" };
    let digits = millionths.abs();
    format!("{sign}{}.{:06}", digits / 1_000_000, digits % 1_000_000)
}

/// A number, or text of one, as a whole number of units of its `places`-th decimal.
fn decimal(value: &Value, places: usize) -> i128 {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    assert!(
        part.len() <= places,
        "`{text}` has more than {places} decimals"
    );
    format!("{whole}{part:0<places$}")
        .parse()
        .expect("a number")
}
