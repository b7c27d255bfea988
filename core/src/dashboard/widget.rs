//! Widgets: what they show, of what, and how.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::config;
use crate::query::fields::{self, Fields, Parsed, fault};

/// One part of a dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Widget {
    /// What it shows.
    #[serde(rename = "type")]
    pub kind: WidgetType,
    /// Its title, 1 to 100 characters.
    pub title: String,
    /// Of what.
    pub data_source: Source,
    /// How; one of its type's [`WidgetType::visualizations`].
    pub visualization: String,
    /// What else there is to say; keys that are not known are kept.
    pub config: Map<String, Value>,
}

/// What a widget shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WidgetType {
    /// One number.
    Metric,
    /// Numbers over time.
    Chart,
    /// Numbers by something.
    Table,
    /// Numbers by place.
    Map,
    /// How far users get through a series of steps.
    Funnel,
}

/// What a widget's data are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// What users did: the events.
    UserEvents,
    /// The trips on offer.
    Trips,
    /// Bookings.
    Bookings,
    /// Reviews and their ratings.
    Reviews,
    /// Payments and refunds.
    Revenue,
    /// Measurements of the platform itself.
    Performance,
}

const TYPES: [(&str, WidgetType); 5] = [
    ("metric", WidgetType::Metric),
    ("chart", WidgetType::Chart),
    ("table", WidgetType::Table),
    ("map", WidgetType::Map),
    ("funnel", WidgetType::Funnel),
];

const SOURCES: [(&str, Source); 6] = [
    ("user_events", Source::UserEvents),
    ("trips", Source::Trips),
    ("bookings", Source::Bookings),
    ("reviews", Source::Reviews),
    ("revenue", Source::Revenue),
    ("performance", Source::Performance),
];

/// The longest name of a dashboard and title of a widget, in characters.
pub(super) const MAX_NAME: usize = 100;

impl WidgetType {
    /// The ways of showing it: what is "appropriate for widget type". `pie` and `donut` are of the whole range, which has no buckets.
    ///
    /// | type | visualizations |
    /// |---|---|
    /// | `metric` | `number`, `single_value`, `card`, `counter`, `kpi`, `gauge`, `progress`, `sparkline`, `trend`, `delta` |
    /// | `chart` | `line`, `area`, `stacked_area`, `bar`, `stacked_bar`, `column`, `pie`, `donut`, `scatter`, `heatmap`, `histogram`, `combo`, the first ten also with `_chart` behind them |
    /// | `table` | `table`, `grid`, `list`, `pivot`, `data_table`, `heatmap` |
    /// | `map` | `map`, `choropleth`, `heatmap`, `bubble`, `points`, `markers` |
    /// | `funnel` | `funnel`, `funnel_chart`, `bar`, `steps`, `sankey`, `table` |
    pub fn visualizations(self) -> &'static [&'static str] {
        match self {
            Self::Metric => &[
                "number",
                "single_value",
                "card",
                "counter",
                "kpi",
                "gauge",
                "progress",
                "sparkline",
                "trend",
                "delta",
            ],
            Self::Chart => &[
                "line",
                "area",
                "stacked_area",
                "bar",
                "stacked_bar",
                "column",
                "pie",
                "donut",
                "scatter",
                "heatmap",
                "histogram",
                "combo",
                "line_chart",
                "area_chart",
                "stacked_area_chart",
                "bar_chart",
                "stacked_bar_chart",
                "column_chart",
                "pie_chart",
                "donut_chart",
                "scatter_chart",
                "heatmap_chart",
            ],
            Self::Table => &["table", "grid", "list", "pivot", "data_table", "heatmap"],
            Self::Map => &[
                "map",
                "choropleth",
                "heatmap",
                "bubble",
                "points",
                "markers",
            ],
            Self::Funnel => &["funnel", "funnel_chart", "bar", "steps", "sankey", "table"],
        }
    }

    /// Its stable name.
    pub fn name(self) -> &'static str {
        TYPES
            .iter()
            .find(|t| t.1 == self)
            .map_or("", |found| found.0)
    }
}

impl Source {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        SOURCES
            .iter()
            .find(|s| s.1 == self)
            .map_or("", |found| found.0)
    }
}

/// A widget, with all that is wrong with it at once.
pub(super) fn widget(value: &Value) -> Parsed<Widget> {
    fields::object(value, |fields| {
        let kind = fields.required("type", |v| fields::one_of(v, &TYPES).map(Some));
        let title = fields.required("title", |v| fields::text_of(v, 1, MAX_NAME));
        let source = fields.required("dataSource", |v| fields::one_of(v, &SOURCES).map(Some));
        Widget {
            kind: kind.unwrap_or(WidgetType::Metric),
            title,
            data_source: source.unwrap_or(Source::UserEvents),
            visualization: fields.required("visualization", |v| visualization(v, kind)),
            config: fields.required("config", |v| config::read(v, kind)),
        }
    })
}

fn visualization(value: &Value, kind: Option<WidgetType>) -> Parsed<String> {
    let given = fields::text(value)?;
    let Some(kind) = kind else {
        // Nothing is appropriate for a type that is not known, and that is said of the type.
        return Ok(given.to_owned());
    };
    let fitting = kind.visualizations();
    if fitting.contains(&given) {
        return Ok(given.to_owned());
    }
    fault(
        "not_appropriate",
        format!(
            "`{given}` does not show a {}; {} do",
            kind.name(),
            fitting.join(", ")
        ),
    )
}

/// The fields of a request's body, which must be an object.
pub(super) fn body(value: &Value) -> crate::error::Result<Fields<'_>> {
    Fields::of(value).map_err(|_| {
        crate::error::Error::field(
            "body",
            "invalid_type",
            "must be an object with named fields",
        )
    })
}
