//! What stands where on which page, before anything is drawn: only then is the number of pages known.

use crate::chart::{self, Chart, Look, Theme, exact, measure};
use crate::error::Result;
use crate::export::Progress;
use crate::export::cell::{Cell, Cells};
use crate::export::report::{Kind, Report, Section, spoken};
use crate::query::Zone;

/// The size of A4 in points.
pub(super) const WIDTH: f64 = 595.28;
pub(super) const HEIGHT: f64 = 841.89;
pub(super) const MARGIN: f64 = 46.0;
const BOTTOM: f64 = HEIGHT - 52.0;
const INNER: f64 = WIDTH - 2.0 * MARGIN;

/// The width of charts in their own pixels, and how many points one of these has.
const CHART: f64 = 700.0;
const SCALE: f64 = INNER / (CHART - 2.0 * chart::MARGIN);

/// Of a table a document shows so many rows; the other formats hold them all.
const MOST_ROWS: usize = 5_000;

/// The height of a table's row.
const ROW: f64 = 14.0;

/// A table of so few rows stands as it is, on the page of its chart.
const FEW: usize = 12;

/// Something drawn on a page.
pub(super) enum Mark {
    Text {
        x: f64,
        y: f64,
        size: f64,
        bold: bool,
        grey: bool,
        text: String,
    },
    Area {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        colour: u32,
    },
    Picture {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        svg: String,
    },
}

/// Pages while they fill from above.
pub(super) struct Pages {
    pub(super) pages: Vec<Vec<Mark>>,
    /// The sections by their titles, with the page and the height where they begin.
    pub(super) sections: Vec<(String, usize, f64)>,
    y: f64,
    /// Whether a character had no shape in the font.
    pub(super) boxes: bool,
}

impl Pages {
    /// Lays out a report, and says how many rows of its tables there are.
    pub(super) fn of(report: Report<'_>, progress: &mut Progress<'_>) -> Result<(Self, u64)> {
        let mut pages = Self {
            pages: vec![Vec::new()],
            sections: Vec::new(),
            y: MARGIN,
            boxes: false,
        };
        pages.paragraph(&report.title, 20.0, true, false);
        pages.y += 6.0;
        let range = chart::range(report.range.from, report.range.to, &report.zone);
        let mut about = vec![format!("Range: {range}")];
        about.extend(report.filters.iter().map(|(n, v)| format!("{n}: {v}")));
        let made = chart::moment(report.generated_at, &report.zone);
        about.push(format!("Generated: {made}, {}", report.zone.name()));
        for line in about {
            pages.paragraph(&line, 9.0, false, true);
        }
        pages.y += 6.0;
        pages.rule();
        let mut written = 0;
        for section in report.sections {
            written = pages.section(section, &report.zone, written, progress)?;
        }
        if pages.boxes {
            pages.y += 14.0;
            pages.paragraph(
                "Characters that this document's font has no shape for are shown as boxes; copied as text they are whole.",
                8.0,
                false,
                true,
            );
        }
        Ok((pages, written))
    }

    fn section(
        &mut self,
        section: Section<'_>,
        zone: &Zone,
        written: u64,
        progress: &mut Progress<'_>,
    ) -> Result<u64> {
        let all = section.table.columns();
        let places = section.table.paper();
        let columns = places.iter().filter_map(|i| all.get(*i).cloned());
        let columns: Vec<(String, Kind)> = columns.collect();
        let mut rows = Vec::new();
        let mut count = 0;
        for batch in section.table.into_batches() {
            let cells = Cells::of(&batch?, &all)?;
            let wanted = MOST_ROWS.saturating_sub(rows.len()).min(cells.rows());
            let shown = (0..wanted).map(|row| {
                let cells = cells.row(row).zip(&all).enumerate();
                let cells = cells.filter(|(i, _)| places.contains(i));
                let cells = cells.map(|(_, (cell, (_, kind)))| shown(cell, *kind, zone));
                cells.collect::<Vec<String>>()
            });
            rows.extend(shown);
            count += cells.rows() as u64;
            progress(written + count)?;
        }
        self.y += 16.0;
        self.room(90.0);
        let below = match rows.len() {
            few @ 0..=FEW => ROW * (few + 3) as f64,
            _ => 3.0 * ROW,
        };
        let place = match &section.chart {
            Some(chart) => self.picture(chart, below),
            None => {
                let place = (self.pages.len() - 1, self.y);
                self.paragraph(&section.title, 15.0 * SCALE, true, false);
                place
            }
        };
        self.sections
            .push((section.title.clone(), place.0, place.1));
        self.y += 6.0;
        let noted = section
            .chart
            .map_or_else(Vec::new, |c| c.heading().notes.clone());
        for note in section.notes.iter().filter(|n| !noted.contains(n)) {
            self.paragraph(note, 8.5, false, true);
        }
        self.y += 4.0;

        for (i, _) in columns
            .iter()
            .enumerate()
            .filter(|(_, c)| c.1 == Kind::Instant)
        {
            days(&mut rows, i);
        }
        self.table(&columns, &rows);
        let left = count - rows.len() as u64;
        if left > 0 {
            self.elsewhere(left, "row");
        }
        Ok(written + count)
    }

