//! A retention table as a picture.

use super::answer::{Cell, Cohort, PeriodAverage, RetentionAnswer};
use super::options::{CohortPeriod, Criterion, Metric};
use crate::chart::{self, Chart, Heading, HeatCell, HeatMap, HeatRow, exact, percent, short};
use crate::query::Sample;

impl RetentionAnswer {
    /// The table with its cells tinted by their figure; what has not fully elapsed has a dashed edge and no tint.
    pub fn chart(&self) -> Chart {
        let rate = self.analysis_metric == Metric::RetentionRate.name();
        let period = match self.cohort_period {
            CohortPeriod::Hourly => "hour",
            CohortPeriod::Daily => "day",
            CohortPeriod::Weekly => "week",
            CohortPeriod::Monthly => "month",
        };
        let cells = || self.cohorts.iter().flat_map(|c| &c.retention);
        let columns = self
            .average
            .iter()
            .map(|a| format!("{period} {}", span(a.period, self.until(a.period))));
        // Period 0 is whole by definition; the tints are for what comes after it.
        let after = cells().filter(|c| c.period > 0 && c.complete);
        let most = after.filter_map(|c| c.value).fold(0.0, f64::max);
        let total: u64 = self.cohorts.iter().map(|c| c.size).sum();
        Chart::HeatMap(HeatMap {
            heading: self.heading(period, rate),
            rows_are: format!("{period} of"),
            sizes_are: "users".to_owned(),
            columns: columns.collect(),
            rows: self.cohorts.iter().map(|c| self.row(c, rate)).collect(),
            total: Some(HeatRow {
                label: "all".to_owned(),
                size: exact(total as f64),
                cells: self
                    .average
                    .iter()
                    .map(|a| average(a, self.until(a.period), rate))
                    .collect(),
            }),
            most,
        })
    }

    /// The first period after the bracket that begins with this one.
    fn until(&self, period: usize) -> Option<usize> {
        let Criterion::Brackets(brackets) = &self.criterion else {
            return None;
        };
        let bracket = brackets.iter().find(|(from, _)| *from == period);
        bracket.map(|(_, until)| *until)
    }

    fn heading(&self, period: &str, rate: bool) -> Heading {
        let figure = self.analysis_metric.replace('_', " ");
        let title = if rate {
            format!("Who comes back, by {period}")
        } else {
            format!("{figure} by {period}")
        };
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let told = self.average.iter().skip(1).take(12).filter_map(|a| {
            let value = shown(a.rate.value?, rate);
            Some(format!(
                "{value} in {period} {}",
                span(a.period, self.until(a.period))
            ))
        });
        let told: Vec<String> = told.collect();
        let mut notes: Vec<String> = self.sample.iter().map(Sample::note).collect();
        if self.cohorts.iter().flat_map(|c| &c.retention).any(open) {
            notes.push("* not over yet: so many have returned so far.".to_owned());
        }
        if self.cohorts.iter().any(|c| c.partial) {
            notes.push(format!("† the range cuts this {period}."));
        }
        Heading {
            title,
            subtitle: format!("{range}. {figure}, pooled in the last row."),
            description: format!("{figure} of all cohorts: {}.", told.join(", ")),
            notes,
        }
    }

    fn row(&self, cohort: &Cohort, rate: bool) -> HeatRow {
        let partial = if cohort.partial { " †" } else { "" };
        let cells = cohort.retention.iter().map(|c| cell(c, rate));
        HeatRow {
            label: format!("{}{partial}", chart::moment(cohort.period, &self.timezone)),
            size: exact(cohort.size as f64),
            cells: cells.collect(),
        }
    }
}

/// Whether it is too early for a figure.
fn open(cell: &Cell) -> bool {
    cell.period > 0 && !cell.complete && cell.value.is_none()
}

/// A period, or those of a bracket.
fn span(period: usize, until: Option<usize>) -> String {
    match until {
        Some(until) if until > period + 1 => format!("{period}–{}", until - 1),
        _ => period.to_string(),
    }
}

fn cell(cell: &Cell, rate: bool) -> HeatCell {
    let text = match cell.value {
        _ if open(cell) => format!("{}*", short(cell.partial_count as f64)),
        Some(value) => shown(value, rate),
        None => "–".to_owned(),
    };
    let of = format!(
        "{} of {}",
        exact(cell.count as f64),
        exact(cell.eligible as f64)
    );
    let interval = cell
        .low
        .zip(cell.high)
        .map_or_else(String::new, |(low, high)| {
            format!(", 95 % interval {} to {}", percent(low), percent(high))
        });
    HeatCell {
        value: cell.value,
        text,
        title: format!("period {}: {of}{interval}", span(cell.period, cell.until)),
        open: open(cell),
        small: cell.eligible < 30,
    }
}

fn average(average: &PeriodAverage, until: Option<usize>, rate: bool) -> HeatCell {
    let (k, n) = (exact(average.rate.k as f64), exact(average.rate.n as f64));
    HeatCell {
        value: average.rate.value,
        text: average
            .rate
            .value
            .map_or_else(|| "–".to_owned(), |v| shown(v, rate)),
        title: format!("period {}: {k} of {n}", span(average.period, until)),
        open: false,
        small: average.rate.small,
    }
}

fn shown(value: f64, rate: bool) -> String {
    if rate { percent(value) } else { short(value) }
}
