use std::fs;
use std::io::Read as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use serde_json::Value;

use super::*;
use crate::chart::{Bar, BarChart, Chart, Heading, Unit};
use crate::query::{Range, Zone};

fn batch(texts: &[&str]) -> RecordBatch {
    let n = texts.len();
    let at = |i: usize| 1_767_225_600_000_000 + i as i64 * 3_600_000_000;
    RecordBatch::try_from_iter_with_nullable([
        (
            "name",
            Arc::new(StringArray::from_iter_values(texts)) as ArrayRef,
            true,
        ),
        (
            "count",
            Arc::new(
                (0..n)
                    .map(|i| (i > 0).then_some(-(i as i64) * 1_500))
                    .collect::<Int64Array>(),
            ),
            true,
        ),
        (
            "rate",
            Arc::new(
                (0..n)
                    .map(|i| Some(i as f64 / 8.0))
                    .collect::<Float64Array>(),
            ),
            true,
        ),
        (
            "last_seen",
            Arc::new(
                (0..n)
                    .map(|i| Some(at(i)))
                    .collect::<TimestampMicrosecondArray>(),
            ),
            true,
        ),
        (
            "open",
            Arc::new((0..n).map(|i| Some(i % 2 == 0)).collect::<BooleanArray>()),
            true,
        ),
    ])
    .unwrap()
}

fn section<'a>(title: &str, texts: &[&str]) -> Section<'a> {
    let bar = |label: &&str| Bar {
        label: (*label).to_owned(),
        value: Some(0.25),
        ..Bar::default()
    };
    Section {
        name: title.to_lowercase(),
        title: title.to_owned(),
        notes: vec!["Too few to lean on.".to_owned()],
        chart: Some(Chart::Bars(BarChart {
            heading: Heading {
                title: title.to_owned(),
                ..Heading::default()
            },
            unit: Unit::Share,
            bars: texts.iter().map(bar).collect(),
        })),
        plot: Some(Plot {
            form: Form::Columns,
            names: "name".to_owned(),
            figures: vec!["rate".to_owned()],
        }),
        table: Table::of(batch(texts)).with(&["rate"], Kind::Share),
    }
}

fn report<'a>(sections: Vec<Section<'a>>) -> Report<'a> {
    Report {
        title: "Bookings of June: заказы, κρατήσεις, 予約".to_owned(),
        filters: vec![("segment".to_owned(), "new".to_owned())],
        range: Range::new("2026-06-01", "2026-06-30").unwrap().span(),
        zone: Zone::named("Europe/Paris").unwrap(),
        generated_at: "2026-07-01T08:30:00Z".parse().unwrap(),
        sections,
    }
}

const TEXTS: [&str; 5] = [
    "=1+1",
    "Zürich, \"old\" town",
    "line\nbreak",
    "-12.5",
    "Ελλάδα Україна 日本",
];

fn bytes(format: Format, report: Report<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = write(format, report, &mut bytes, &mut |_| Ok(())).unwrap();
    assert!(written > 0);
    bytes
}

#[test]
fn one_section_is_a_csv_table_whose_text_is_no_formula() {
    let text = bytes(Format::Csv, report(vec![section("Countries", &TEXTS)]));
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "name,count,rate,last_seen,open\r\n\
         '=1+1,,0,2026-01-01T00:00:00.000Z,true\r\n\
         \"Zürich, \"\"old\"\" town\",-1500,0.125,2026-01-01T01:00:00.000Z,false\r\n\
         \"line\nbreak\",-3000,0.25,2026-01-01T02:00:00.000Z,true\r\n\
         -12.5,-4500,0.375,2026-01-01T03:00:00.000Z,false\r\n\
         Ελλάδα Україна 日本,-6000,0.5,2026-01-01T04:00:00.000Z,true\r\n"
    );
}

