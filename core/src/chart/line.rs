//! Figures over time: lines with their bands, tinted areas, points.

use super::Heading;
use super::axis::{Scale, apart};
use super::canvas::{Area, Canvas, MARGIN, Outline, Paint, Type};
use super::format::Unit;
use super::theme::Role;
use super::time::{Across, TimeScale};
use crate::query::{Instant, Zone};

/// Lines over one axis of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineChart {
    /// What stands above it.
    pub heading: Heading,
    /// What the figures count.
    pub unit: Unit,
    /// Whose midnights the axis of time shows.
    pub zone: Zone,
    /// What the axis at the bottom counts.
    pub across: Across,
    /// Whether the axis of figures begins at 0, as it should for counts.
    pub from_zero: bool,
    /// What the figures are marked by.
    pub marks: Marks,
    /// The lines, in the order of their colours.
    pub series: Vec<Series>,
}

/// What figures over time are marked by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// Lines from one to the next.
    #[default]
    Lines,
    /// Lines, and what lies between them and 0 is tinted.
    Areas,
    /// Points that nothing joins.
    Points,
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What it is of.
    pub name: String,
    /// Its points, in the order of time.
    pub points: Vec<Point>,
    /// Whether it is what the series before it is compared to: the same colour, thinner and dashed.
    pub compared: bool,
}

/// One point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// When.
    pub at: Instant,
    /// The figure; the line has a gap where there is none.
    pub value: Option<f64>,
    /// The interval it lies in.
    pub interval: Option<(f64, f64)>,
    /// How sure it is.
    pub state: State,
}

/// Whether a figure can still change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It is over.
    #[default]
    Final,
    /// Its period has not elapsed; no solid line leads to it.
    Open,
    /// It is foretold.
    Forecast,
}

impl LineChart {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let mut top = canvas.heading(&self.heading);
        let labelled = self.series.len() > 1;
        let direct = labelled && self.series.len() <= 5;
        if labelled && !direct {
            top = self.legend(canvas, top);
        }
        let points = || self.series.iter().flat_map(|s| &s.points);
        let values = points().flat_map(|p| {
            let (low, high) = p.interval.unzip();
            [p.value, low, high].into_iter().flatten()
        });
        let height = (canvas.width() * 0.36).clamp(140.0, 300.0);
        let scale = Scale::of(values, self.from_zero, &self.unit, (height / 48.0) as usize);
        let left = MARGIN + scale.label_width(&self.unit) + 8.0;
        let names = self.series.iter().map(|s| Type::BODY.width(&s.name));
        let right = if direct {
            (names.fold(0.0, f64::max) + 24.0).min(canvas.width() * 0.3)
        } else {
            8.0
        };
        let area = Area {
            x: left,
            y: top + 6.0,
            width: canvas.width() - left - MARGIN - right,
            height,
        };
        scale.rows(canvas, area, &self.unit);
        let Some(time) = TimeScale::of(points().map(|p| p.at), &self.zone, self.across) else {
            let kind = Type::SMALL;
            canvas.text(
                area.x + 12.0,
                area.y + area.height / 2.0,
                "Nothing to show",
                kind,
            );
            canvas.reach(area.bottom() + 12.0);
            return;
        };
        time.columns(canvas, area);
        let place = |p: &Point, value| (time.x(area, p.at), scale.y(area, value));
        for (series, role) in self.coloured() {
            self.band(canvas, series, role, place);
            if self.marks == Marks::Areas {
                tint(canvas, series, role, place);
            }
        }
        for (series, role) in self.coloured() {
            self.line(canvas, series, role, place);
        }
        if direct {
            self.direct(canvas, area, right, place);
        }
        canvas.reach(area.bottom() + 20.0);
    }

    /// The series with their colours: what is compared shares the colour of what it is compared to.
    fn coloured(&self) -> impl Iterator<Item = (&Series, Role)> {
        let mut next = 0;
        self.series.iter().map(move |series| {
            if !series.compared {
                next += 1;
            }
            let role = match next {
                1..=8 => Role::Series(next - 1),
                0 => Role::Accent,
                _ => Role::Other,
            };
            (series, role)
        })
    }

    fn band(
        &self,
        canvas: &mut Canvas,
        series: &Series,
        role: Role,
        place: impl Fn(&Point, f64) -> (f64, f64),
    ) {
        // A gap in the figures is a gap in their band.
        let known = |p: &Point| p.interval.is_some();
        for run in series.points.chunk_by(|a, b| known(a) == known(b)) {
            let upper = run.iter().filter_map(|p| Some(place(p, p.interval?.1)));
            let lower = run
                .iter()
                .rev()
                .filter_map(|p| Some(place(p, p.interval?.0)));
            shade(canvas, role, upper.chain(lower));
        }
    }

    fn line(
        &self,
        canvas: &mut Canvas,
        series: &Series,
        role: Role,
        place: impl Fn(&Point, f64) -> (f64, f64),
    ) {
        let width = if series.compared { 1.25 } else { 2.0 };
        let mut before: Option<&Point> = None;
        let (mut solid, mut dashed) = (Outline::default(), Outline::default());
        let mut strokes = Vec::new();
        for point in &series.points {
            let Some(value) = point.value else {
                before = None;
                continue;
            };
            let (x, y) = place(point, value);
            let open = point.state != State::Final;
            match before {
                // What is not over is dashed, from the last figure that is.
                Some(last) if open => {
                    if dashed.is_empty()
                        && let Some(value) = last.value
                    {
                        let (x, y) = place(last, value);
                        dashed.to(x, y);
                    }
                    dashed.to(x, y);
                }
                Some(last) if last.state == State::Final => solid.to(x, y),
                _ => {
                    strokes.push((std::mem::take(&mut solid), series.compared));
                    strokes.push((std::mem::take(&mut dashed), true));
                    if open {
                        dashed.to(x, y);
                    } else {
                        solid.to(x, y);
                    }
                }
            }
            before = Some(point);
        }
        strokes.push((solid, series.compared));
        strokes.push((dashed, true));
        let joined = self.marks != Marks::Points;
        for (outline, dashed) in strokes.iter().filter(|s| joined && !s.0.is_empty()) {
            canvas.path(outline, Paint::stroke(role, width).dashed(*dashed));
        }
        // A point says its figure; where points are close they are there for the pointer alone.
        let shown = !joined || series.points.len() <= 16 && !series.compared;
        for point in &series.points {
            let Some(value) = point.value else { continue };
            let (x, y) = place(point, value);
            let alone = self.alone(series, point);
            canvas.titled(&self.says(series, point, value), |canvas| {
                if shown || alone {
                    let hollow = point.state != State::Final;
                    let fill = if hollow { Role::Ground } else { role };
                    let paint =
                        Paint::fill(fill).outlined(if hollow { role } else { Role::Ground }, 1.25);
                    canvas.circle(x, y, 3.25, paint);
                } else {
                    canvas.circle(x, y, 5.0, Paint::fill(role).opacity(0.0));
                }
            });
        }
    }

    /// Whether a point has no neighbour to draw a line to.
    fn alone(&self, series: &Series, point: &Point) -> bool {
        let at = series.points.iter().position(|p| p.at == point.at);
        let has = |i: Option<usize>| {
            let neighbour = i.and_then(|i| series.points.get(i));
            neighbour.is_some_and(|p| p.value.is_some())
        };
        !has(at.and_then(|i| i.checked_sub(1))) && !has(at.map(|i| i + 1))
    }

    fn says(&self, series: &Series, point: &Point, value: f64) -> String {
        let mut text = self.across.says(point.at, &self.zone);
        if self.series.len() > 1 {
            text = format!("{}, {text}", series.name);
        }
        text = format!("{text}: {}", self.unit.exact(value));
        if let Some((low, high)) = point.interval {
            let ends = (self.unit.exact(low), self.unit.exact(high));
            text = format!("{text}, interval {} to {}", ends.0, ends.1);
        }
        match point.state {
            State::Final => text,
            State::Open => format!("{text} (not over yet)"),
            State::Forecast => format!("{text} (forecast)"),
        }
    }

    /// Names at the ends of their lines.
    fn direct(
        &self,
        canvas: &mut Canvas,
        area: Area,
        room: f64,
        place: impl Fn(&Point, f64) -> (f64, f64),
    ) {
        let ends = self.coloured().filter_map(|(series, role)| {
            let last = series.points.iter().rev().find(|p| p.value.is_some())?;
            Some((series, role, place(last, last.value?).1))
        });
        let ends: Vec<_> = ends.collect();
        let wanted: Vec<f64> = ends.iter().map(|e| e.2).collect();
        let heights = apart(&wanted, 15.0, area.y + 4.0, area.bottom() - 2.0);
        for ((series, role, _), y) in ends.iter().zip(heights) {
            let x = area.right() + 8.0;
            if series.compared {
                let line = Paint::stroke(*role, 1.25).dashed(true);
                canvas.line((x - 2.0, y), (x + 10.0, y), line);
            } else {
                canvas.rect(swatch(x, y - 4.0), 2.0, Paint::fill(*role));
            }
            let name = Type::BODY.fit(&series.name, room - 16.0);
            canvas.text(x + 14.0, y + 4.0, &name, Type::BODY);
        }
    }

    fn legend(&self, canvas: &mut Canvas, top: f64) -> f64 {
        let entries: Vec<(String, Role)> = self
            .coloured()
            .map(|(series, role)| (series.name.clone(), role))
            .collect();
        legend(canvas, &entries, top)
    }
}

