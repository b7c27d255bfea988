//! Which event names mean what: page views, conversions, errors, revenue, features, the default funnel.

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, FieldError, Result};
use crate::query::Selector;
use crate::query::fields::{self, Fields, Parsed};

/// What the events of a platform mean; stored with the warehouse, with a working default for travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Catalogue {
    /// Events that are page views.
    pub page_views: Vec<String>,
    /// Events that are conversions.
    pub conversions: Vec<String>,
    /// Events that are errors.
    pub errors: Vec<String>,
    /// Events that carry money, and where they carry it.
    pub revenue: Revenue,
    /// Events that are uses of a feature of that name.
    pub features: Vec<String>,
    /// The steps of a funnel where none are given.
    pub default_funnel: Vec<Selector>,
    /// The plans whose users are premium.
    pub premium_plans: Vec<String>,
    /// The currency that sums are given in: three capital letters.
    pub base_currency: String,
}

/// Events that carry money, and where they carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revenue {
    /// Their names; refunds among them carry negative amounts.
    pub events: Vec<String>,
    /// The property with the amount.
    pub amount: String,
    /// The property with the currency; an event without one is in the base currency.
    pub currency: String,
}

impl Default for Catalogue {
    fn default() -> Self {
        let names = |list: &[&str]| {
            list.iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        Self {
            page_views: names(&["page_view"]),
            conversions: names(&["complete_booking"]),
            errors: names(&["error"]),
            revenue: Revenue {
                events: names(&["payment", "refund"]),
                amount: "amount".to_owned(),
                currency: "currency".to_owned(),
            },
            features: names(&["map", "wishlist", "price_alert", "chat", "review"]),
            default_funnel: ["search", "view_trip", "start_booking", "complete_booking"]
                .map(Selector::from)
                .to_vec(),
            premium_plans: names(&["premium"]),
            base_currency: "EUR".to_owned(),
        }
    }
}

impl Catalogue {
    /// Reads a catalogue in its JSON form; a field that is absent keeps its default.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(value: &Value) -> Result<Self> {
        let default = Self::default();
        let mut fields = Fields::of(value)?;
        let mut more = Vec::new();
        let revenue = fields
            .optional("revenue", |v| Ok(v.clone()))
            .and_then(|v| {
                Revenue::parse(&v, default.revenue.clone())
                    .map_err(|error| {
                        more.extend(error.field_errors().iter().map(|inner| FieldError {
                            field: format!("revenue.{}", inner.field),
                            ..inner.clone()
                        }));
                    })
                    .ok()
            })
            .unwrap_or(default.revenue);
        let catalogue = Self {
            page_views: fields
                .optional("pageViews", names)
                .unwrap_or(default.page_views),
            conversions: fields
                .optional("conversions", names)
                .unwrap_or(default.conversions),
            errors: fields.optional("errors", names).unwrap_or(default.errors),
            revenue,
            features: fields
                .optional("features", names)
                .unwrap_or(default.features),
            default_funnel: fields
                .optional("defaultFunnel", steps)
                .unwrap_or(default.default_funnel),
            premium_plans: fields
                .optional("premiumPlans", names)
                .unwrap_or(default.premium_plans),
            base_currency: fields
                .optional("baseCurrency", currency)
                .unwrap_or(default.base_currency),
        };
        fields.finish(more)?;
        Ok(catalogue)
    }

    /// Its JSON form.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn to_json(&self) -> Result<Value> {
        serde_json::to_value(self).map_err(Error::internal)
    }
}

impl Revenue {
    fn parse(value: &Value, default: Self) -> Result<Self> {
        let mut fields = Fields::of(value)?;
        let revenue = Self {
            events: fields.optional("events", names).unwrap_or(default.events),
            amount: fields.optional("amount", name).unwrap_or(default.amount),
            currency: fields
                .optional("currency", name)
                .unwrap_or(default.currency),
        };
        fields.finish(Vec::new())?;
        Ok(revenue)
    }
}

fn name(value: &Value) -> Parsed<String> {
    let text = fields::text(value)?;
    if text.is_empty() || text.chars().count() > 200 {
        return fields::fault("invalid_length", "must have 1 to 200 characters");
    }
    Ok(text.to_owned())
}

fn names(value: &Value) -> Parsed<Vec<String>> {
    let names = fields::list(value, name)?;
    if names.len() > 1_000 {
        return fields::fault("invalid_length", "must have at most 1000 names");
    }
    Ok(names)
}

fn steps(value: &Value) -> Parsed<Vec<Selector>> {
    let steps = fields::list(value, fields::selector)?;
    if steps.is_empty() || steps.len() > 64 {
        return fields::fault("invalid_length", "must have 1 to 64 steps");
    }
    Ok(steps)
}

fn currency(value: &Value) -> Parsed<String> {
    let given = fields::text(value)?;
    super::money::currency(given).map_or_else(
        || {
            fields::fault(
                "invalid_currency",
                format!("`{given}` is not a currency of three letters, such as EUR"),
            )
        },
        Ok,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_default_reads_back_as_itself() {
        let default = Catalogue::default();
        assert_eq!(
            Catalogue::parse(&default.to_json().unwrap()).unwrap(),
            default
        );
        assert_eq!(Catalogue::parse(&json!({})).unwrap(), default);
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let error = Catalogue::parse(&json!({
            "pageViews": "page_view",
            "conversions": ["", "x"],
            "revenue": {"amount": 5, "sum": "x"},
            "defaultFunnel": [],
            "baseCurrency": "Euro",
            "colour": 1,
        }))
        .unwrap_err();
        let found: Vec<(&str, &str)> = error
            .field_errors()
            .iter()
            .map(|e| (e.field.as_str(), e.code))
            .collect();
        assert_eq!(
            found,
            [
                ("pageViews", "invalid_type"),
                ("conversions[0]", "invalid_length"),
                ("defaultFunnel", "invalid_length"),
                ("baseCurrency", "invalid_currency"),
                ("revenue.amount", "invalid_type"),
                ("revenue.sum", "unknown_field"),
                ("colour", "unknown_field"),
            ]
        );
    }
}
