//! What is asked for: the specification's Export Dashboard Data, and all that can be wrong with it.

use serde::Serialize;
use serde_json::Value;

use super::Format;
use crate::dashboard::Only;
use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields};
use crate::query::{Instant, Range};

/// What an export holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportType {
    /// The widgets of a dashboard, or the figures of the moment where none is named.
    Dashboard,
    /// The figures of the range: by period, the funnel of the catalogue, weekly retention.
    #[default]
    Report,
    /// The events of the range themselves, one a row.
    Dataset,
}

/// A metric that an export can be limited to: one of the specification's real-time metrics or cohort metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportMetric {
    /// Distinct users with an event; of a dataset all events.
    ActiveUsers,
    /// Page views.
    PageViews,
    /// All events a second; of a dataset all events.
    EventsPerSecond,
    /// Users who convert, and the funnel; of a dataset the conversions.
    ConversionRate,
    /// Errors of all events; of a dataset the errors.
    ErrorRate,
    /// Revenue; of a dataset the events with an amount.
    RevenuePerMinute,
    /// The share of users who come back; of a dataset all events.
    RetentionRate,
}

const TYPES: [(&str, ExportType); 3] = [
    ("dashboard", ExportType::Dashboard),
    ("report", ExportType::Report),
    ("dataset", ExportType::Dataset),
];

const METRICS: [(&str, ExportMetric); 7] = [
    ("active_users", ExportMetric::ActiveUsers),
    ("page_views", ExportMetric::PageViews),
    ("events_per_second", ExportMetric::EventsPerSecond),
    ("conversion_rate", ExportMetric::ConversionRate),
    ("error_rate", ExportMetric::ErrorRate),
    ("revenue_per_minute", ExportMetric::RevenuePerMinute),
    ("retention_rate", ExportMetric::RetentionRate),
];

/// At most so many places are told of an export.
const MOST_TOLD: usize = 20;

impl ExportMetric {
    /// Its identifier.
    pub fn name(self) -> &'static str {
        let known = METRICS.iter().find(|(_, metric)| *metric == self);
        known.map_or("", |(name, _)| name)
    }
}

/// What to export, of which time, as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    /// The dashboard, 24 hexadecimal digits in lower case.
    pub dashboard_id: Option<String>,
    /// What the export holds.
    pub export_type: ExportType,
    /// What it is written as.
    pub format: Format,
    /// The time it is of.
    pub range: Range,
    /// The only metrics it holds; all where the list is empty.
    pub metrics: Vec<ExportMetric>,
    /// What the widgets of its dashboard are narrowed to, as for their data.
    pub filters: Vec<Value>,
    /// Whether each of them is over its own range, as the dashboard shows it, and not over that of the export.
    pub own_ranges: bool,
    /// Who is told of its end beside whoever asks, as alerts name those they tell; whoever begins the export reads them.
    pub notify: Vec<Value>,
}

