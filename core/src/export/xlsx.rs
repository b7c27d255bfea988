//! A workbook: a sheet that says what it is, and one for each section with typed cells, a frozen header and a chart of its own.

use std::collections::BTreeSet;
use std::io::Write;

use rust_xlsxwriter::{
    Chart, ChartType, Color, ConditionalFormat2ColorScale, DocProperties, ExcelDateTime, Format,
    FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::cell::{Cell, Cells};
use super::report::{Form, Kind, Plot, Report, Section, spoken};
use super::{Progress, refused};
use crate::chart;
use crate::error::Result;
use crate::query::{Instant, Zone};

/// A sheet has 1,048,576 rows; the first is the header.
const ROWS: u32 = 1_048_575;
/// And so many columns.
const COLUMNS: usize = 16_384;
/// A cell has so many characters of text.
const LETTERS: usize = 32_767;
/// Whole numbers above lose digits in a spreadsheet, which holds doubles.
const EXACT: u64 = 1 << 53;

/// A sheet that has been written: its name, and how many rows it has beside its header.
struct Written {
    name: String,
    rows: u32,
}

pub(super) fn write(
    report: Report<'_>,
    sink: impl Write + Send,
    progress: &mut Progress<'_>,
) -> Result<u64> {
    let mut book = Workbook::new();
    let mut properties = DocProperties::new()
        .set_title(&report.title)
        .set_author("travelsense");
    // The library's own default is the clock's time.
    if let Ok(at) = ExcelDateTime::from_timestamp(report.generated_at.micros() / 1_000_000) {
        properties = properties.set_creation_datetime(&at);
    }
    book.set_properties(&properties);
    about(&mut book, &report).map_err(refused)?;
    // The second is a name that spreadsheets keep for themselves.
    let mut names = BTreeSet::from(["about", "history"].map(str::to_owned));
    let formats = Formats::new();
    let mut written = 0;
    for section in report.sections {
        let mut sheet = Sheets {
            book: &mut book,
            names: &mut names,
            zone: &report.zone,
            formats: &formats,
        };
        written = sheet.section(section, written, progress)?;
    }
    book.save_to_writer(sink).map_err(refused)?;
    Ok(written)
}

/// The first sheet: what the workbook is, and what limits its numbers.
fn about(book: &mut Workbook, report: &Report<'_>) -> std::result::Result<(), XlsxError> {
    let sheet = book.add_worksheet();
    let (title, name) = (
        Format::new().set_bold().set_font_size(14),
        Format::new().set_bold(),
    );
    sheet.set_name("About")?;
    printed(sheet);
    sheet.set_column_width(0, 22)?.set_column_width(1, 80)?;
    sheet.write_string_with_format(0, 0, cut(&report.title, LETTERS), &title)?;
    let range = chart::range(report.range.from, report.range.to, &report.zone);
    let made = chart::moment(report.generated_at, &report.zone);
    let mut lines = vec![("range".to_owned(), range)];
    lines.extend(report.filters.iter().cloned());
    lines.push((
        "generated at".to_owned(),
        format!("{made}, {}", report.zone.name()),
    ));
    for section in &report.sections {
        let notes = section
            .notes
            .iter()
            .map(|n| (section.title.clone(), n.clone()));
        lines.extend(notes);
    }
    for (row, (what, said)) in (2u32..).zip(lines) {
        sheet.write_string_with_format(row, 0, cut(&what, LETTERS), &name)?;
        sheet.write_string(row, 1, cut(&said, LETTERS))?;
    }
    Ok(())
}

struct Formats {
    header: Format,
    /// Of columns whose cells stand at the right, so that names stand over them.
    header_right: Format,
    integer: Format,
    number: Format,
    share: Format,
    money: Format,
    seconds: Format,
    instant: Format,
}

impl Formats {
    fn new() -> Self {
        let of = |code: &str| Format::new().set_num_format(code);
        let header = Format::new()
            .set_bold()
            .set_background_color(Color::RGB(0x00E9_EEF7))
            .set_border_bottom(FormatBorder::Thin);
        Self {
            header_right: header.clone().set_align(FormatAlign::Right),
            header,
            integer: of("#,##0"),
            number: of("General"),
            share: of("0.0%"),
            money: of("#,##0.00"),
            seconds: of("#,##0.0"),
            instant: of("yyyy-mm-dd hh:mm:ss"),
        }
    }
}

struct Sheets<'a> {
    book: &'a mut Workbook,
    names: &'a mut BTreeSet<String>,
    zone: &'a Zone,
    formats: &'a Formats,
}

