//! A table whose cells are tinted: cohorts by the time since they began, figures by day. Cells without text may be as narrow as can
//! be told apart.

use super::Heading;
use super::canvas::{Anchor, Area, Canvas, MARGIN, Paint, Type};
use super::theme::Role;

/// Rows of tinted cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatMap {
    /// What stands above it.
    pub heading: Heading,
    /// What the rows are of, for example `week of`.
    pub rows_are: String,
    /// What the second column counts, for example `users`.
    pub sizes_are: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows from top to bottom.
    pub rows: Vec<HeatRow>,
    /// A last row set apart: what all of them come to.
    pub total: Option<HeatRow>,
    /// The figure of the darkest tint.
    pub most: f64,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatRow {
    /// What it is of.
    pub label: String,
    /// How many.
    pub size: String,
    /// Its cells; where one is absent the table is empty.
    pub cells: Vec<HeatCell>,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatCell {
    /// The figure that tints it.
    pub value: Option<f64>,
    /// What it says.
    pub text: String,
    /// What there is to say of it where the pointer rests on it.
    pub title: String,
    /// Whether its period has not elapsed.
    pub open: bool,
    /// Whether it rests on too few to lean on.
    pub small: bool,
}

const ROW: f64 = 26.0;

/// The width of a cell that says nothing.
const NARROW: f64 = 3.0;

impl HeatMap {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let top = canvas.heading(&self.heading);
        let all = || self.rows.iter().chain(&self.total);
        let widest = |texts: &mut dyn Iterator<Item = &str>| {
            texts
                .map(|t| Type::BODY.bold().width(t))
                .fold(0.0, f64::max)
        };
        let head = [self.rows_are.as_str()].into_iter();
        let names = widest(&mut head.chain(all().map(|r| r.label.as_str())));
        let names = names.min(canvas.inner() * 0.3);
        let head = [self.sizes_are.as_str()].into_iter();
        let sizes = widest(&mut head.chain(all().map(|r| r.size.as_str())));
        let gaps = if sizes > 0.0 { 32.0 } else { 14.0 };
        let left = MARGIN + names + sizes + gaps;
        let texts = widest(&mut all().flat_map(|r| r.cells.iter().map(|c| c.text.as_str())));
        let heads = widest(&mut self.columns.iter().map(String::as_str));
        let mute = texts == 0.0;
        let least = if mute {
            NARROW
        } else {
            texts.max(heads.min(56.0)).max(30.0) + 10.0
        };
        let room = canvas.width() - MARGIN - left;
        let shown = ((room / least).floor().max(1.0) as usize).min(self.columns.len());
        let wide = (room / shown.max(1) as f64).min(if mute { 22.0 } else { 84.0 });
        // Where cells are narrower than the names above them, only as many of these are there as have room.
        let every = if mute {
            ((heads + 10.0) / wide).ceil().max(1.0)
        } else {
            1.0
        } as usize;

        let head = Type::SMALL;
        canvas.text(MARGIN, top + 14.0, &head.fit(&self.rows_are, names), head);
        canvas.text(
            left - 16.0,
            top + 14.0,
            &self.sizes_are,
            head.at(Anchor::End),
        );
        let named = self.columns.iter().take(shown).enumerate();
        for (n, name) in named.step_by(every) {
            let x = left + wide * n as f64;
            if mute {
                canvas.text(x + 1.0, top + 14.0, name, head);
            } else {
                let name = head.fit(name, wide - 4.0);
                canvas.text(x + wide / 2.0, top + 14.0, &name, head.at(Anchor::Middle));
            }
        }
        let mut y = top + 22.0;
        for row in &self.rows {
            self.row(canvas, row, (left, y), (names, wide, shown), Type::BODY);
            y += ROW;
        }
        if let Some(total) = &self.total {
            y += 6.0;
            let ends = ((MARGIN, y - 3.0), (left + wide * shown as f64, y - 3.0));
            canvas.line(ends.0, ends.1, Paint::stroke(Role::Grid, 1.0));
            self.row(
                canvas,
                total,
                (left, y),
                (names, wide, shown),
                Type::BODY.bold(),
            );
            y += ROW;
        }
        canvas.reach(y);
        if shown < self.columns.len() {
            let more = self.columns.len() - shown;
            let text = format!("{more} more columns are in the table.");
            canvas.text(MARGIN, y + 14.0, &text, Type::SMALL);
        }
    }

    fn row(
        &self,
        canvas: &mut Canvas,
        row: &HeatRow,
        (left, y): (f64, f64),
        (names, wide, shown): (f64, f64, usize),
        kind: Type,
    ) {
        let base = y + 17.0;
        canvas.text(MARGIN, base, &kind.fit(&row.label, names + 1.0), kind);
        canvas.text(left - 16.0, base, &row.size, kind.at(Anchor::End));
        for (n, cell) in row.cells.iter().take(shown).enumerate() {
            let gap = if wide < 8.0 { 0.5 } else { 2.0 };
            let area = Area {
                x: left + wide * n as f64 + gap / 2.0,
                y: y + 1.0,
                width: wide - gap,
                height: ROW - 2.0,
            };
            canvas.titled(&cell.title, |canvas| {
                self.cell(canvas, cell, area, kind.bold)
            });
        }
    }

    fn cell(&self, canvas: &mut Canvas, cell: &HeatCell, area: Area, bold: bool) {
        let most = if self.most > 0.0 { self.most } else { 1.0 };
        let part = cell.value.map(|v| (v / most).clamp(0.0, 1.0));
        let part = part.filter(|_| !cell.open);
        // One hue, from a breath to full; text flips where the tint would swallow it.
        let tint = part.map(|p| 0.06 + 0.9 * p.powf(0.85));
        match tint {
            Some(tint) => canvas.rect(area, 2.0, Paint::fill(Role::Accent).opacity(tint)),
            None => {
                let paint = Paint::fill(Role::Ground).outlined(Role::Grid, 1.0);
                canvas.rect(area, 2.0, paint.dashed(cell.open));
            }
        }
        let role = match tint {
            Some(tint) if tint > 0.62 => Role::OnAccent,
            None => Role::Muted,
            _ if cell.small => Role::Muted,
            _ => Role::Ink,
        };
        let kind = Type {
            bold,
            ..Type::BODY.coloured(role).at(Anchor::Middle)
        };
        let text = kind.fit(&cell.text, area.width);
        canvas.text(area.x + area.width / 2.0, area.y + 16.0, &text, kind);
    }
}
