//! JSON: one object, its rows objects by column, written as they come.

use std::io::Write;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::cell::{Cell, Cells};
use super::report::{Kind, Report};
use super::{Progress, refused};
use crate::error::Result;
use crate::query::{Instant, Zone};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    title: &'a str,
    filters: Filters<'a>,
    date_range: Range,
    timezone: &'a Zone,
    generated_at: Instant,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Range {
    start_date: Instant,
    end_date: Instant,
}

#[derive(Serialize)]
struct SectionHead<'a> {
    name: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    columns: Vec<Column<'a>>,
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: Kind,
}

struct Filters<'a>(&'a [(String, String)]);

impl Serialize for Filters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

struct Row<'a> {
    columns: &'a [(String, Kind)],
    cells: &'a Cells,
    row: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for ((name, _), cell) in self.columns.iter().zip(self.cells.row(self.row)) {
            map.serialize_entry(name, &cell)?;
        }
        map.end()
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Instant(at) => at.serialize(serializer),
            Self::Boolean(flag) => serializer.serialize_bool(*flag),
        }
    }
}

pub(super) fn write(
    report: Report<'_>,
    sink: impl Write,
    progress: &mut Progress<'_>,
) -> Result<u64> {
    let mut sink = std::io::BufWriter::with_capacity(64 * 1024, sink);
    let head = Head {
        title: &report.title,
        filters: Filters(&report.filters),
        date_range: Range {
            start_date: report.range.from,
            end_date: report.range.to,
        },
        timezone: &report.zone,
        generated_at: report.generated_at,
    };
    open(&mut sink, &head, "sections")?;
    let mut written = 0;
    for (i, section) in report.sections.into_iter().enumerate() {
        let columns = section.table.columns();
        let head = SectionHead {
            name: &section.name,
            title: &section.title,
            notes: &section.notes,
            columns: columns
                .iter()
                .map(|(name, kind)| Column { name, kind: *kind })
                .collect(),
        };
        put(&mut sink, if i > 0 { ",\n" } else { "\n" })?;
        open(&mut sink, &head, "rows")?;
        let mut first = true;
        for batch in section.table.into_batches() {
            let cells = Cells::of(&batch?, &columns)?;
            for row in 0..cells.rows() {
                put(&mut sink, if first { "\n" } else { ",\n" })?;
                first = false;
                let row = Row {
                    columns: &columns,
                    cells: &cells,
                    row,
                };
                serde_json::to_writer(&mut sink, &row).map_err(refused)?;
            }
            written += cells.rows() as u64;
            progress(written)?;
        }
        put(&mut sink, "]}")?;
    }
    put(&mut sink, "]}\n")?;
    sink.flush().map_err(refused)?;
    Ok(written)
}

/// Writes an object but for its end, and after its fields the beginning of a list.
fn open<T: Serialize>(sink: &mut impl Write, head: &T, list: &str) -> Result<()> {
    let text = serde_json::to_string(head).map_err(refused)?;
    put(sink, text.strip_suffix('}').unwrap_or(&text))?;
    put(sink, &format!(",\"{list}\":["))
}

fn put(sink: &mut impl Write, text: &str) -> Result<()> {
    sink.write_all(text.as_bytes()).map_err(refused)
}
