//! The data of widgets: what each asks for, and how the figures of the platform become its answer.

mod figured;

use serde::Serialize;
use serde_json::{Map, Value, json};

use self::figured::{Figured, figure, rows, series};
use super::config::{self, Known, Measure};
use super::{Only, Source, Widget, WidgetType};
use crate::error::{Error, Result};
use crate::query::calendar::Calendar;
use crate::query::{Instant, Period, Range, Span, WeekStart, Zone};
use crate::warehouse::{Cell, Figures, Subject, Sum};

/// One widget's data, or why there are none.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WidgetData {
    /// The widget's place on the dashboard, from 0.
    pub widget: usize,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: WidgetType,
    /// Its title.
    pub title: String,
    /// Its data source.
    pub data_source: Source,
    /// How it is shown.
    pub visualization: String,
    /// From when on its data are; nothing for real-time metrics.
    pub start_date: Option<Instant>,
    /// Until when.
    pub end_date: Option<Instant>,
    /// The data, whose `kind` says what they are: `figure`, `series`, `rows`, or the name of the word that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Why there are none; the other widgets are answered all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

/// What a widget asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// A question to a word, in its JSON form.
    Word(&'static str, Value),
    /// Figures of the platform's tables.
    Figures {
        /// Of which rows.
        subject: Subject,
        /// Where the buckets begin, and where the last ends.
        edges: Vec<Instant>,
        /// By what, or empty.
        group: String,
        /// Only of this status, or empty.
        status: String,
        /// Only of this name, or empty.
        name: String,
        /// Only those whose properties have these values.
        only: Vec<(String, String)>,
        /// What is computed of them.
        what: What,
    },
}

/// What is computed, and for what sort of widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct What {
    kind: WidgetType,
    measure: Measure,
    limit: usize,
}

/// Whether it asks for a sum of money.
pub(crate) fn is_money(plan: &Plan) -> bool {
    matches!(plan, Plan::Figures { what, .. } if what.measure == Measure::Amount)
}

/// One number, and the same for as long a time before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The number; null where there is none, such as the mean of nothing. Money is exact decimal text.
    pub value: Value,
    /// How many rows it is computed from.
    pub count: u64,
    /// The number for as long a time before.
    pub previous: Value,
}

/// Numbers over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// The buckets.
    pub buckets: Vec<SeriesBucket>,
    /// A series a group; one without a name where rows are not grouped.
    pub series: Vec<Line>,
    /// Whether there are more groups than are shown.
    pub truncated: bool,
    /// How many groups there are.
    pub total: usize,
}

/// A bucket of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeriesBucket {
    /// Its first instant.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
}

/// The numbers of a group, one a bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The group.
    pub group: Option<String>,
    /// Its numbers.
    pub values: Vec<Value>,
}

/// Numbers by group, the greatest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rows {
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether there are more groups than are shown.
    pub truncated: bool,
    /// How many groups there are.
    pub total: usize,
}

/// A group and its number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The group; null for rows without one.
    pub group: Option<String>,
    /// Its number.
    pub value: Value,
    /// How many rows it is computed from.
    pub count: u64,
}

/// The real-time metrics that a metric widget may name.
const REALTIME: [&str; 6] = [
    "active_users",
    "page_views",
    "events_per_second",
    "conversion_rate",
    "error_rate",
    "revenue_per_minute",
];

/// What belongs to a widget and not to the question it asks.
const OWN: [&str; 4] = ["last", "timeRange", "refreshInterval", "layout"];

/// So far back where nothing is said: 30 days.
const LAST: i64 = 30 * 86_400_000_000;

/// More buckets than this are no picture any more.
const MOST_BUCKETS: usize = 1_000;

/// The time a widget's data are of: the range asked for or, without one, so far back from now as the widget says.
pub(crate) fn span(widget: &Widget, range: Option<&Range>, now: Instant) -> Result<(Span, Zone)> {
    if let Some(range) = range {
        let Span { from, to } = range.span();
        // Today's whole day ends tomorrow, and nothing is asked of the future.
        let to = to.min(now);
        return Ok((Span { from, to }, range.zone.clone()));
    }
    let known = known(widget)?;
    let zone = known.zone.unwrap_or_default();
    let last = known.last.map_or(LAST, crate::query::Window::micros);
    let first = Instant::saturating_from_micros(now.micros().saturating_sub(last));
    // A chart of days begins with a whole one.
    let from = match widget.kind {
        WidgetType::Metric => first,
        _ => zone.start_of(zone.date(first)),
    };
    Ok((Span { from, to: now }, zone))
}