impl ExportRequest {
    /// Reads a request in its JSON form: `exportType`, `format`, `dateRange` with `startDate`, `endDate` and an optional
    /// `timezone`, and optional `dashboardId`, `metrics` and `notify`; for a dashboard that is named also `filters` and `ownRanges`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(request: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(request)?;
        let formats = Format::ALL.map(|f| (f.name(), f));
        let dashboard_id = fields.optional("dashboardId", object_id);
        let export_type = fields.required("exportType", |v| fields::one_of(v, &TYPES));
        let format = fields.required("format", |v| fields::one_of(v, &formats).map(Some));
        let range = fields.required("dateRange", |v| {
            fields::object_with(v, |inner| {
                let range = inner.range();
                let faults = range.faults(None, now);
                (range, faults)
            })
        });
        let metrics = fields.optional("metrics", |v| {
            fields::list(v, |m| fields::one_of(m, &METRICS))
        });
        let filters = fields.optional("filters", |v| {
            Only::parse(v)?;
            fields::list(v, |filter| Ok(filter.clone()))
        });
        let own_ranges = fields.optional("ownRanges", fields::boolean);
        let notify = fields.optional("notify", |v| {
            let places = fields::list(v, |place| Ok(place.clone()))?;
            if places.len() > MOST_TOLD {
                return fields::fault("too_many", format!("must be at most {MOST_TOLD}"));
            }
            Ok(places)
        });
        let mut metrics = metrics.unwrap_or_default();
        let mut known = Vec::new();
        metrics.retain(|m| {
            !known.contains(m) && {
                known.push(*m);
                true
            }
        });
        let (filters, own_ranges) = (filters.unwrap_or_default(), own_ranges == Some(true));
        let widgets = match request.get("exportType").and_then(Value::as_str) {
            Some("report" | "dataset") => false,
            Some("dashboard") => request.get("dashboardId").is_some_and(|id| !id.is_null()),
            _ => true,
        };
        let given = [("filters", !filters.is_empty()), ("ownRanges", own_ranges)];
        let given = given.iter().filter(|(_, given)| *given && !widgets);
        let faults = given.map(|(field, _)| FieldError {
            field: (*field).to_owned(),
            code: "unsupported",
            message: "is for the widgets of a dashboard that is named".to_owned(),
        });
        fields.finish(faults.collect())?;
        Ok(Self {
            dashboard_id,
            export_type,
            format: format.unwrap_or(Format::Json),
            range,
            metrics,
            filters,
            own_ranges,
            notify: notify.unwrap_or_default(),
        })
    }

    /// Whether a metric belongs to it.
    pub fn has(&self, metric: ExportMetric) -> bool {
        self.metrics.is_empty() || self.metrics.contains(&metric)
    }
}

