//! The question of feature adoption, and what can be wrong with it.

use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::query::condition::condition;
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::query::filter::filters;
use crate::query::{
    Bound, Condition, Filter, Instant, Period, Range, Segment, Selector, WeekStart, Window,
};
use crate::timeline::Needs;

/// Which features the users of a range take up, and how soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The features, each with a name of its own; at most 64.
    pub features: Vec<Feature>,
    /// Selects the active users and the uses counted; adoption itself looks at all history up to `asOf`.
    pub range: Range,
    /// Only users of this segment.
    pub segment: Segment,
    /// Only events that meet all of these are seen, as activity and as uses; segments, and when a user was first seen, are
    /// judged by all events.
    pub filters: Vec<Filter>,
    /// How many uses make an adopter; 1 by default.
    pub min_uses: u32,
    /// Within which time of exposure, its end included; 30 days by default.
    pub within: Window,
    /// The period by which first uses are counted; weeks by default.
    pub period: Period,
    /// The first day of weeks.
    pub week_start: WeekStart,
    /// From how many uses on each column of the breadth table counts; ascending from 1.
    pub frequencies: Vec<u32>,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
}

/// Something that users can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// The events that are uses of it.
    pub condition: Condition,
    /// When it was released: nobody is exposed to it before, and nothing before is a use. For ever by default.
    pub released: Option<Bound>,
}

impl From<&str> for Feature {
    /// The feature whose uses are the events of its name.
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            condition: Condition::from(name),
            released: None,
        }
    }
}

/// The most features of one question: a bit each.
pub(super) const MAX_FEATURES: usize = 64;

const FREQUENCIES: [u32; 5] = [1, 2, 5, 10, 20];

impl Default for Adoption {
    fn default() -> Self {
        Self {
            features: Vec::new(),
            range: Range::default(),
            segment: Segment::default(),
            filters: Vec::new(),
            min_uses: 1,
            within: Window::days(30),
            period: Period::default(),
            week_start: WeekStart::default(),
            frequencies: FREQUENCIES.to_vec(),
            as_of: None,
        }
    }
}

impl Adoption {
    /// The adoption of these features over a range.
    pub fn new<F: Into<Feature>>(features: impl IntoIterator<Item = F>, range: Range) -> Self {
        Self {
            features: features.into_iter().map(Into::into).collect(),
            range,
            ..Self::default()
        }
    }

    /// Reads a question in its JSON form: `features`, `startDate`, `endDate`, `timezone`, `segment`, `filters`, `minUses`,
    /// `within`, `period`, `weekStart`, `frequencies`, `asOf`. Features that are absent are the catalogue's.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, catalogue: &[String], now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let default = Self::default();
        let adoption = Self {
            features: fields
                .optional("features", |v| {
                    let features = fields::list(v, feature)?;
                    if features.is_empty() || features.len() > MAX_FEATURES {
                        return fault("invalid_length", "must be 1 to 64 features");
                    }
                    Ok(features)
                })
                .unwrap_or_else(|| Self::named(catalogue)),
            range: fields.range(),
            segment: fields
                .optional("segment", fields::segment)
                .unwrap_or_default(),
            filters: fields.optional("filters", filters).unwrap_or_default(),
            min_uses: fields
                .optional("minUses", |v| fields::integer(v, 1, 1_000_000))
                .map_or(default.min_uses, |n| n as u32),
            within: fields
                .optional("within", fields::window)
                .unwrap_or(default.within),
            period: fields
                .optional("period", fields::period)
                .unwrap_or_default(),
            week_start: fields
                .optional("weekStart", fields::week_start)
                .unwrap_or_default(),
            frequencies: fields
                .optional("frequencies", |v| {
                    let whole = |v: &Value| fields::integer(v, 1, 1_000_000).map(|n| n as u32);
                    fields::list(v, whole)
                })
                .unwrap_or(default.frequencies),
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.finish(adoption.faults(now))?;
        Ok(adoption)
    }