    /// A chart as wide as the page, or as wide as it is, on a page that has room for so much below it too, and where it stands; its own
    /// margins lie in those of the page, so that its title begins where all text does.
    fn picture(&mut self, chart: &Chart, below: f64) -> (usize, f64) {
        let look = Look {
            theme: Theme::Light,
            width: CHART,
        };
        let svg = chart.svg(&look);
        let (wide, high) = size(&svg).unwrap_or((CHART, 300.0));
        let scale = SCALE.min((BOTTOM - MARGIN) / high);
        let (width, height) = (wide * scale, high * scale);
        let edge = chart::MARGIN * scale;
        self.room(height - 2.0 * edge + below);
        if svg.chars().any(|c| !covered(c)) {
            self.boxes = true;
        }
        let place = (self.pages.len() - 1, self.y);
        let (x, y) = (MARGIN - edge, self.y - edge);
        self.mark(Mark::Picture {
            x,
            y,
            width,
            height,
            svg,
        });
        self.y += height - 2.0 * edge;
        place
    }

    /// Says what the other formats have beside what is here.
    fn elsewhere(&mut self, more: u64, what: &str) {
        let (s, are) = if more == 1 { ("", "is") } else { ("s", "are") };
        let more = exact(more as f64);
        self.y += 4.0;
        let text = format!("{more} more {what}{s} {are} in the other formats.");
        self.paragraph(&text, 8.5, false, true);
    }

