//! What exports hold, gathered from the words by the handle.

use serde_json::{Value, json};

use super::Analytics;
use crate::access::{self, Permission, Principal};
use crate::chart::{Across, Chart, Heading, LineChart, Point, Series, State, Unit};
use crate::error::Result;
use crate::export::{
    ExportMetric, ExportRequest, ExportType, Form, Kind, Plot, Report, Section, Table, widget,
};
use crate::query::{Calendar, Instant, Period, Span, WeekStart};
use crate::realtime::{self, Figures, Metric, RealtimeMetric};
use crate::warehouse::dataset::{self, Wanted};

/// The real-time metrics by the identifiers that exports have for them.
const FIGURES: [(ExportMetric, Metric); 6] = [
    (ExportMetric::ActiveUsers, Metric::ActiveUsers),
    (ExportMetric::PageViews, Metric::PageViews),
    (ExportMetric::EventsPerSecond, Metric::EventsPerSecond),
    (ExportMetric::ConversionRate, Metric::ConversionRate),
    (ExportMetric::ErrorRate, Metric::ErrorRate),
    (ExportMetric::RevenuePerMinute, Metric::RevenuePerMinute),
];

impl Analytics {
    /// What an export holds, as it was at the instant it was asked for.
    ///
    /// # Errors
    /// As the words that are asked; `forbidden` for a dataset of a principal who may not see people.
    pub fn report(
        &self,
        who: &Principal,
        request: &ExportRequest,
        at: Instant,
    ) -> Result<Report<'static>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let (title, sections) = match (request.export_type, &request.dashboard_id) {
            (ExportType::Dataset, _) => {
                let section = self.dataset(who, request)?;
                ("Events".to_owned(), vec![section])
            }
            (ExportType::Dashboard, Some(id)) => self.dashboard_report(who, request, id)?,
            (ExportType::Dashboard, None) => {
                let mut sections = self.moment(who, request, at)?;
                sections.extend(self.figures(who, request, at)?);
                ("Dashboard".to_owned(), sections)
            }
            (ExportType::Report, _) => ("Report".to_owned(), self.figures(who, request, at)?),
        };
        let mut filters = Vec::new();
        if !request.metrics.is_empty() {
            let names = request.metrics.iter().map(|m| m.name().replace('_', " "));
            let names: Vec<String> = names.collect();
            filters.push(("metrics".to_owned(), names.join(", ")));
        }
        filters.extend(request.filters.iter().filter_map(|filter| {
            let value = filter.get("value")?;
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            Some((filter.get("property")?.as_str()?.to_owned(), value))
        }));
        if request.own_ranges {
            filters.push(("ranges".to_owned(), "each widget's own".to_owned()));
        }
        Ok(Report {
            title,
            filters,
            range: request.range.span(),
            zone: request.range.zone.clone(),
            generated_at: at,
            sections,
        })
    }

    /// The widgets of a dashboard, each a section.
    fn dashboard_report(
        &self,
        who: &Principal,
        request: &ExportRequest,
        id: &str,
    ) -> Result<(String, Vec<Section<'static>>)> {
        // The export stands in the record, and what it reads need not stand there again.
        let dashboard = self.open_dashboard(who, id)?;
        let mut asked = match asked(request) {
            Value::Object(range) if !request.own_ranges => range,
            _ => serde_json::Map::new(),
        };
        if !request.filters.is_empty() {
            let filters = Value::Array(request.filters.clone());
            asked.insert("filters".to_owned(), filters);
        }
        let asked = Value::Object(asked);
        let data = self.widgets_data(who, &dashboard.widgets, &asked)?;
        let data = serde_json::to_value(&data).map_err(crate::error::Error::internal)?;
        let widgets = data.as_array().map(Vec::as_slice).unwrap_or_default();
        let zone = &request.range.zone;
        let base = self.warehouse.catalogue()?.base_currency;
        let sections = widgets
            .iter()
            .filter(|w| widget::has(w, &request.metrics))
            .map(|w| {
                let place = w.get("widget").and_then(Value::as_u64);
                let asked = place.and_then(|i| dashboard.widgets.get(i as usize));
                let adds = asked.is_some_and(crate::dashboard::adds_up);
                widget::section(w, (zone, base.as_str()), adds)
            });
        Ok((dashboard.name, sections.collect::<Result<_>>()?))
    }

    /// The real-time figures at the end of the range.
    fn moment(
        &self,
        who: &Principal,
        request: &ExportRequest,
        at: Instant,
    ) -> Result<Vec<Section<'static>>> {
        let metrics: Vec<&str> = figures(request).iter().map(|m| m.name()).collect();
        if metrics.is_empty() {
            return Ok(Vec::new());
        }
        let end = Instant::saturating_from_micros(request.range.span().to.micros() - 1).min(at);
        let question = json!({ "metrics": metrics, "timeRange": "last_hour", "asOf": end });
        let answer = self.realtime_json(who, &question)?;
        let table = Table::of(RealtimeMetric::table(&answer)?);
        Ok(vec![Section {
            name: "realtime".to_owned(),
            title: "The last hour of the range".to_owned(),
            notes: Vec::new(),
            chart: match answer.as_slice() {
                [only] => Some(only.chart()),
                _ => None,
            },
            plot: None,
            table: table.with(&["change"], Kind::Share).on_paper(|name| {
                [
                    "metric_name",
                    "value",
                    "unit",
                    "previous",
                    "change",
                    "low",
                    "high",
                ]
                .contains(&name)
            }),
        }])
    }

    /// The figures of a range: by period, the funnel, who comes back.
    fn figures(
        &self,
        who: &Principal,
        request: &ExportRequest,
        at: Instant,
    ) -> Result<Vec<Section<'static>>> {
        let mut sections = Vec::new();
        let metrics = figures(request);
        if !metrics.is_empty() {
            sections.push(self.by_period(who, request, &metrics, at)?);
        }
        let question = |more: Value| {
            let mut question = asked(request);
            if let (Some(question), Value::Object(more)) = (question.as_object_mut(), more) {
                question.insert("asOf".to_owned(), json!(at));
                question.extend(more);
            }
            question
        };
        if request.has(ExportMetric::ConversionRate) && !self.default_funnel()?.is_empty() {
            let answer = self.funnel_json(who, &question(json!({})))?;
            let shares = [
                "rate",
                "rate_low",
                "rate_high",
                "rate_from_previous",
                "rate_from_previous_low",
                "rate_from_previous_high",
            ];
            let seconds = [
                "median_seconds_from_previous",
                "p90_seconds_from_previous",
                "median_seconds_from_entry",
                "p90_seconds_from_entry",
            ];
            let chart = answer.chart();
            sections.push(Section {
                name: "funnel".to_owned(),
                title: "Funnel".to_owned(),
                notes: chart.heading().notes.clone(),
                chart: Some(chart),
                plot: Some(Plot {
                    form: Form::Bars,
                    names: "event".to_owned(),
                    figures: vec!["count".to_owned()],
                }),
                table: Table::of(answer.table()?)
                    .with(&shares, Kind::Share)
                    .with(&seconds, Kind::Seconds)
                    .on_paper(|name| {
                        !name.ends_with("_entry") && !name.starts_with("rate_from_previous_")
                    }),
            });
        }
        if request.has(ExportMetric::RetentionRate) {
            let since = self.since(request)?;
            let start = if since > request.range.span().from {
                json!(request.range.zone.day(since))
            } else {
                json!(request.range.start)
            };
            let weekly = json!({ "cohortPeriod": "weekly", "analysisMetric": "retention_rate", "startDate": start });
            let answer = self.retention_json(who, &question(weekly))?;
            let chart = answer.chart();
            sections.push(Section {
                name: "retention".to_owned(),
                title: "Weekly retention".to_owned(),
                notes: chart.heading().notes.clone(),
                chart: Some(chart),
                plot: None,
                table: Table::of(answer.table()?)
                    .with(&["value", "low", "high"], Kind::Share)
                    .on_paper(|name| {
                        [
                            "cohort", "size", "period", "value", "low", "high", "count",
                            "eligible", "complete",
                        ]
                        .contains(&name)
                    }),
            });
        }
        Ok(sections)
    }

    /// From when on there is something to say: the beginning of the range, or that of the month of the first event within it.
    fn since(&self, request: &ExportRequest) -> Result<Instant> {
        let (span, zone) = (request.range.span(), &request.range.zone);
        let first = self.warehouse.head()?.first;
        let month = first.map(|first| {
            let day = zone.date(Instant::saturating_from_micros(first));
            zone.start_of(day.first_of_month())
        });
        let within = month.filter(|month| span.from < *month && *month < span.to);
        Ok(within.unwrap_or(span.from))
    }

    /// The figures by day, or by week and month where days would be too many.
    fn by_period(
        &self,
        who: &Principal,
        request: &ExportRequest,
        metrics: &[Metric],
        at: Instant,
    ) -> Result<Section<'static>> {
        let zone = &request.range.zone;
        let until = Instant::saturating_from_micros(at.micros() + 1);
        let from = self.since(request)?;
        let span = Span {
            from,
            to: (request.range.span().to.min(until))
                .max(Instant::saturating_from_micros(from.micros() + 1)),
        };
        let days = (span.to.micros() - span.from.micros()) / 86_400_000_000;
        let (period, name) = match days {
            ..=92 => (Period::Daily, "day"),
            93..=730 => (Period::Weekly, "week"),
            _ => (Period::Monthly, "month"),
        };
        let calendar = Calendar::new(zone, period, WeekStart::default(), span.from, span.to)?;
        let asked = access::grant(who, Permission::ReadAnalytics, (&calendar, span))?;
        let catalogue = self.warehouse.catalogue()?;
        let meanings = realtime::Meanings {
            page_views: &catalogue.page_views,
            conversions: &catalogue.conversions,
            errors: &catalogue.errors,
            features: &catalogue.features,
            revenue: &catalogue.revenue.events,
            base_currency: &catalogue.base_currency,
        };
        let timelines = if self.warehouse.head()?.identified {
            Some(self.timelines()?)
        } else {
            None
        };
        let known = timelines.as_deref();
        let stop = self.stop();
        let figures = realtime::daily(&asked, &*self.warehouse, &meanings, at, known, stop)?;
        let names: Vec<&'static str> = metrics.iter().map(|m| m.name()).collect();
        let first = metrics.first().copied().unwrap_or(Metric::ActiveUsers);
        let mut notes = Vec::new();
        if figures.iter().any(|f| f.partial) {
            notes.push(format!("The first or the last {name} is not whole."));
        }
        if metrics.contains(&Metric::RevenuePerMinute) {
            notes.push(format!("Amounts are in {}.", catalogue.base_currency));
        }
        let rates = [
            "conversion_rate",
            "conversion_rate_low",
            "conversion_rate_high",
            "error_rate",
            "error_rate_low",
            "error_rate_high",
        ];
        Ok(Section {
            name: "figures".to_owned(),
            title: format!("Figures by {name}"),
            notes,
            chart: Some(line(&figures, first, request, name)),
            plot: Some(Plot {
                form: Form::Line,
                names: "period".to_owned(),
                figures: names.into_iter().take(1).map(str::to_owned).collect(),
            }),
            table: Table::of(realtime::table(&figures, metrics)?)
                .with(&rates, Kind::Share)
                .on_paper(|name| !name.ends_with("_low") && !name.ends_with("_high")),
        })
    }

    /// The events of the range, one a row.
    fn dataset(&self, who: &Principal, request: &ExportRequest) -> Result<Section<'static>> {
        access::grant(who, Permission::ReadPeople, ())?;
        let catalogue = self.warehouse.catalogue()?;
        let mut names = Vec::new();
        let (mut all, mut paid) = (request.metrics.is_empty(), false);
        for metric in &request.metrics {
            match metric {
                ExportMetric::PageViews => names.extend(catalogue.page_views.iter().cloned()),
                ExportMetric::ConversionRate => names.extend(catalogue.conversions.iter().cloned()),
                ExportMetric::ErrorRate => names.extend(catalogue.errors.iter().cloned()),
                ExportMetric::RevenuePerMinute => paid = true,
                _ => all = true,
            }
        }
        let wanted = if all {
            Wanted::All
        } else {
            Wanted::Some { names, paid }
        };
        let span = request.range.span();
        let events = dataset::events(self.warehouse.clone(), span, &wanted)?;
        Ok(Section {
            name: "events".to_owned(),
            title: "Events".to_owned(),
            notes: Vec::new(),
            chart: None,
            plot: None,
            table: Table::new(dataset::schema(), events),
        })
    }
}

