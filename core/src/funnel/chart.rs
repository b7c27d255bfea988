//! A funnel as a picture.

use super::answer::{FunnelAnswer, FunnelStep, Switches};
use super::options::Unit;
use crate::chart::{self, Chart, FunnelChart, FunnelGroup, Heading, exact, length, percent};
use crate::query::{Sample, Selector, Window};

impl FunnelAnswer {
    /// The steps as bars one under another, and small ones for each group of a breakdown.
    pub fn chart(&self) -> Chart {
        let counted = match self.switches.unit {
            Unit::Users if self.hold_constant.is_empty() => "users",
            Unit::Users => "users and values",
            Unit::Sessions => "sessions",
            Unit::Totals => "attempts",
        };
        let groups = self.breakdown.iter().flat_map(|b| &b.groups);
        let groups = groups.map(|group| FunnelGroup {
            label: group.label.clone(),
            rates: group.steps.iter().map(|s| s.rate).collect(),
        });
        Chart::Funnel(FunnelChart {
            heading: self.heading(counted),
            counted: counted.to_owned(),
            steps: self.steps.iter().map(step).collect(),
            groups: groups.collect(),
        })
    }

    fn heading(&self, counted: &str) -> Heading {
        let name = |step: Option<&FunnelStep>| step.map_or_else(String::new, |s| label(&s.event));
        let (first, last) = (name(self.steps.first()), name(self.steps.last()));
        let title = if self.steps.len() > 1 {
            format!("From {first} to {last}")
        } else {
            first
        };
        let range = chart::range(self.start_date, self.end_date, &self.timezone);
        let mut said = format!("{} {counted} entered", exact(self.entered as f64));
        if let Some(rate) = self.rate.value {
            let (low, high) = (self.rate.low, self.rate.high);
            said = format!(
                "{said}, {} converted within {} (95 % interval {} to {})",
                percent(rate),
                self.switches.within(self.window),
                percent(low.unwrap_or_default()),
                percent(high.unwrap_or_default()),
            );
        }
        if let Some(median) = self.time_to_convert.seconds.median {
            said = format!("{said}, median {}", length(median));
        }
        let mut notes: Vec<String> = self.sample.iter().map(Sample::note).collect();
        if self.open > 0 {
            let open = exact(self.open as f64);
            notes.push(format!("{open} have not converted but still can."));
        }
        if self.rate.small {
            notes.push("Fewer than 30 entered: too few to lean on.".to_owned());
        }
        let described = self.steps.iter().map(|s| {
            let share = s.rate.value.map_or_else(|| "–".to_owned(), percent);
            format!("{}: {} ({share})", label(&s.event), exact(s.count as f64))
        });
        let described: Vec<String> = described.collect();
        Heading {
            title,
            subtitle: format!("{range}. {said}."),
            description: format!("{said}. Step by step: {}.", described.join("; ")),
            notes,
        }
    }
}

impl Switches {
    /// How long a chain may take.
    pub(super) fn within(&self, window: Window) -> String {
        let calendar = self.calendar_days();
        calendar.unwrap_or_else(|| length(window.micros() as f64 / 1e6))
    }

    /// The local days a chain may touch, in words, where they stand in the place of the window.
    pub(crate) fn calendar_days(&self) -> Option<String> {
        self.window_calendar_days.map(|days| match days {
            1 => "1 calendar day".to_owned(),
            days => format!("{days} calendar days"),
        })
    }
}

fn step(step: &FunnelStep) -> chart::FunnelStep {
    chart::FunnelStep {
        label: label(&step.event),
        count: step.count,
        rate: step.rate,
        from_previous: (step.step > 1).then_some(step.rate_from_previous),
        median: step.time_from_previous.median,
    }
}

pub(super) fn label(selector: &Selector) -> String {
    match selector {
        Selector::Any => "any event".to_owned(),
        Selector::Event(name) => name.clone(),
        Selector::AnyOf(names) => names.join(" or "),
    }
}
