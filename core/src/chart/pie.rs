//! Parts of a whole: a disc or a ring, each part named beside it with its figure and its share.

use std::f64::consts::TAU;

use super::Heading;
use super::canvas::{Anchor, Area, Canvas, MARGIN, Outline, Paint, Type};
use super::format::{Unit, percent};
use super::theme::Role;

/// A disc cut into parts, from the top clockwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PieChart {
    /// What stands above it.
    pub heading: Heading,
    /// What the figures count.
    pub unit: Unit,
    /// Whether it is a ring.
    pub ring: bool,
    /// Whether the parts are all there is: only then have they shares.
    pub whole: bool,
    /// The parts, in the order of their colours; those that are not above 0 have no room.
    pub slices: Vec<Slice>,
}

/// One part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slice {
    /// What it is of.
    pub label: String,
    /// Its figure.
    pub value: f64,
}

const ROW: f64 = 20.0;

impl PieChart {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let top = canvas.heading(&self.heading);
        let sizes = self.slices.iter().map(|s| size(s.value));
        let total: f64 = sizes.sum();
        if total <= 0.0 {
            canvas.text(MARGIN, top + 14.0, "Nothing to show", Type::SMALL);
            return;
        }
        let radius = (canvas.inner() * 0.17).clamp(44.0, 110.0);
        let names = ROW * self.slices.len() as f64;
        let middle = (MARGIN + radius, top + radius.max(names / 2.0));
        let mut from = 0.0;
        for (i, slice) in self.slices.iter().enumerate() {
            let part = size(slice.value) / total;
            if part > 0.0 {
                canvas.titled(&self.says(slice, part), |canvas| {
                    self.slice(canvas, (middle, radius), (from, from + part), role(i));
                });
            }
            from += part;
        }
        self.names(
            canvas,
            (MARGIN + 2.0 * radius + 28.0, middle.1 - names / 2.0),
            total,
        );
        canvas.reach(middle.1 + radius);
    }

    /// One part, from one share of the way round to another.
    fn slice(
        &self,
        canvas: &mut Canvas,
        ((x, y), radius): ((f64, f64), f64),
        (from, to): (f64, f64),
        role: Role,
    ) {
        let paint = Paint::fill(role).outlined(Role::Ground, 1.5);
        let hole = if self.ring { radius * 0.6 } else { 0.0 };
        // An arc that ends where it begins is none.
        if to - from > 0.999_999 {
            canvas.circle(x, y, radius, paint);
            if self.ring {
                canvas.circle(x, y, hole, Paint::fill(Role::Ground));
            }
            return;
        }
        let at = |part: f64, radius: f64| {
            let (sin, cos) = (part * TAU).sin_cos();
            (x + radius * sin, y - radius * cos)
        };
        let large = to - from > 0.5;
        let mut outline = Outline::default();
        let (first, last) = (at(from, radius), at(to, radius));
        outline.to(first.0, first.1);
        outline.arc(radius, (large, true), last);
        let inner = at(to, hole);
        outline.to(inner.0, inner.1);
        if self.ring {
            outline.arc(hole, (large, false), at(from, hole));
        }
        outline.close();
        canvas.path(&outline, paint);
    }

    /// The parts by name, with their figures and shares in columns.
    fn names(&self, canvas: &mut Canvas, (left, top): (f64, f64), total: f64) {
        let widest = |texts: &mut dyn Iterator<Item = f64>| texts.fold(0.0, f64::max);
        let figures = self.slices.iter().map(|s| self.unit.exact(s.value));
        let figures: Vec<String> = figures.collect();
        let wide = widest(&mut figures.iter().map(|f| Type::BODY.width(f)));
        let shares = if self.whole { 62.0 } else { 0.0 };
        let room = (canvas.width() - MARGIN - left - 14.0 - wide - shares - 24.0).max(30.0);
        let named = widest(&mut self.slices.iter().map(|s| Type::BODY.width(&s.label)));
        let end = left + 14.0 + named.min(room) + 24.0 + wide;
        for (i, (slice, figure)) in self.slices.iter().zip(&figures).enumerate() {
            let y = top + ROW * i as f64;
            let swatch = Area {
                x: left,
                y: y + 5.0,
                width: 8.0,
                height: 8.0,
            };
            canvas.rect(swatch, 2.0, Paint::fill(role(i)));
            let name = Type::BODY.fit(&slice.label, room);
            canvas.text(left + 14.0, y + 13.0, &name, Type::BODY);
            canvas.text(end, y + 13.0, figure, Type::BODY.at(Anchor::End));
            if self.whole {
                let share = percent(size(slice.value) / total);
                canvas.text(end + shares, y + 13.0, &share, Type::SMALL.at(Anchor::End));
            }
        }
    }

    fn says(&self, slice: &Slice, part: f64) -> String {
        let figure = self.unit.exact(slice.value);
        if self.whole {
            format!("{}: {figure}, {}", slice.label, percent(part))
        } else {
            format!("{}: {figure}", slice.label)
        }
    }
}

/// How much room a figure takes.
fn size(value: f64) -> f64 {
    if value.is_finite() {
        value.max(0.0)
    } else {
        0.0
    }
}

fn role(slice: usize) -> Role {
    if slice < 8 {
        Role::Series(slice)
    } else {
        Role::Other
    }
}