/// What a widget asks for over a time, of what `only` says; real-time metrics are of everybody whatever it says.
///
/// # Errors
/// `validation_failed` where its configuration names what its data source does not have.
pub(crate) fn plan(widget: &Widget, (span, zone): (Span, &Zone), only: &Only) -> Result<Plan> {
    let known = known(widget)?;
    if widget.kind == WidgetType::Funnel {
        return Ok(Plan::Word("funnel", funnel(widget, (span, zone), only)));
    }
    if let Some(metric) = &known.metric {
        if !REALTIME.contains(&metric.as_str()) {
            return Err(wrong(
                "metric",
                format!("`{metric}` is not one of {}", REALTIME.join(", ")),
            ));
        }
        let mut question = json!({ "metrics": [metric] });
        if let (Some(question), Some(range)) =
            (question.as_object_mut(), widget.config.get("timeRange"))
        {
            question.insert("timeRange".to_owned(), range.clone());
        }
        return Ok(Plan::Word("realtime", question));
    }
    let measure = measure(widget, &known);
    fits(widget.data_source, measure)?;
    let edges = match widget.kind {
        // Parts of a whole are of the whole range.
        WidgetType::Chart if is_round(widget) => vec![span.from, span.to],
        WidgetType::Chart => buckets(span, zone, known.interval.unwrap_or(Period::Daily))?,
        WidgetType::Metric => {
            let length = span.to.micros().saturating_sub(span.from.micros());
            let before = span.from.micros().saturating_sub(length);
            vec![Instant::saturating_from_micros(before), span.from, span.to]
        }
        _ => vec![span.from, span.to],
    };
    let group = match (known.group_by, widget.kind) {
        (Some(group), _) => column(widget.data_source, &group)?,
        (None, WidgetType::Table) => natural(widget.data_source).to_owned(),
        (None, WidgetType::Map) => place(widget.data_source).to_owned(),
        (None, _) => String::new(),
    };
    Ok(Plan::Figures {
        subject: subject(widget.data_source),
        edges,
        group,
        status: known.status.unwrap_or_default(),
        name: known.event.unwrap_or_default(),
        only: only.texts(),
        what: What {
            kind: widget.kind,
            measure,
            limit: known.limit.unwrap_or(match widget.kind {
                WidgetType::Chart => 8,
                _ => 50,
            }),
        },
    })
}

/// What a widget measures.
fn measure(widget: &Widget, known: &Known) -> Measure {
    known.measure.unwrap_or(match widget.data_source {
        Source::Revenue => Measure::Amount,
        Source::Reviews | Source::Performance => Measure::Average,
        _ => Measure::Count,
    })
}

/// Whether a widget shows parts of a whole.
fn is_round(widget: &Widget) -> bool {
    let way = widget.visualization.trim_end_matches("_chart");
    ["pie", "donut"].contains(&way)
}

/// Whether the figures of a widget's groups add up to those of all: counts and amounts do.
pub(crate) fn adds_up(widget: &Widget) -> bool {
    known(widget)
        .is_ok_and(|known| matches!(measure(widget, &known), Measure::Count | Measure::Amount))
}

/// The answer of a widget that asks for figures.
///
/// # Errors
/// `missing_rate` for money in a currency without a rate to the base currency; `amount_too_large`.
pub(crate) fn answer(plan: &Plan, cells: &[Cell], sums: &[Sum], base: &str) -> Result<Value> {
    let Plan::Figures { edges, what, .. } = plan else {
        return Err(Error::internal("a word answers this widget"));
    };
    let table = Figured::new(cells, sums, base, what.measure)?;
    match what.kind {
        WidgetType::Metric => tagged("figure", &figure(&table)),
        WidgetType::Chart => tagged("series", &series(&table, edges, what.limit)),
        _ => tagged("rows", &rows(&table, what.limit)),
    }
}

/// Data with the name of what they are.
pub(crate) fn tagged<T: Serialize>(kind: &str, data: &T) -> Result<Value> {
    let mut value = serde_json::to_value(data).map_err(Error::internal)?;
    if let Some(map) = value.as_object_mut() {
        map.insert("kind".to_owned(), kind.into());
    }
    Ok(value)
}