impl Sheets<'_> {
    /// Writes a section, over as many sheets as its rows need; its chart is of the first.
    fn section(
        &mut self,
        section: Section<'_>,
        mut written: u64,
        progress: &mut Progress<'_>,
    ) -> Result<u64> {
        let mut columns = section.table.columns();
        columns.truncate(COLUMNS);
        let mut batches = section.table.into_batches();
        let mut held: Option<(Cells, usize)> = None;
        let mut plot = section.plot;
        loop {
            let name = self.name(&section.title);
            let (zone, formats) = (self.zone, self.formats);
            let sheet = self
                .book
                .add_worksheet_with_constant_memory()
                .map_err(refused)?;
            sheet.set_name(&name).map_err(refused)?;
            let mut widths = header(sheet, &columns, zone, formats).map_err(refused)?;
            let mut rows = 0;
            let full = loop {
                let (cells, from) = match held.take() {
                    Some(rest) => rest,
                    None => match batches.next() {
                        Some(batch) => (Cells::of(&batch?, &columns)?, 0),
                        None => break false,
                    },
                };
                let to = cells.rows().min(from + (ROWS - rows) as usize);
                for row in from..to {
                    rows += 1;
                    let line = Line {
                        sheet: &mut *sheet,
                        row: rows,
                        zone,
                        formats,
                    };
                    line.write(&columns, cells.row(row), &mut widths)
                        .map_err(refused)?;
                }
                written += (to - from) as u64;
                progress(written)?;
                if to < cells.rows() {
                    held = Some((cells, to));
                    break true;
                }
            };
            for (column, width) in (0u16..).zip(&widths) {
                let width = (*width as f64 + 2.0).clamp(9.0, 56.0);
                sheet.set_column_width(column, width).map_err(refused)?;
            }
            if let Some(plot) = plot.take() {
                let done = Written { name, rows };
                draw(sheet, &plot, &columns, &done).map_err(refused)?;
            }
            if !full {
                return Ok(written);
            }
        }
    }

    /// A name that a sheet may have and no other has: at most 31 characters, none of `[]:*?/\`.
    fn name(&mut self, title: &str) -> String {
        let allowed = |c: &char| !"[]:*?/\\".contains(*c) && !c.is_control();
        let base: String = title.chars().filter(allowed).collect();
        let edge = |c: char| c == '\'' || c.is_whitespace();
        let base = base.trim_matches(edge);
        let base = if base.is_empty() { "Data" } else { base };
        for n in 1u32.. {
            let end = if n == 1 {
                String::new()
            } else {
                format!(" ({n})")
            };
            let short = cut(base, 31 - end.len());
            let name = format!("{}{end}", short.trim_end_matches(edge));
            if self.names.insert(name.to_lowercase()) {
                return name;
            }
        }
        base.to_owned()
    }
}

/// On paper a sheet is as wide as a page, and every page says which it is.
fn printed(sheet: &mut Worksheet) {
    const A4: u8 = 9;
    sheet
        .set_paper_size(A4)
        .set_print_fit_to_pages(1, 0)
        .set_footer("&L&A&RPage &P of &N");
}

/// Writes the first row, which stays where it is while the others move; gives the widths it needs.
fn header(
    sheet: &mut Worksheet,
    columns: &[(String, Kind)],
    zone: &Zone,
    formats: &Formats,
) -> std::result::Result<Vec<usize>, XlsxError> {
    sheet.set_freeze_panes(1, 0)?;
    printed(sheet);
    sheet.set_landscape().set_repeat_rows(0, 0)?;
    let mut widths = Vec::new();
    for (column, (name, kind)) in (0u16..).zip(columns) {
        let mut name = spoken(name);
        if *kind == Kind::Instant {
            name = format!("{name} ({})", zone.name());
        }
        let format = match kind {
            Kind::Text | Kind::Boolean => &formats.header,
            _ => &formats.header_right,
        };
        sheet.write_string_with_format(0, column, cut(&name, LETTERS), format)?;
        widths.push(name.chars().count());
    }
    Ok(widths)
}

/// A row while it is written.
struct Line<'a> {
    sheet: &'a mut Worksheet,
    row: u32,
    zone: &'a Zone,
    formats: &'a Formats,
}

impl Line<'_> {
    fn write<'c>(
        self,
        columns: &[(String, Kind)],
        cells: impl Iterator<Item = Cell<'c>>,
        widths: &mut [usize],
    ) -> std::result::Result<(), XlsxError> {
        let columns = (0u16..).zip(columns).zip(cells).zip(widths);
        for (((column, (_, kind)), cell), width) in columns {
            let format = match kind {
                Kind::Share => &self.formats.share,
                Kind::Money => &self.formats.money,
                Kind::Seconds => &self.formats.seconds,
                Kind::Integer => &self.formats.integer,
                _ => &self.formats.number,
            };
            let (sheet, row) = (&mut *self.sheet, self.row);
            match cell {
                Cell::Empty => {}
                Cell::Text(text) if *kind == Kind::Money && text.parse::<f64>().is_ok() => {
                    let amount: f64 = text.parse().unwrap_or_default();
                    *width = (*width).max(12);
                    sheet.write_number_with_format(row, column, amount, format)?;
                }
                // A text is written as text, whatever it begins with: no cell of ours is a formula.
                Cell::Text(text) => {
                    // The first rows say how wide a column is; to look at all would cost as much as to write them.
                    if row <= 100 {
                        *width = (*width).max(text.chars().take(60).count());
                    }
                    sheet.write_string(row, column, cut(text, LETTERS))?;
                }
                Cell::Integer(number) if number.unsigned_abs() > EXACT => {
                    sheet.write_string(row, column, number.to_string())?;
                }
                Cell::Integer(number) => {
                    sheet.write_number_with_format(row, column, number as f64, format)?;
                }
                Cell::Number(number) => {
                    sheet.write_number_with_format(row, column, number, format)?;
                }
                Cell::Boolean(flag) => {
                    sheet.write_boolean(row, column, flag)?;
                }
                Cell::Instant(at) => match serial(at, self.zone) {
                    Some(serial) => {
                        *width = (*width).max(19);
                        let format = &self.formats.instant;
                        sheet.write_number_with_format(row, column, serial, format)?;
                    }
                    None => {
                        sheet.write_string(row, column, at.to_string())?;
                    }
                },
            }
        }
        Ok(())
    }
}

