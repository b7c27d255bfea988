//! Figures over time by what they are made of, such as the lifecycle of users: what is gained above the line, what is lost below; as
//! columns one upon the other or side by side, or as areas.

use super::Heading;
use super::axis::Scale;
use super::canvas::{Area, Canvas, MARGIN, Outline, Paint, Type};
use super::format::Unit;
use super::line::legend;
use super::theme::Role;
use super::time::{Across, TimeScale, moment};
use crate::query::{Instant, Zone};

/// Columns over time, or areas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackedBars {
    /// What stands above it.
    pub heading: Heading,
    /// What the figures count.
    pub unit: Unit,
    /// Whose midnights the axis of time shows.
    pub zone: Zone,
    /// How what belongs to one time stands together.
    pub stack: Stack,
    /// What the columns are made of, from the line outwards.
    pub layers: Vec<Layer>,
    /// The columns, in the order of time.
    pub buckets: Vec<Bucket>,
}

/// How what belongs to one time stands together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stack {
    /// In a column, one upon the other.
    #[default]
    Columns,
    /// In columns side by side, which may be of figures below 0.
    Beside,
    /// In areas that go on from time to time, one upon the other.
    Areas,
}

/// What one colour is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Whether it is lost, and so stands below the line.
    pub below: bool,
}

/// One column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bucket {
    /// Its first instant.
    pub start: Instant,
    /// A figure for each layer, none below 0 where they stand one upon the other.
    pub values: Vec<f64>,
    /// Whether its period has not elapsed, or the range cuts it.
    pub open: bool,
}