#[test]
fn several_sections_are_one_csv_table_of_values() {
    let sections = vec![section("One", &["a"]), section("Two", &["@b"])];
    let text = String::from_utf8(bytes(Format::Csv, report(sections))).unwrap();
    let mut lines = text.split("\r\n");
    assert_eq!(lines.next(), Some("section,row,column,value"));
    assert_eq!(lines.next(), Some("one,1,name,a"));
    assert!(text.contains("\r\ntwo,1,name,'@b\r\n"));
    assert!(text.lines().all(|l| l.matches(',').count() == 3));
}

/// The same numbers for ever, from a seed.
fn chance(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// Texts made of what formulas begin with and what hides it.
fn risky(n: usize) -> Vec<String> {
    const PARTS: [&str; 20] = [
        "=",
        "+",
        "-",
        "@",
        "\t",
        "\r",
        "\n",
        "\0",
        "\u{feff}",
        "＝",
        "＋",
        "－",
        "＠",
        " ",
        "\"",
        ",",
        "1",
        "cmd|' /C calc'!A0",
        "'",
        "A1",
    ];
    let mut seed = 0x2545_f491_4f6c_dd1d;
    let text = |_| {
        let length = chance(&mut seed) % 5 + 1;
        (0..length)
            .map(|_| PARTS[(chance(&mut seed) % 20) as usize])
            .collect()
    };
    (0..n).map(text).collect()
}

#[test]
fn of_ten_thousand_risky_texts_no_cell_is_live() {
    let texts = risky(10_000);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let text = bytes(Format::Csv, report(vec![section("Risks", &texts)]));
    let mut file = ::csv::Reader::from_reader(text.as_slice());
    let mut seen = 0;
    for (record, sent) in file.records().zip(&texts) {
        let record = record.unwrap();
        let cell = &record[0];
        let live = |c: char| "=+-@\t\r\n\0\u{feff}＝＋－＠".contains(c);
        let number = cell.trim_start_matches(['+', '-']).parse::<f64>().is_ok();
        assert!(!cell.trim_start().starts_with(live) || number, "{cell:?}");
        // Nothing is lost: the text is there, behind its apostrophe.
        assert!(
            cell == *sent || cell.strip_prefix('\'') == Some(sent),
            "{cell:?} of {sent:?}"
        );
        seen += 1;
    }
    assert_eq!(seen, texts.len());

    let book = bytes(Format::Xlsx, report(vec![section("Risks", &texts)]));
    for (name, part) in parts(&book) {
        assert!(!part.contains("<f>") && !part.contains("<f "), "{name}");
    }
}

/// The parts of a workbook by name.
fn parts(book: &[u8]) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(book)).unwrap();
    let count = zip.len();
    let part = |i| {
        let mut file = zip.by_index(i).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        (file.name().unwrap().into_owned(), text)
    };
    (0..count).map(part).collect()
}

#[test]
fn json_is_typed() {
    let sections = vec![section("One", &TEXTS), section("Two", &["x"])];
    let json: Value = serde_json::from_slice(&bytes(Format::Json, report(sections))).unwrap();
    assert_eq!(json["dateRange"]["startDate"], "2026-06-01T00:00:00.000Z");
    assert_eq!(json["timezone"], "Europe/Paris");
    assert_eq!(json["filters"]["segment"], "new");
    assert_eq!(json["sections"][1]["rows"].as_array().unwrap().len(), 1);
    let first = &json["sections"][0];
    assert_eq!(first["columns"][2]["type"], "share");
    assert_eq!(first["columns"][3]["type"], "instant");
    assert_eq!(first["rows"][0]["name"], "=1+1");
    assert_eq!(first["rows"][0]["count"], Value::Null);
    assert_eq!(first["rows"][1]["count"], -1500);
    assert_eq!(first["rows"][1]["rate"], 0.125);
    assert_eq!(first["rows"][1]["open"], false);
    assert_eq!(first["rows"][1]["last_seen"], "2026-01-01T01:00:00.000Z");
}