    /// Rows of columns as wide as their texts. Long text is cut where there is no room, a number or a time never: columns without room
    /// are counted.
    fn table(&mut self, columns: &[(String, Kind)], rows: &[Vec<String>]) {
        const SIZE: f64 = 8.0;
        const GAP: f64 = 12.0;
        const LEAST: f64 = 30.0;
        const LEAST_TEXT: f64 = 60.0;
        const BETWEEN: f64 = 26.0;
        // Lengths of time are told in whatever unit they have.
        let head = |(name, kind): &(String, Kind)| match kind {
            Kind::Seconds => spoken(name).replace(" seconds", ""),
            _ => spoken(name),
        };
        let heads: Vec<String> = columns.iter().map(head).collect();
        let mut widths: Vec<f64> = heads
            .iter()
            .enumerate()
            .map(|(i, head)| {
                let texts = rows.iter().take(500).filter_map(|r| r.get(i));
                let texts = texts.map(|t| measure::width(t, SIZE, false));
                // A long name may break the line, not the table.
                let head = head.split(' ').map(|word| measure::width(word, SIZE, true));
                texts.chain(head).fold(LEAST, f64::max).min(220.0) + 1.0
            })
            .collect();
        let least = |(width, (_, kind)): (&f64, &(String, Kind))| match kind {
            Kind::Text => width.min(LEAST_TEXT),
            _ => *width,
        };
        let mut least: Vec<f64> = widths.iter().zip(columns).map(least).collect();
        let mut used = -GAP;
        let fits = |width: &&f64| {
            used += *width + GAP;
            used <= INNER
        };
        let fitting = least.iter().take_while(fits).count().max(1);
        let hidden = widths.len().saturating_sub(fitting);
        widths.truncate(fitting);
        least.truncate(fitting);
        let room = INNER - GAP * (fitting as f64 - 1.0);
        // Where there is room, no name needs to break.
        let whole = heads.iter().zip(&widths);
        let whole = whole.map(|(head, width)| measure::width(head, SIZE, true).max(*width) + 1.0);
        let whole: Vec<f64> = whole.collect();
        if whole.iter().sum::<f64>() <= room {
            widths = whole;
        }
        let (sum, kept) = (widths.iter().sum::<f64>(), least.iter().sum::<f64>());
        if sum > room && sum > kept {
            // Everybody keeps the least, and shares what is left by what it wishes for.
            for (width, least) in widths.iter_mut().zip(&least) {
                *width = least + (*width - least) * (room - kept).max(0.0) / (sum - kept);
            }
        }
        let numeric = |i: usize| {
            columns
                .get(i)
                .is_some_and(|(_, k)| !matches!(k, Kind::Text | Kind::Boolean | Kind::Instant))
        };
        let lines: Vec<Vec<String>> = heads
            .iter()
            .zip(&widths)
            .map(|(head, width)| measure::wrap(head, SIZE, true, *width))
            .collect();
        let deep = lines.iter().map(Vec::len).max().unwrap_or(1) as f64;
        // A long table that leaves most of the width empty goes on beside itself.
        let wide = widths.iter().sum::<f64>() + GAP * (fitting as f64 - 1.0);
        let places = ((INNER + BETWEEN) / (wide + BETWEEN))
            .floor()
            .clamp(1.0, 4.0);
        let places = if rows.len() > FEW { places as usize } else { 1 };
        let step = (INNER + BETWEEN) / places as f64;
        let head = |pages: &mut Self, left: f64, top: f64| {
            let mut x = left;
            for (i, (lines, width)) in lines.iter().zip(&widths).enumerate() {
                let first = top + 10.0 * (deep - lines.len() as f64);
                for (n, line) in lines.iter().enumerate() {
                    let y = first + 10.0 * n as f64 + 8.0;
                    pages.cell((x, y), *width, (SIZE, true), line, numeric(i));
                }
                x += width + GAP;
            }
            pages.line((left, top + 10.0 * deep + 2.0), wide);
        };
        let above = 10.0 * deep + 3.0;
        self.room(above + 3.0 * ROW);
        let mut rest = rows;
        loop {
            let top = self.y;
            let room = ((BOTTOM - top - above) / ROW).floor().max(1.0) as usize;
            let each = rest.len().div_ceil(places).clamp(1, room);
            let (here, later) = rest.split_at(rest.len().min(each * places));
            head(self, MARGIN, top);
            for (place, part) in here.chunks(each).enumerate() {
                let left = MARGIN + step * place as f64;
                if place > 0 {
                    head(self, left, top);
                }
                self.y = top + above;
                for (n, row) in part.iter().enumerate() {
                    if n % 2 == 1 {
                        self.mark(Mark::Area {
                            x: left - 3.0,
                            y: self.y,
                            width: wide + 6.0,
                            height: ROW,
                            colour: 0xf6_f8_fb,
                        });
                    }
                    let mut x = left;
                    for (i, (text, width)) in row.iter().zip(&widths).enumerate() {
                        self.cell((x, self.y + 10.0), *width, (SIZE, false), text, numeric(i));
                        x += width + GAP;
                    }
                    self.y += ROW;
                }
            }
            self.y = top + above + ROW * each.min(here.len()) as f64;
            rest = later;
            if rest.is_empty() {
                break;
            }
            self.turn();
        }
        if rows.is_empty() {
            self.paragraph("No rows.", SIZE, false, true);
        }
        if hidden > 0 {
            self.elsewhere(hidden as u64, "column");
        }
    }

    fn cell(
        &mut self,
        (x, y): (f64, f64),
        width: f64,
        (size, bold): (f64, bool),
        text: &str,
        right: bool,
    ) {
        let text = measure::fit(text, size, bold, width);
        let x = if right {
            x + width - measure::width(&text, size, bold)
        } else {
            x
        };
        self.text((x, y), size, bold, false, text);
    }

    /// Text over as many lines as it needs.
    fn paragraph(&mut self, text: &str, size: f64, bold: bool, grey: bool) {
        for line in measure::wrap(text, size, bold, INNER) {
            self.room(size * 1.4);
            self.y += size * 1.4;
            self.text((MARGIN, self.y - 0.35 * size), size, bold, grey, line);
        }
    }

    fn text(&mut self, (x, y): (f64, f64), size: f64, bold: bool, grey: bool, text: String) {
        // A control character has no shape anywhere, and would only be a box.
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if text.trim().is_empty() {
            return;
        }
        if !text.chars().all(covered) {
            self.boxes = true;
        }
        self.mark(Mark::Text {
            x,
            y,
            size,
            bold,
            grey,
            text,
        });
    }