    /// The features of these names, as far as one question takes them.
    pub(crate) fn named(names: &[String]) -> Vec<Feature> {
        let mut features: Vec<Feature> = Vec::new();
        for name in names {
            if features.len() < MAX_FEATURES && features.iter().all(|f| f.name != *name) {
                features.push(Feature::from(name.as_str()));
            }
        }
        features
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = self.range.faults(self.as_of, now);
        let mut wrong = |is: bool, field: String, code, message: &str| {
            if is {
                faults.push(FieldError {
                    field,
                    code,
                    message: message.to_owned(),
                });
            }
        };
        wrong(
            self.features.len() > MAX_FEATURES,
            "features".to_owned(),
            "invalid_length",
            "must be at most 64 features",
        );
        for (i, feature) in self.features.iter().enumerate() {
            let mut before = self.features.iter().take(i);
            wrong(
                before.any(|f| f.name == feature.name),
                format!("features[{i}]"),
                "repeated",
                "has the name of a feature before it",
            );
        }
        wrong(
            self.min_uses == 0,
            "minUses".to_owned(),
            "out_of_range",
            "must be at least 1",
        );
        let ascend = self.frequencies.is_sorted_by(|a, b| a < b);
        let length = self.frequencies.len();
        wrong(
            self.frequencies.first() != Some(&1) || !ascend || length > 100,
            "frequencies".to_owned(),
            "invalid_brackets",
            "must be 1 to 100 numbers of uses that ascend from 1",
        );
        faults
    }

    /// What must be loaded for it.
    pub(crate) fn needs(&self) -> Needs<'_> {
        let uses = self.features.iter().flat_map(|f| f.condition.properties());
        let filters = self.filters.iter().map(|f| &f.property);
        Needs {
            properties: uses.chain(filters).collect(),
            ..Needs::default()
        }
    }
}

/// A name, or `{"name": …, "event": …, "where": […], "released": …}`: without `event`, the events of that name; without `name`,
/// the name of the one event.
fn feature(value: &Value) -> Parsed<Feature> {
    let Some(map) = value.as_object() else {
        return fields::name(value).map(|name| Feature::from(name.as_str()));
    };
    let mut rest = map.clone();
    let mut take = |name: &str| rest.remove(name).filter(|v| !v.is_null());
    let named = take("name").map(|v| fields::name(&v)).transpose()?;
    let released = take("released").map(|v| fields::date(&v)).transpose()?;
    if let Some(name) = named.as_ref().filter(|_| !rest.contains_key("event")) {
        rest.insert("event".to_owned(), Value::from(name.as_str()));
    }
    let condition = condition(&Value::Object(rest))?;
    let name = match (named, &condition.event) {
        (Some(name), _) => name,
        (None, Selector::Event(name)) => name.clone(),
        (None, _) => {
            return fault(
                "required",
                "must have the field `name` where it is not one event",
            );
        }
    };
    Ok(Feature {
        name,
        condition,
        released,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_is_checked_and_all_errors_come_at_once() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let catalogue = ["map".to_owned(), "map".to_owned(), "chat".to_owned()];
        let parse = |question: &Value| Adoption::parse(question, &catalogue, now);
        let range = json!({"startDate": "2026-01-01", "endDate": "2026-01-31"});
        let features = parse(&range).unwrap().features;
        assert_eq!(features, ["map", "chat"].map(Feature::from));
        let many = json!((0..65).map(|n| n.to_string()).collect::<Vec<_>>());
        let table = [
            ("features", json!([]), "features invalid_length"),
            ("features", many, "features invalid_length"),
            ("features", json!(["a", "a"]), "features[1] repeated"),
            ("features", json!([{"event": null}]), "features[0] required"),
            (
                "features",
                json!([{"event": ["a", "b"]}]),
                "features[0] required",
            ),
            (
                "features",
                json!([{"name": "a", "released": 1}]),
                "features[0] invalid_type",
            ),
            (
                "features",
                json!([{"name": "a", "color": 1}]),
                "features[0] invalid_type",
            ),
            ("minUses", json!(0), "minUses out_of_range"),
            ("within", json!("-1d"), "within out_of_range"),
            ("within", json!("soon"), "within invalid_window"),
            ("period", json!("yearly"), "period not_in_list"),
            ("frequencies", json!([2, 3]), "frequencies invalid_brackets"),
            ("frequencies", json!([1, 1]), "frequencies invalid_brackets"),
            ("frequencies", json!([]), "frequencies invalid_brackets"),
            ("frequencies", json!([0]), "frequencies[0] out_of_range"),
            ("color", json!("red"), "color unknown_field"),
        ];
        for (field, value, expected) in table {
            let mut question = range.clone();
            question[field] = value;
            let error = parse(&question).unwrap_err();
            let faults = error.field_errors().iter();
            let faults: Vec<String> = faults.map(|f| format!("{} {}", f.field, f.code)).collect();
            assert_eq!(faults, [expected], "{question}");
        }
        let mut good = range;
        good["features"] = json!([
            "a",
            {"event": "b", "released": "2026-01-05"},
            {"name": "c", "where": [{"property": "p", "value": 1}]},
            {"name": "d", "event": ["a", "b"]},
        ]);
        let features = parse(&good).unwrap().features;
        let names: Vec<&str> = features.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert_eq!(features[2].condition.event, Selector::from("c"));
    }
}