#[test]
fn a_workbook_has_a_sheet_a_section_with_real_dates_and_its_own_chart() {
    let sections = vec![section("Same: name?", &TEXTS), section("same name", &TEXTS)];
    let parts = parts(&bytes(Format::Xlsx, report(sections)));
    let part = |name: &str| {
        let found = parts.iter().find(|p| p.0 == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.clone()
    };
    let book = part("xl/workbook.xml");
    for sheet in ["About", "Same name", "same name (2)"] {
        assert!(book.contains(&format!("name=\"{sheet}\"")), "{book}");
    }
    let sheet = part("xl/worksheets/sheet2.xml");
    // 2026-01-01T00:00Z is one o'clock in Paris, 46,023 days after the end of 1899.
    assert!(sheet.contains("46023.041666"), "{sheet}");
    assert!(sheet.contains("state=\"frozen\""));
    assert!(part("xl/charts/chart1.xml").contains("'Same name'!$C$2:$C$6"));
}

#[test]
fn a_document_says_what_it_is_and_all_formats_are_the_same_every_time() {
    for format in Format::ALL {
        let make = || {
            bytes(
                format,
                report(vec![section("One", &TEXTS), section("Two", &["x"])]),
            )
        };
        assert!(make() == make(), "{format:?}");
    }
    let pdf = bytes(Format::Pdf, report(vec![section("One", &TEXTS)]));
    assert!(pdf.starts_with(b"%PDF-"));
}

#[test]
fn whoever_watches_may_end_it() {
    for format in Format::ALL {
        let stop = &mut |_| Err(Error::new(ErrorKind::Cancelled, "cancelled", "enough"));
        let ended = write(
            format,
            report(vec![section("One", &["a"])]),
            Vec::new(),
            stop,
        );
        assert_eq!(ended.unwrap_err().code(), "cancelled", "{format:?}");
    }
}

#[test]
fn a_sink_that_is_full_is_said() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
    }
    for format in Format::ALL {
        let report = report(vec![section("One", &["a"])]);
        let refused = write(format, report, Full, &mut |_| Ok(())).unwrap_err();
        assert_eq!(refused.code(), "write_failed", "{format:?}");
    }
}

/// The most memory that the process has held, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Run by itself, for it looks at the memory of the whole process:
/// `cargo nextest run --workspace --lib --run-ignored only -E 'test(a_million_rows)' --no-capture`.
#[test]
#[ignore = "takes a minute"]
fn a_million_rows_take_no_more_memory_than_a_thousand() {
    let names: Vec<String> = (0..1_000).map(|i| format!("user {i} of Zürich")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let batch = batch(&names);
    for format in [Format::Csv, Format::Json, Format::Xlsx] {
        let make = |batches: usize| {
            let table = Table::new(
                batch.schema(),
                std::iter::repeat_n(batch.clone(), batches).map(Ok),
            );
            let section = Section {
                table,
                chart: None,
                plot: None,
                ..section("Rows", &["a"])
            };
            let file = tempfile::tempfile().unwrap();
            let file = std::io::BufWriter::new(file);
            write(format, report(vec![section]), file, &mut |_| Ok(())).unwrap()
        };
        make(1);
        let before = peak();
        let rows = make(1_000);
        let grown = peak() - before;
        eprintln!(
            "{format:?}: {rows} rows, {grown} KiB more at the peak of {} KiB",
            peak()
        );
        assert_eq!(rows, 1_000_000);
        assert!(grown < 16 * 1024, "{format:?} took {grown} KiB more");
    }
}

/// For looking at: writes all four to the folder that `TRAVELSENSE_LOOK` names.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "where files are written for looking is said by whoever runs the test"
)]
fn every_format_can_be_written_to_a_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("TRAVELSENSE_LOOK").map_or(place.path().to_owned(), Into::into);
    for format in Format::ALL {
        let file = fs::File::create(folder.join(format!("report.{}", format.name()))).unwrap();
        let many: Vec<String> = (0..90).map(|i| format!("row {i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let mut long = section("Many", &many);
        long.chart = None;
        let sections = vec![section("Countries", &TEXTS), long];
        assert!(write(format, report(sections), file, &mut |_| Ok(())).unwrap() > 90);
    }
}
