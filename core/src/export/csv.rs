//! CSV (RFC 4180), safe to open in a spreadsheet.

use std::borrow::Cow;
use std::io::Write;

use super::cell::{Cell, Cells};
use super::report::Report;
use super::{Progress, refused};
use crate::error::Result;

/// One section is its table. Several are one table of all their values, `section, row, column, value`, since lines of one file
/// have one number of fields.
pub(super) fn write(
    report: Report<'_>,
    sink: impl Write,
    progress: &mut Progress<'_>,
) -> Result<u64> {
    let mut file = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(sink);
    let several = report.sections.len() > 1;
    if several {
        file.write_record(["section", "row", "column", "value"])
            .map_err(refused)?;
    }
    let mut written = 0;
    for section in report.sections {
        let columns = section.table.columns();
        if !several {
            let names = columns.iter().map(|(name, _)| harmless(name));
            let names: Vec<Cow<'_, str>> = names.collect();
            file.write_record(names.iter().map(|n| n.as_bytes()))
                .map_err(refused)?;
        }
        let mut number = 0u64;
        for batch in section.table.into_batches() {
            let cells = Cells::of(&batch?, &columns)?;
            for row in 0..cells.rows() {
                number += 1;
                if several {
                    let row_number = number.to_string();
                    for ((name, _), cell) in columns.iter().zip(cells.row(row)) {
                        let (value, name) = (text(cell), harmless(name));
                        file.write_record([&section.name, &row_number, &*name, &*value])
                            .map_err(refused)?;
                    }
                } else {
                    for cell in cells.row(row) {
                        file.write_field(text(cell).as_bytes()).map_err(refused)?;
                    }
                    file.write_record(None::<&[u8]>).map_err(refused)?;
                }
            }
            written += cells.rows() as u64;
            progress(written)?;
        }
    }
    file.flush().map_err(refused)?;
    Ok(written)
}

fn text(cell: Cell<'_>) -> Cow<'_, str> {
    match cell {
        Cell::Empty => Cow::Borrowed(""),
        Cell::Text(text) => harmless(text),
        Cell::Integer(number) => Cow::Owned(number.to_string()),
        Cell::Number(number) => Cow::Owned(number.to_string()),
        Cell::Instant(at) => Cow::Owned(at.to_string()),
        Cell::Boolean(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
    }
}

/// Text as a spreadsheet may read it: what could begin a formula, or hide one, begins with an apostrophe. A number that was
/// stored as text stays one.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let begins = |c: char| {
        matches!(
            c,
            '=' | '+'
                | '-'
                | '@'
                | '\t'
                | '\r'
                | '\n'
                | '\0'
                | '\u{feff}'
                | '＝'
                | '＋'
                | '－'
                | '＠'
        )
    };
    // Some readers pass over blanks before they look for a formula.
    let risky = text.starts_with(begins) || text.trim_start().starts_with(begins);
    if risky && !number(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether text is a decimal number and nothing else.
fn number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(part)
}