/// The question of a figure.
pub(crate) fn figures(plan: &Plan) -> Option<Figures<'_>> {
    match plan {
        Plan::Word(..) => None,
        Plan::Figures {
            subject,
            edges,
            group,
            status,
            name,
            only,
            ..
        } => Some(Figures {
            subject: *subject,
            edges,
            group,
            status,
            name,
            only,
        }),
    }
}

fn known(widget: &Widget) -> Result<Known> {
    let config = Value::Object(widget.config.clone());
    // What is stored was checked when it came; a later edition may be stricter.
    config::known(&config, widget.kind).map_err(|_| {
        wrong(
            "config",
            "is not what this edition of travelsense takes".to_owned(),
        )
    })
}

fn funnel(widget: &Widget, (span, zone): (Span, &Zone), only: &Only) -> Value {
    let own = |name: &String| OWN.contains(&name.as_str());
    let mut question: Map<String, Value> = widget.config.clone();
    question.retain(|name, _| !own(name));
    question.insert("startDate".to_owned(), span.from.to_string().into());
    question.insert("endDate".to_owned(), span.to.to_string().into());
    question.insert("timezone".to_owned(), zone.name().into());
    if !only.0.is_empty() {
        let mut filters = match question.remove("filters") {
            Some(Value::Array(own)) => own,
            _ => Vec::new(),
        };
        let more = only.0.iter();
        filters.extend(
            more.map(
                |(property, value)| json!({ "property": property, "op": "is", "value": value }),
            ),
        );
        question.insert("filters".to_owned(), Value::Array(filters));
    }
    Value::Object(question)
}

fn buckets(span: Span, zone: &Zone, period: Period) -> Result<Vec<Instant>> {
    let calendar = Calendar::new(zone, period, WeekStart::default(), span.from, span.to)?;
    // A date that the zone skipped is an empty bucket, and holds nothing.
    let there = calendar.buckets().iter().filter(|b| b.start < b.end);
    let starts = there.map(|b| b.start);
    // The first bucket begins where the range does, and the last ends there.
    let mut edges: Vec<Instant> = starts.map(|at| at.max(span.from)).collect();
    if edges.len() > MOST_BUCKETS {
        return Err(wrong(
            "interval",
            format!("would make more than {MOST_BUCKETS} buckets; a longer one makes fewer"),
        ));
    }
    edges.push(span.to);
    Ok(edges)
}

fn subject(source: Source) -> Subject {
    match source {
        Source::UserEvents => Subject::Events,
        Source::Trips => Subject::Trips,
        Source::Bookings => Subject::Bookings,
        Source::Reviews => Subject::Reviews,
        Source::Revenue => Subject::Payments,
        Source::Performance => Subject::Performance,
    }
}

/// The columns that rows of a source can be grouped by.
fn columns(source: Source) -> &'static [&'static str] {
    match source {
        Source::UserEvents => &["name", "currency"],
        Source::Trips => &["destination", "currency"],
        Source::Bookings | Source::Revenue => &["status", "currency", "destination"],
        Source::Reviews => &["rating", "destination"],
        Source::Performance => &["name"],
    }
}

/// What a table is by where nothing is said.
fn natural(source: Source) -> &'static str {
    columns(source).first().copied().unwrap_or_default()
}

/// What a map is by where nothing is said.
fn place(source: Source) -> &'static str {
    match source {
        Source::UserEvents | Source::Performance => "country",
        _ => "destination",
    }
}

fn column(source: Source, group: &str) -> Result<String> {
    if let Some(property) = group.strip_prefix("properties.") {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let reserved = ["name", "status", "currency", "destination", "rating"];
        if !property.is_empty() && property.chars().all(plain) && !reserved.contains(&property) {
            return Ok(property.to_owned());
        }
        return Err(wrong(
            "groupBy",
            format!("`{property}` cannot be a property to group by"),
        ));
    }
    if columns(source).contains(&group) {
        return Ok(group.to_owned());
    }
    Err(wrong(
        "groupBy",
        format!(
            "`{group}` is not one of {}, nor a property such as properties.country",
            columns(source).join(", ")
        ),
    ))
}

fn fits(source: Source, measure: Measure) -> Result<()> {
    let valued = matches!(source, Source::Reviews | Source::Performance);
    let fits = match measure {
        Measure::Count => true,
        Measure::Amount => !valued,
        _ => valued,
    };
    if fits {
        Ok(())
    } else {
        Err(wrong(
            "measure",
            format!("is not there for {}", source.name()),
        ))
    }
}

fn wrong(field: &str, message: String) -> Error {
    Error::field(format!("config.{field}"), "not_in_list", message)
}
