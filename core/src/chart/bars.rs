//! A figure by category: bars one under another, their intervals as whiskers.

use super::Heading;
use super::axis::Scale;
use super::canvas::{Anchor, Area, Canvas, MARGIN, Paint, Type};
use super::format::Unit;
use super::theme::Role;

/// Bars from 0, the names left of them and the figures behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BarChart {
    /// What stands above it.
    pub heading: Heading,
    /// What the figures count.
    pub unit: Unit,
    /// The bars from top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// What it is of.
    pub label: String,
    /// The figure; nothing is shown as a dash.
    pub value: Option<f64>,
    /// The interval it lies in.
    pub interval: Option<(f64, f64)>,
    /// Whether it pools what has no bar of its own.
    pub other: bool,
}

const ROW: f64 = 26.0;

impl BarChart {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let top = canvas.heading(&self.heading);
        let values = self.bars.iter().flat_map(|b| {
            let (low, high) = b.interval.unzip();
            [b.value, low, high].into_iter().flatten()
        });
        let scale = Scale::of(values, true, &self.unit, 4);
        let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let names = widest(&mut self.bars.iter().map(|b| Type::BODY.width(&b.label)));
        let names = names.min(canvas.inner() * 0.34);
        let figures = widest(&mut self.bars.iter().map(|b| Type::BODY.width(&self.says(b))));
        let left = MARGIN + names + 10.0;
        let area = Area {
            x: left,
            y: top,
            width: (canvas.width() - MARGIN - figures - 10.0 - left).max(40.0),
            height: ROW * self.bars.len() as f64,
        };
        let x = |value: f64| area.x + scale.part(value) * area.width;
        for (i, bar) in self.bars.iter().enumerate() {
            let y = area.y + ROW * i as f64;
            let base = y + 17.0;
            let name = Type::BODY.fit(&bar.label, names + 1.0);
            canvas.text(left - 10.0, base, &name, Type::BODY.at(Anchor::End));
            let said = self.says(bar);
            canvas.titled(&format!("{}: {said}", bar.label), |canvas| {
                let value = bar.value.unwrap_or_default();
                let (from, to) = (x(value.min(0.0)), x(value.max(0.0)));
                let role = if bar.other { Role::Other } else { Role::Accent };
                let shape = Area {
                    x: from,
                    y: y + 4.0,
                    width: to - from,
                    height: ROW - 8.0,
                };
                canvas.rect(shape, 2.0, Paint::fill(role));
                let mut end = to;
                if let Some((low, high)) = bar.interval {
                    whisker(canvas, (x(low), x(high)), y + ROW / 2.0);
                    end = end.max(x(high));
                }
                canvas.text(end + 8.0, base, &said, Type::BODY);
            });
        }
        canvas.line(
            (x(0.0), area.y),
            (x(0.0), area.bottom()),
            Paint::stroke(Role::Other, 1.0),
        );
        canvas.reach(area.bottom());
    }

    fn says(&self, bar: &Bar) -> String {
        bar.value
            .map_or_else(|| "–".to_owned(), |v| self.unit.exact(v))
    }
}

/// An interval: a thin line with an end on either side, edged so that it is seen on any bar.
pub(super) fn whisker(canvas: &mut Canvas, (low, high): (f64, f64), y: f64) {
    canvas.line((low, y), (high, y), Paint::stroke(Role::Ground, 3.0));
    canvas.line((low, y), (high, y), Paint::stroke(Role::Ink, 1.25));
    for x in [low, high] {
        canvas.line((x, y - 3.5), (x, y + 3.5), Paint::stroke(Role::Ink, 1.25));
    }
}
