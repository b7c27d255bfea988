//! Counts over time by what they are made of, such as the lifecycle of users: what is gained above the line, what is lost below.

use super::Heading;
use super::axis::Scale;
use super::canvas::{Area, Canvas, MARGIN, Paint, Type};
use super::format::Unit;
use super::line::legend;
use super::theme::Role;
use super::time::{Across, TimeScale, moment};
use crate::query::{Instant, Zone};

/// Stacked columns over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackedBars {
    /// What stands above it.
    pub heading: Heading,
    /// What the figures count.
    pub unit: Unit,
    /// Whose midnights the axis of time shows.
    pub zone: Zone,
    /// What the columns are made of, from the line outwards.
    pub layers: Vec<Layer>,
    /// The columns, in the order of time.
    pub buckets: Vec<Bucket>,
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
    /// A figure for each layer, none below 0.
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
            [sum(false), -sum(true)]
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
        let slot = area.width / self.buckets.len().max(1) as f64;
        let wide = (slot * 0.78).min(56.0);
        for (i, bucket) in self.buckets.iter().enumerate() {
            let x = area.x + slot * (i as f64 + 0.5) - wide / 2.0;
            for below in [false, true] {
                let mut sum = 0.0;
                for (layer, value) in self.side(bucket, below) {
                    let (from, to) = (sum, if below { sum - value } else { sum + value });
                    sum = to;
                    let shape = Area {
                        x,
                        y: scale.y(area, from.max(to)),
                        width: wide,
                        height: (scale.y(area, from) - scale.y(area, to)).abs(),
                    };
                    canvas.titled(&self.says(bucket, layer, value), |canvas| {
                        canvas.rect(shape, 0.0, column(role(layer), bucket.open));
                    });
                }
            }
        }
        let zero = scale.y(area, 0.0);
        canvas.line(
            (area.x, zero),
            (area.right(), zero),
            Paint::stroke(Role::Muted, 1.0),
        );
        // Ticks of time stand in the middle of their columns.
        let inside = Area {
            x: area.x + slot / 2.0,
            width: area.width - slot,
            ..area
        };
        match TimeScale::of(
            self.buckets.iter().map(|b| b.start),
            &self.zone,
            Across::Time,
        ) {
            Some(time) => time.columns(canvas, inside),
            None => {
                let y = area.y + area.height / 2.0;
                canvas.text(area.x + 12.0, y, "Nothing to show", Type::SMALL);
            }
        }
        canvas.reach(area.bottom() + 20.0);
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
