//! How far users get: a bar a step, the drop-off as its light remainder.

use super::Heading;
use super::bars::whisker;
use super::canvas::{Anchor, Area, Canvas, MARGIN, Outline, Paint, Type};
use super::format::{exact, length, percent};
use super::theme::Role;
use crate::query::Rate;

/// Steps one under another; with groups, one small funnel a group, all on the same axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunnelChart {
    /// What stands above it.
    pub heading: Heading,
    /// What is counted, for example `users`.
    pub counted: String,
    /// The steps.
    pub steps: Vec<FunnelStep>,
    /// The same steps by group, where there are groups.
    pub groups: Vec<FunnelGroup>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct FunnelStep {
    /// Its events.
    pub label: String,
    /// How many got at least this far.
    pub count: u64,
    /// Of those who entered.
    pub rate: Rate,
    /// Of those who got to the step before; nothing for the first.
    pub from_previous: Option<Rate>,
    /// The converters' median time since the step before, in seconds.
    pub median: Option<f64>,
}

/// The steps of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct FunnelGroup {
    /// Its value.
    pub label: String,
    /// Of those who entered, step by step.
    pub rates: Vec<Rate>,
}

const ROW: f64 = 52.0;
const BAR: f64 = 26.0;

impl FunnelChart {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let top = canvas.heading(&self.heading);
        let numbered = |(i, step): (usize, &FunnelStep)| format!("{}  {}", i + 1, step.label);
        let names: Vec<String> = self.steps.iter().enumerate().map(numbered).collect();
        let bold = Type::BODY.bold();
        let widest = names.iter().map(|n| bold.width(n)).fold(0.0, f64::max);
        let left = MARGIN + widest.min(canvas.inner() * 0.3) + 14.0;
        let area = Area {
            x: left,
            y: top,
            width: canvas.width() - MARGIN - 84.0 - left,
            height: ROW * self.steps.len() as f64,
        };
        let mut before: Option<f64> = None;
        for ((i, step), name) in self.steps.iter().enumerate().zip(&names) {
            let y = area.y + ROW * i as f64;
            let share = step.rate.value.unwrap_or_default().clamp(0.0, 1.0);
            let room = left - MARGIN - 14.0;
            canvas.titled(&self.says(step), |canvas| {
                canvas.text(MARGIN, y + 17.0, &bold.fit(name, room + 1.0), bold);
                self.bar(canvas, area, y, share, before.unwrap_or(share), step);
            });
            if let Some(rate) = step.from_previous.filter(|_| i > 0) {
                let x = area.x + 1.0;
                arrow(canvas, x + 3.0, y - 17.0);
                let mut text = rate.value.map_or_else(|| "–".to_owned(), percent);
                text.push_str(" went on");
                if let Some(median) = step.median {
                    text = format!("{text}, median {}", length(median));
                }
                let kind = Type {
                    size: 11.0,
                    ..Type::SMALL
                };
                canvas.text(x + 12.0, y - 9.0, &kind.fit(&text, area.width), kind);
            }
            before = Some(share);
        }
        canvas.reach(area.bottom() - (ROW - BAR));
        self.groups(canvas, area.bottom() - 4.0);
    }

    /// The bar of a step: those who got here, behind them those who were lost since the step before, and the interval.
    fn bar(
        &self,
        canvas: &mut Canvas,
        area: Area,
        y: f64,
        share: f64,
        before: f64,
        step: &FunnelStep,
    ) {
        let shape = |from: f64, to: f64| Area {
            x: area.x + from * area.width,
            y,
            width: (to - from).max(0.0) * area.width,
            height: BAR,
        };
        canvas.rect(shape(0.0, before.max(share)), 3.0, Paint::fill(Role::Rest));
        let role = if step.rate.small {
            Role::Other
        } else {
            Role::Accent
        };
        canvas.rect(shape(0.0, share), 3.0, Paint::fill(role));
        let counted = Type::BODY.bold().coloured(Role::OnAccent);
        let count = exact(step.count as f64);
        let filled = share * area.width;
        if counted.width(&count) + 20.0 < filled - self.spread(area, step) {
            canvas.text(area.x + 8.0, y + 17.5, &count, counted);
        } else {
            let after = area.x + filled + self.spread(area, step) + 8.0;
            let outside = Type::BODY.bold();
            let room = area.right() - after;
            if outside.width(&count) < room {
                canvas.text(after, y + 17.5, &count, outside);
            }
        }
        // That all who entered did is no estimate.
        if let (Some(low), Some(high), Some(_)) =
            (step.rate.low, step.rate.high, step.from_previous)
        {
            let ends = (area.x + low * area.width, area.x + high * area.width);
            whisker(canvas, ends, y + BAR / 2.0);
        }
        let text = step.rate.value.map_or_else(|| "–".to_owned(), percent);
        let kind = Type {
            size: 14.0,
            ..Type::BODY.at(Anchor::End)
        };
        canvas.text(canvas.width() - MARGIN, y + 18.0, &text, kind);
    }

    /// How far the whisker reaches to one side of the bar's end.
    fn spread(&self, area: Area, step: &FunnelStep) -> f64 {
        let (low, high) = (step.rate.low, step.rate.high);
        let (low, high) = (low.unwrap_or_default(), high.unwrap_or_default());
        let value = step.rate.value.unwrap_or_default();
        (value - low).max(high - value) * area.width
    }

    fn says(&self, step: &FunnelStep) -> String {
        let mut text = format!(
            "{}: {} {}",
            step.label,
            exact(step.count as f64),
            self.counted
        );
        if let Some(value) = step.rate.value {
            text = format!(
                "{text}, {} of those who entered{}",
                percent(value),
                interval(&step.rate)
            );
        }
        if let Some((rate, value)) = step.from_previous.and_then(|r| Some((r, r.value?))) {
            text = format!(
                "{text}; {} of the step before{}",
                percent(value),
                interval(&rate)
            );
        }
        text
    }

    /// A small funnel for each group, side by side.
    fn groups(&self, canvas: &mut Canvas, top: f64) {
        const HEIGHT: f64 = 14.0;
        let columns = ((canvas.inner() + 16.0) / 196.0).floor().clamp(1.0, 4.0);
        let width = (canvas.inner() + 16.0) / columns - 16.0;
        let tall = HEIGHT * self.steps.len() as f64 + 46.0;
        let name = Type::BODY.bold();
        for (i, group) in self.groups.iter().enumerate() {
            let (column, row) = (i % columns as usize, i / columns as usize);
            let x = MARGIN + (width + 16.0) * column as f64;
            let y = top + tall * row as f64;
            canvas.text(x, y + 14.0, &name.fit(&group.label, width), name);
            let entered = group.rates.first().map_or(0, |r| r.n);
            for (k, rate) in group.rates.iter().enumerate() {
                let y = y + 22.0 + HEIGHT * k as f64;
                let share = rate.value.unwrap_or_default().clamp(0.0, 1.0);
                let text = rate.value.map_or_else(|| "–".to_owned(), percent);
                let step = self.steps.get(k).map_or("", |s| s.label.as_str());
                let said = format!(
                    "{}, {step}: {text} of {}{}",
                    group.label,
                    exact(entered as f64),
                    interval(rate)
                );
                canvas.titled(&said, |canvas| {
                    let track = width - 52.0;
                    let bar = |part: f64| Area {
                        x,
                        y,
                        width: part * track,
                        height: HEIGHT - 4.0,
                    };
                    canvas.rect(bar(1.0), 2.0, Paint::fill(Role::Rest));
                    let role = if rate.small {
                        Role::Other
                    } else {
                        Role::Accent
                    };
                    canvas.rect(bar(share), 2.0, Paint::fill(role));
                    let kind = Type {
                        size: 11.0,
                        ..Type::SMALL.at(Anchor::End)
                    };
                    canvas.text(x + width, y + 9.0, &text, kind);
                });
            }
            let entered = format!("{} {}", exact(entered as f64), self.counted);
            let below = y + 22.0 + HEIGHT * group.rates.len() as f64 + 9.0;
            let kind = Type {
                size: 11.0,
                ..Type::SMALL
            };
            canvas.text(x, below, &kind.fit(&entered, width), kind);
        }
    }
}

/// A small arrow that points down.
fn arrow(canvas: &mut Canvas, x: f64, y: f64) {
    let mut outline = Outline::default();
    for (dx, dy) in [(-3.5, 3.0), (3.5, 3.0), (0.0, 8.0)] {
        outline.to(x + dx, y + dy);
    }
    outline.close();
    canvas.path(&outline, Paint::fill(Role::Muted));
}

fn interval(rate: &Rate) -> String {
    match (rate.low, rate.high) {
        (Some(low), Some(high)) => {
            format!(", 95 % interval {} to {}", percent(low), percent(high))
        }
        _ => String::new(),
    }
}