/// 24 hexadecimal digits of either case.
fn object_id(value: &Value) -> fields::Parsed<String> {
    let id = fields::text(value)?;
    if id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(id.to_ascii_lowercase())
    } else {
        fields::fault("invalid_id", "must be an ObjectId: 24 hexadecimal digits")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-03-01T12:00:00Z";

    fn request() -> Value {
        json!({ "exportType": "report", "format": "csv",
            "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } })
    }

    fn faults(request: &Value) -> Vec<(String, &'static str)> {
        match ExportRequest::parse(request, NOW.parse().unwrap()) {
            Ok(_) => Vec::new(),
            Err(e) => e
                .field_errors()
                .iter()
                .map(|f| (f.field.clone(), f.code))
                .collect(),
        }
    }

    /// Every line of the specification's field validations, both sides of every edge.
    #[test]
    fn every_line_of_the_specification_holds() {
        let id = "dashboardId";
        let (start, end) = ("/dateRange/startDate", "/dateRange/endDate");
        let table: Vec<(&str, Value, Option<&str>)> = vec![
            // dashboardId: optional, a valid ObjectId.
            (id, Value::Null, None),
            (id, json!("507f1f77bcf86cd799439011"), None),
            (id, json!("507F1F77BCF86CD799439011"), None),
            (id, json!("507f1f77bcf86cd79943901"), Some("invalid_id")),
            (id, json!("507f1f77bcf86cd7994390111"), Some("invalid_id")),
            (id, json!("507f1f77bcf86cd79943901g"), Some("invalid_id")),
            (id, json!(""), Some("invalid_id")),
            (id, json!(5), Some("invalid_type")),
            // exportType: required, one of three.
            ("exportType", json!("dashboard"), None),
            ("exportType", json!("report"), None),
            ("exportType", json!("dataset"), None),
            ("exportType", json!("Report"), Some("not_in_list")),
            ("exportType", json!(""), Some("not_in_list")),
            ("exportType", json!(["report"]), Some("invalid_type")),
            ("exportType", Value::Null, Some("required")),
            // format: required, one of four.
            ("format", json!("csv"), None),
            ("format", json!("json"), None),
            ("format", json!("xlsx"), None),
            ("format", json!("pdf"), None),
            ("format", json!("xls"), Some("not_in_list")),
            ("format", json!(1), Some("invalid_type")),
            ("format", Value::Null, Some("required")),
            // dateRange.startDate: required, ISO 8601, not in the future.
            (start, json!("2025-12-31"), None),
            (start, json!("2026-01-30T23:59:59.999Z"), None),
            (start, json!("01/01/2026"), Some("invalid_date")),
            (start, json!("2026-02-30"), Some("invalid_date")),
            (start, json!(20_260_101), Some("invalid_type")),
            (start, Value::Null, Some("required")),
            // dateRange.endDate: required, ISO 8601, not in the future, after startDate.
            (end, json!("2026-01-02"), None),
            (end, json!("2026-01-01T00:00:00.001Z"), None),
            (end, json!("2026-01-01T00:00:00Z"), Some("not_after_start")),
            (end, json!("2026-01-01"), Some("not_after_start")),
            (end, json!("2025-12-31"), Some("not_after_start")),
            (end, json!("2026-03-01"), None),
            (end, json!("2026-03-01T12:00:00Z"), None),
            (end, json!("2026-03-01T12:00:00.000001Z"), Some("in_future")),
            (end, json!("2026-03-02"), Some("in_future")),
            (end, json!("tomorrow"), Some("invalid_date")),
            (end, Value::Null, Some("required")),
            // metrics: optional, an array, each a metric identifier.
            ("metrics", Value::Null, None),
            ("metrics", json!([]), None),
            ("metrics", json!(["active_users", "retention_rate"]), None),
            ("metrics", json!("active_users"), Some("invalid_type")),
            (
                "metrics",
                json!(["active_users", "speed"]),
                Some("not_in_list"),
            ),
            ("metrics", json!([1]), Some("invalid_type")),
        ];
        for (field, value, code) in table {
            let mut request = request();
            let place = field.strip_prefix('/').map(|_| field);
            match place.and_then(|p| request.pointer_mut(p)) {
                Some(place) => *place = value.clone(),
                None => request[field] = value.clone(),
            }
            let found: Vec<&str> = faults(&request).into_iter().map(|f| f.1).collect();
            let expected: Vec<&str> = code.into_iter().collect();
            assert_eq!(found, expected, "{field} = {value}");
        }
    }

    #[test]
    fn a_start_in_the_future_is_refused_and_so_is_a_range_that_is_none() {
        let mut later = request();
        later["dateRange"] = json!({ "startDate": "2026-03-02", "endDate": "2026-03-03" });
        assert_eq!(
            faults(&later),
            [
                ("dateRange.startDate".to_owned(), "in_future"),
                ("dateRange.endDate".to_owned(), "in_future")
            ]
        );
        for (range, code) in [(Value::Null, "required"), (json!("2026"), "invalid_type")] {
            let mut wrong = request();
            wrong["dateRange"] = range;
            assert_eq!(faults(&wrong), [("dateRange".to_owned(), code)]);
        }
    }

    #[test]
    fn only_the_widgets_of_a_dashboard_are_narrowed_and_have_ranges_of_their_own() {
        let narrowed = json!([{ "property": "country", "value": "FR" }]);
        for (kind, id, codes) in [
            ("dashboard", Some("507f1f77bcf86cd799439011"), 0),
            ("dashboard", None, 2),
            ("report", Some("507f1f77bcf86cd799439011"), 2),
            ("dataset", None, 2),
        ] {
            let mut request = request();
            request["exportType"] = json!(kind);
            request["dashboardId"] = json!(id);
            request["filters"] = narrowed.clone();
            request["ownRanges"] = json!(true);
            let found: Vec<&str> = faults(&request).into_iter().map(|f| f.1).collect();
            assert_eq!(found, vec!["unsupported"; codes], "{kind} {id:?}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_by_its_path() {
        let wrong = json!({ "exportType": "all", "dashboardId": "x", "metrics": ["a", "page_views", "b"], "more": 1,
            "dateRange": { "startDate": "x", "zone": "UTC" } });
        let mut found = faults(&wrong);
        found.sort();
        let expected = [
            ("dashboardId", "invalid_id"),
            ("dateRange.endDate", "required"),
            ("dateRange.startDate", "invalid_date"),
            ("dateRange.zone", "unknown_field"),
            ("exportType", "not_in_list"),
            ("format", "required"),
            ("metrics[0]", "not_in_list"),
            ("metrics[2]", "not_in_list"),
            ("more", "unknown_field"),
        ];
        assert_eq!(found, expected.map(|(f, c)| (f.to_owned(), c)));
    }
}