impl StackedBars {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let mut top = canvas.heading(&self.heading);
        if self.layers.len() > 1 {
            let entries: Vec<(String, Role)> = self
                .layers
                .iter()
                .enumerate()
                .map(|(i, layer)| (layer.name.clone(), role(i)))
                .collect();
            top = legend(canvas, &entries, top);
        }
        let height = (canvas.width() * 0.36).clamp(140.0, 300.0);
        let ends = self.buckets.iter().flat_map(|b| {
            let sum = |below| self.side(b, below).map(|(_, v)| v).sum::<f64>();
            match self.stack {
                Stack::Beside => b.values.clone(),
                _ => vec![sum(false), -sum(true)],
            }
        });
        let scale = Scale::of(ends, true, &self.unit, (height / 48.0) as usize);
        let left = MARGIN + scale.label_width(&self.unit) + 8.0;
        let area = Area {
            x: left,
            y: top + 6.0,
            width: canvas.width() - left - MARGIN,
            height,
        };
        scale.rows(canvas, area, &self.unit);
        // Columns stand in the middle of their places, areas go from the first time to the last.
        let slot = area.width / self.buckets.len().max(1) as f64;
        let joined = self.stack == Stack::Areas && self.buckets.len() > 1;
        let inside = Area {
            x: area.x + slot / 2.0,
            width: area.width - slot,
            ..area
        };
        let across = if joined { area } else { inside };
        let starts = self.buckets.iter().map(|b| b.start);
        let time = TimeScale::of(starts, &self.zone, Across::Time);
        match &time {
            Some(time) if joined => {
                let place =
                    |bucket: &Bucket, value| (time.x(area, bucket.start), scale.y(area, value));
                self.areas(canvas, place);
            }
            _ => self.columns(canvas, area, slot, |value| scale.y(area, value)),
        }
        let zero = scale.y(area, 0.0);
        canvas.line(
            (area.x, zero),
            (area.right(), zero),
            Paint::stroke(Role::Muted, 1.0),
        );
        match time {
            Some(time) => time.columns(canvas, across),
            None => {
                let y = area.y + area.height / 2.0;
                canvas.text(area.x + 12.0, y, "Nothing to show", Type::SMALL);
            }
        }
        canvas.reach(area.bottom() + 20.0);
    }

    /// The columns, each in the middle of its slot.
    fn columns(&self, canvas: &mut Canvas, area: Area, slot: f64, height: impl Fn(f64) -> f64) {
        let beside = self.stack == Stack::Beside;
        let share = if beside { self.layers.len().max(1) } else { 1 } as f64;
        let wide = (slot * 0.78 / share).min(56.0);
        for (i, bucket) in self.buckets.iter().enumerate() {
            let middle = area.x + slot * (i as f64 + 0.5);
            let first = middle - wide * share / 2.0;
            let mut shapes = Vec::new();
            if beside {
                let values = bucket.values.iter().take(self.layers.len()).enumerate();
                shapes.extend(values.map(|(n, v)| (n, first + wide * n as f64, (0.0, *v), *v)));
            } else {
                for below in [false, true] {
                    let mut sum = 0.0;
                    for (layer, value) in self.side(bucket, below) {
                        let to = if below { sum - value } else { sum + value };
                        shapes.push((layer, first, (sum, to), value));
                        sum = to;
                    }
                }
            }
            for (layer, x, (from, to), value) in shapes {
                let shape = Area {
                    x,
                    y: height(from.max(to)),
                    width: wide,
                    height: (height(from) - height(to)).abs(),
                };
                canvas.titled(&self.says(bucket, layer, value), |canvas| {
                    canvas.rect(shape, 0.0, column(role(layer), bucket.open));
                });
            }
        }
    }

    /// The areas, from the line outwards.
    fn areas(&self, canvas: &mut Canvas, place: impl Fn(&Bucket, f64) -> (f64, f64)) {
        let (mut above, mut below) = (vec![0.0; self.buckets.len()], vec![0.0; self.buckets.len()]);
        for (n, layer) in self.layers.iter().enumerate() {
            let (edge, sign) = match layer.below {
                false => (&mut above, 1.0),
                true => (&mut below, -1.0),
            };
            let value = |bucket: &Bucket| bucket.values.get(n).map_or(0.0, |v| v.max(0.0));
            let outer = self.buckets.iter().zip(edge.iter());
            let outer: Vec<f64> = outer.map(|(b, from)| from + sign * value(b)).collect();
            let points = |heights: &[f64]| -> Vec<(f64, f64)> {
                let heights = self.buckets.iter().zip(heights);
                heights
                    .map(|(bucket, height)| place(bucket, *height))
                    .collect()
            };
            let (far, near) = (points(&outer), points(edge.as_slice()));
            let mut outline = Outline::default();
            let round = far.iter().chain(near.iter().rev());
            round.for_each(|(x, y)| outline.to(*x, *y));
            outline.close();
            let paint = Paint::fill(role(n)).opacity(0.75);
            canvas.path(&outline, paint.outlined(Role::Ground, 0.75));
            // The points are there for the pointer alone.
            for (bucket, (x, y)) in self.buckets.iter().zip(&far) {
                canvas.titled(&self.says(bucket, n, value(bucket)), |canvas| {
                    canvas.circle(*x, *y, 5.0, Paint::fill(role(n)).opacity(0.0));
                });
            }
            *edge = outer;
        }
    }

    /// The layers of one side of the line, with the figures of a column.
    fn side<'a>(&'a self, bucket: &'a Bucket, below: bool) -> impl Iterator<Item = (usize, f64)> {
        let layers = self.layers.iter().zip(&bucket.values).enumerate();
        layers
            .filter(move |(_, (layer, _))| layer.below == below)
            .map(|(i, (_, value))| (i, value.max(0.0)))
    }

    fn says(&self, bucket: &Bucket, layer: usize, value: f64) -> String {
        let name = self.layers.get(layer).map_or("", |l| l.name.as_str());
        let open = if bucket.open {
            " (not a whole period)"
        } else {
            ""
        };
        let (at, figure) = (moment(bucket.start, &self.zone), self.unit.exact(value));
        if name.is_empty() {
            format!("{at}: {figure}{open}")
        } else {
            format!("{at}, {name}: {figure}{open}")
        }
    }
}

fn role(layer: usize) -> Role {
    if layer < 8 {
        Role::Series(layer)
    } else {
        Role::Other
    }
}

/// A column's paint; one that is not over is pale with a dashed edge.
fn column(role: Role, open: bool) -> Paint {
    if open {
        Paint::fill(role)
            .opacity(0.3)
            .outlined(role, 1.0)
            .dashed(true)
    } else {
        Paint::fill(role).outlined(Role::Ground, 0.75)
    }
}