/// Tints what lies between a line and 0.
fn tint(
    canvas: &mut Canvas,
    series: &Series,
    role: Role,
    place: impl Fn(&Point, f64) -> (f64, f64),
) {
    let known = |p: &Point| p.value.is_some();
    for run in series.points.chunk_by(|a, b| known(a) == known(b)) {
        let upper = run.iter().filter_map(|p| Some(place(p, p.value?)));
        let ends = [run.last(), run.first()].into_iter().flatten();
        let lower = ends.filter(|p| known(p)).map(|p| place(p, 0.0));
        shade(canvas, role, upper.chain(lower));
    }
}

/// Tints what lies within an outline.
fn shade(canvas: &mut Canvas, role: Role, around: impl Iterator<Item = (f64, f64)>) {
    let mut outline = Outline::default();
    around.for_each(|(x, y)| outline.to(x, y));
    if !outline.is_empty() {
        outline.close();
        canvas.path(&outline, Paint::fill(role).opacity(0.16));
    }
}

fn swatch(x: f64, y: f64) -> Area {
    Area {
        x,
        y,
        width: 8.0,
        height: 8.0,
    }
}

/// Names with their colours in rows, and where what comes below may begin.
pub(super) fn legend(canvas: &mut Canvas, entries: &[(String, Role)], top: f64) -> f64 {
    let (mut x, mut y) = (MARGIN, top);
    for (name, role) in entries {
        let name = Type::BODY.fit(name, canvas.inner() - 14.0);
        let width = Type::BODY.width(&name) + 30.0;
        if x > MARGIN && x + width > canvas.width() - MARGIN {
            (x, y) = (MARGIN, y + 18.0);
        }
        canvas.rect(swatch(x, y), 2.0, Paint::fill(*role));
        canvas.text(x + 13.0, y + 8.5, &name, Type::BODY);
        x += width;
    }
    y + 20.0
}