/// A civil time as spreadsheets count: days since the end of 1899. Before March 1900 they count a day that never was.
fn serial(at: Instant, zone: &Zone) -> Option<f64> {
    let local = at.micros().checked_add(zone.offset(at))?;
    let serial = local as f64 / 86_400e6 + 25_569.0;
    (serial >= 61.0).then_some(serial)
}

/// A chart of a sheet's own cells, to the right of them.
fn draw(
    sheet: &mut Worksheet,
    plot: &Plot,
    columns: &[(String, Kind)],
    written: &Written,
) -> std::result::Result<(), XlsxError> {
    let at = |name: &str| {
        let found = columns.iter().position(|(known, _)| known == name);
        found.and_then(|i| u16::try_from(i).ok())
    };
    let (Some(names), true) = (at(&plot.names), written.rows > 0) else {
        return Ok(());
    };
    let figures = plot
        .figures
        .iter()
        .filter_map(|figure| Some((figure, at(figure)?)));
    let figures: Vec<(&String, u16)> = figures.collect();
    let (Some((_, first)), Some((_, last))) = (figures.first(), figures.last()) else {
        return Ok(());
    };
    let kind = match plot.form {
        Form::Line => ChartType::Line,
        Form::Area => ChartType::Area,
        Form::StackedArea => ChartType::AreaStacked,
        Form::Points => ChartType::Scatter,
        Form::Columns => ChartType::Column,
        Form::StackedColumns => ChartType::ColumnStacked,
        Form::Bars => ChartType::Bar,
        Form::Pie => ChartType::Pie,
        Form::Donut => ChartType::Doughnut,
        // A spreadsheet tints the cells themselves.
        Form::Heat => {
            let tints = ConditionalFormat2ColorScale::new()
                .set_minimum_color(Color::RGB(0x00F4_F7FC))
                .set_maximum_color(Color::RGB(0x005B_8FD9));
            sheet.add_conditional_format(1, *first, written.rows, *last, &tints)?;
            return Ok(());
        }
    };
    let mut chart = Chart::new(kind);
    let name = written.name.as_str();
    let mut share = false;
    // What is of the whole range has one row, whose figures are the parts and the names of whose columns are theirs.
    let across = written.rows == 1 && figures.len() > 1;
    let round = matches!(plot.form, Form::Pie | Form::Donut);
    if round || (plot.form == Form::Bars && across) {
        chart
            .add_series()
            .set_categories((name, 0, *first, 0, *last))
            .set_values((name, 1, *first, 1, *last))
            .set_name(name);
    } else {
        for (figure, column) in &figures {
            let of_shares = |(n, k): &(String, Kind)| n == *figure && *k == Kind::Share;
            share |= columns.iter().any(of_shares);
            chart
                .add_series()
                .set_categories((name, 1, names, written.rows, names))
                .set_values((name, 1, *column, written.rows, *column))
                .set_name(&spoken(figure));
        }
    }
    match plot.form {
        // The first row stands at the top, as in the sheet.
        Form::Bars => {
            // Of bars, the axis of names is the upright one.
            chart.y_axis().set_reverse();
        }
        _ if columns
            .get(usize::from(names))
            .is_some_and(|c| c.1 == Kind::Instant) =>
        {
            // A place for each row, however long its period: on an axis of days the columns of weeks would be as thin as a day.
            let days = chart.x_axis().set_num_format("yyyy-mm-dd");
            if plot.form != Form::Points {
                days.set_text_axis(true);
            }
        }
        _ => {}
    }
    if share {
        chart.y_axis().set_num_format("0%");
    }
    if figures.len() == 1 || (plot.form == Form::Bars && across) {
        chart.legend().set_hidden();
    }
    chart.title().set_name(&written.name);
    chart.set_width(640).set_height(360);
    let column = u16::try_from(columns.len() + 1).unwrap_or(0);
    sheet.insert_chart(1, column, &chart)?;
    Ok(())
}

/// As much of a text as has room, counted as UTF-16 does.
fn cut(text: &str, mut room: usize) -> &str {
    for (at, c) in text.char_indices() {
        match room.checked_sub(c.len_utf16()) {
            Some(left) => room = left,
            None => return text.get(..at).unwrap_or_default(),
        }
    }
    text
}