/// The range of an export as the words read it.
fn asked(request: &ExportRequest) -> Value {
    let range = &request.range;
    json!({ "startDate": range.start, "endDate": range.end, "timezone": range.zone })
}

/// The real-time metrics that belong to an export.
fn figures(request: &ExportRequest) -> Vec<Metric> {
    let wanted = FIGURES.iter().filter(|(name, _)| request.has(*name));
    wanted.map(|(_, metric)| *metric).collect()
}

/// A metric by period as a line; a period that is not whole is open.
fn line(figures: &[Figures], metric: Metric, request: &ExportRequest, period: &str) -> Chart {
    let name = metric.name().replace('_', " ");
    let share = matches!(metric, Metric::ConversionRate | Metric::ErrorRate);
    let points = figures.iter().map(|f| {
        let rate = match metric {
            Metric::ConversionRate => Some(f.conversion_rate),
            Metric::ErrorRate => Some(f.error_rate),
            _ => None,
        };
        Point {
            at: f.start,
            value: match metric {
                Metric::ActiveUsers => Some(f.active_users as f64),
                Metric::PageViews => Some(f.page_views as f64),
                Metric::RevenuePerMinute => Some(f.revenue_per_minute),
                Metric::EventsPerSecond => Some(f.events_per_second),
                _ => rate.and_then(|r| r.value),
            },
            interval: rate.and_then(|r| r.low.zip(r.high)),
            state: if f.partial { State::Open } else { State::Final },
        }
    });
    let span = request.range.span();
    let range = crate::chart::range(span.from, span.to, &request.range.zone);
    let mut title = format!("{name} by {period}");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Chart::Line(LineChart {
        heading: Heading {
            description: format!("{title}, {range}."),
            title,
            subtitle: range,
            notes: Vec::new(),
        },
        unit: if share { Unit::Share } else { Unit::Number },
        zone: request.range.zone.clone(),
        across: Across::Time,
        from_zero: !share,
        series: vec![Series {
            name,
            points: points.collect(),
            compared: false,
        }],
        ..LineChart::default()
    })
}
