//! One figure: what it is, how it changed, and how it went.

use super::Heading;
use super::axis::Scale;
use super::canvas::{Area, Canvas, MARGIN, Outline, Paint, Type};
use super::format::{Unit, percent};
use super::theme::Role;

/// One figure with its change and a sparkline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tile {
    /// What stands above it.
    pub heading: Heading,
    /// What the figure counts.
    pub unit: Unit,
    /// The figure; nothing is shown as a dash.
    pub value: Option<f64>,
    /// The interval it lies in.
    pub interval: Option<(f64, f64)>,
    /// By how much of the figure before it differs from it.
    pub change: Option<f64>,
    /// Whether more is better; nothing where nobody can say.
    pub more_is_better: Option<bool>,
    /// The figure over time, in equal parts.
    pub series: Vec<Option<f64>>,
}

impl Tile {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let label = Type::SMALL.fit(&self.heading.title, canvas.inner());
        canvas.text(MARGIN, MARGIN + 11.0, &label, Type::SMALL);
        let big = Type {
            size: 28.0,
            ..Type::BODY.bold()
        };
        let figure = self.value.map_or_else(|| "–".to_owned(), |v| self.says(v));
        let figure = big.fit(&figure, canvas.inner());
        let base = MARGIN + 44.0;
        canvas.text(MARGIN, base, &figure, big);
        if let Some(change) = self.change {
            self.change(canvas, MARGIN + big.width(&figure) + 10.0, base, change);
        }
        let mut y = base + 10.0;
        if let Some((low, high)) = self.interval {
            let text = format!("{} to {}", self.unit.exact(low), self.unit.exact(high));
            canvas.text(MARGIN, y + 10.0, &text, Type::SMALL);
            y += 16.0;
        }
        if !self.heading.subtitle.is_empty() {
            let text = Type::SMALL.fit(&self.heading.subtitle, canvas.inner());
            canvas.text(MARGIN, y + 10.0, &text, Type::SMALL);
            y += 16.0;
        }
        self.sparkline(canvas, y + 6.0);
    }

    /// The figure as it fits a tile: long counts are shortened, their exact value stands in the series' table.
    fn says(&self, value: f64) -> String {
        if value.abs() >= 1e7 {
            self.unit.short(value)
        } else {
            self.unit.exact(value)
        }
    }

    fn change(&self, canvas: &mut Canvas, x: f64, base: f64, change: f64) {
        // What rounds to nothing is no change.
        let change = if change.abs() < 0.0005 { 0.0 } else { change };
        let role = match self.more_is_better {
            Some(better) if change != 0.0 => {
                if better == (change > 0.0) {
                    Role::Better
                } else {
                    Role::Worse
                }
            }
            _ => Role::Muted,
        };
        let kind = Type::BODY.bold().coloured(role);
        let text = format!("{}{}", if change > 0.0 { "+" } else { "" }, percent(change));
        if x + 14.0 + kind.width(&text) > canvas.width() - 4.0 {
            return;
        }
        if change != 0.0 {
            let mut outline = Outline::default();
            let (tip, foot) = if change > 0.0 {
                (-9.0, -1.0)
            } else {
                (-1.0, -9.0)
            };
            outline.to(x, base + foot);
            outline.to(x + 9.0, base + foot);
            outline.to(x + 4.5, base + tip);
            outline.close();
            canvas.path(&outline, Paint::fill(role));
        }
        canvas.text(x + 13.0, base, &text, kind);
    }

    fn sparkline(&self, canvas: &mut Canvas, top: f64) {
        let known = self.series.iter().filter(|v| v.is_some()).count();
        if known < 2 {
            return;
        }
        let area = Area {
            x: MARGIN,
            y: top,
            width: canvas.inner() - 4.0,
            height: 36.0,
        };
        let scale = Scale::of(self.series.iter().flatten().copied(), false, &self.unit, 3);
        let last = (self.series.len() - 1).max(1) as f64;
        let mut lines = vec![Outline::default()];
        let mut end = None;
        for (i, value) in self.series.iter().enumerate() {
            match value {
                Some(value) => {
                    let (x, y) = (area.x + area.width * i as f64 / last, scale.y(area, *value));
                    if let Some(line) = lines.last_mut() {
                        line.to(x, y);
                    }
                    end = Some((x, y));
                }
                None => lines.push(Outline::default()),
            }
        }
        for line in lines.iter().filter(|l| !l.is_empty()) {
            canvas.path(line, Paint::stroke(Role::Accent, 1.5));
        }
        if let Some((x, y)) = end {
            canvas.circle(
                x,
                y,
                3.0,
                Paint::fill(Role::Accent).outlined(Role::Ground, 1.0),
            );
        }
        canvas.reach(area.bottom());
    }
}