    /// A light line from margin to margin.
    fn rule(&mut self) {
        self.line((MARGIN, self.y), INNER);
    }

    /// A light line.
    fn line(&mut self, (x, y): (f64, f64), width: f64) {
        self.mark(Mark::Area {
            x,
            y,
            width,
            height: 0.75,
            colour: 0xc9_cf_d9,
        });
    }

    /// Turns the page where so much has no room on it.
    fn room(&mut self, height: f64) {
        if self.y + height > BOTTOM && self.y > MARGIN {
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = MARGIN;
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }
}

/// The width and the height that an SVG of ours says.
fn size(svg: &str) -> Option<(f64, f64)> {
    let number = |name: &str| {
        let rest = svg.split_once(&format!(" {name}=\""))?.1;
        rest.split_once('"')?.0.parse().ok()
    };
    Some((number("width")?, number("height")?))
}

/// Leaves the times of a column out where all of them are midnight.
fn days(rows: &mut [Vec<String>], column: usize) {
    const MIDNIGHT: &str = " 00:00:00";
    let dated = |row: &Vec<String>| {
        row.get(column)
            .is_none_or(|t| t.ends_with(MIDNIGHT) || t == "–")
    };
    if rows.iter().all(dated) {
        for text in rows.iter_mut().filter_map(|row| row.get_mut(column)) {
            let day = text.trim_end_matches(MIDNIGHT).len();
            text.truncate(day);
        }
    }
}

/// A cell as people read it.
fn shown(cell: Cell<'_>, kind: Kind, zone: &Zone) -> String {
    match (cell, kind) {
        (Cell::Empty, _) => "–".to_owned(),
        (Cell::Text(text), Kind::Money) => money(text),
        (Cell::Text(text), _) => text.to_owned(),
        (Cell::Boolean(flag), _) => if flag { "yes" } else { "no" }.to_owned(),
        (Cell::Instant(at), _) => {
            let civil = zone.civil(at);
            civil.strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        (Cell::Integer(number), _) => exact(number as f64),
        (Cell::Number(number), Kind::Share) => chart::percent(number),
        (Cell::Number(number), Kind::Seconds) => chart::length(number),
        (Cell::Number(number), _) => exact(number),
    }
}

/// An amount of money to the hundredth, with commas between thousands.
fn money(text: &str) -> String {
    let Ok(amount) = text.parse::<f64>() else {
        return text.to_owned();
    };
    let cents = (amount.abs() * 100.0).round();
    let sign = if amount < 0.0 && cents > 0.0 { "-" } else { "" };
    let whole = exact((cents / 100.0).floor());
    format!("{sign}{whole}.{:02}", cents % 100.0)
}

/// Whether the font has a shape for a character.
fn covered(c: char) -> bool {
    let c = u32::from(c);
    c < 0x20 || SHAPES.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// What both fonts cover.
#[rustfmt::skip]
const SHAPES: [(u32, u32); 40] = [
    (0x20, 0x7e), (0xa0, 0x24f), (0x2c6, 0x2dd), (0x300, 0x304), (0x306, 0x30c), (0x323, 0x323), (0x370, 0x377),
    (0x37a, 0x37f), (0x384, 0x38a), (0x38c, 0x38c), (0x38e, 0x3a1), (0x3a3, 0x3e1), (0x3f0, 0x52f), (0x1e00, 0x1f15),
    (0x1f18, 0x1f1d), (0x1f20, 0x1f45), (0x1f48, 0x1f4d), (0x1f50, 0x1f57), (0x1f59, 0x1f59), (0x1f5b, 0x1f5b),
    (0x1f5d, 0x1f5d), (0x1f5f, 0x1f7d), (0x1f80, 0x1fb4), (0x1fb6, 0x1fc4), (0x1fc6, 0x1fd3), (0x1fd6, 0x1fdb),
    (0x1fdd, 0x1fef), (0x1ff2, 0x1ff4), (0x1ff6, 0x1ffe), (0x2010, 0x2027), (0x202f, 0x2030), (0x2032, 0x2033),
    (0x2039, 0x203a), (0x2044, 0x2044), (0x2070, 0x2071), (0x2074, 0x208e), (0x20a0, 0x20bf), (0x2116, 0x2116),
    (0x2122, 0x2122), (0xfffd, 0xfffd),
];

#[cfg(test)]
mod tests;
