use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};

use super::*;
use crate::export::Table;
use crate::query::Range;

/// A report of one table of `columns` columns and `rows` rows of this text.
fn pages(title: &str, columns: usize, rows: usize, text: &str) -> (Pages, u64) {
    let column: ArrayRef = Arc::new(StringArray::from(vec![text; rows]));
    let columns = (0..columns).map(|i| (format!("column_{i}"), column.clone(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let report = Report {
        title: title.to_owned(),
        ..of(Table::of(batch))
    };
    Pages::of(report, &mut |_| Ok(())).unwrap()
}

fn of(table: Table<'_>) -> Report<'_> {
    Report {
        title: String::new(),
        filters: vec![("segment".to_owned(), "new".to_owned())],
        range: Range::new("2026-06-01", "2026-06-30").unwrap().span(),
        zone: Zone::default(),
        generated_at: "2026-07-01T08:30:00Z".parse().unwrap(),
        sections: vec![Section {
            name: "rows".to_owned(),
            title: "All rows".to_owned(),
            notes: vec!["Few.".to_owned()],
            chart: None,
            plot: None,
            table,
        }],
    }
}

fn texts(pages: &Pages) -> Vec<&str> {
    let marks = pages.pages.iter().flatten();
    let texts = marks.filter_map(|mark| match mark {
        Mark::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn a_page_begins_with_what_the_report_is() {
    let (pages, rows) = pages("Bookings", 2, 3, "x");
    let texts = texts(&pages);
    assert_eq!(rows, 3);
    assert_eq!(
        texts[..6],
        [
            "Bookings",
            "Range: 1 Jun 2026 to 30 Jun 2026, UTC",
            "segment: new",
            "Generated: 1 Jul 2026, 08:30, UTC",
            "All rows",
            "Few."
        ]
    );
    assert_eq!(texts[6..8], ["column 0", "column 1"]);
    assert_eq!(texts.iter().filter(|t| **t == "x").count(), 6);
    assert_eq!(pages.sections[0].0, "All rows");
}

#[test]
fn every_page_of_a_long_table_has_its_header_and_nothing_leaves_the_page() {
    let (pages, _) = pages(
        "Long",
        3,
        200,
        "a text that is a little longer than that of others",
    );
    assert!(pages.pages.len() > 3);
    for page in &pages.pages {
        let has = |wanted: &str| {
            page.iter()
                .any(|m| matches!(m, Mark::Text { text, .. } if text == wanted))
        };
        assert!(has("column 0"), "a page without a header");
        for mark in page {
            if let Mark::Text {
                x,
                y,
                size,
                bold,
                text,
                ..
            } = mark
            {
                let right = x + measure::width(text, *size, *bold);
                assert!(
                    *x >= MARGIN && right <= WIDTH - MARGIN + 1.0,
                    "{text} at {x}"
                );
                assert!(*y >= MARGIN && *y <= BOTTOM, "{text} at {y}");
            }
        }
    }
}

#[test]
fn a_long_narrow_table_goes_on_beside_itself_and_a_small_one_stays_with_its_chart() {
    let rows = |n: usize| -> Table<'static> {
        let number: ArrayRef = Arc::new(Float64Array::from_iter_values((0..n).map(|i| i as f64)));
        Table::of(RecordBatch::try_from_iter_with_nullable([("number", number, true)]).unwrap())
    };
    let (long, _) = Pages::of(of(rows(300)), &mut |_| Ok(())).unwrap();
    assert_eq!(long.pages.len(), 2);
    let heads = texts(&long).iter().filter(|t| **t == "number").count();
    assert_eq!(heads, 8);
    for n in 0..300 {
        let text = n.to_string();
        assert_eq!(
            texts(&long).iter().filter(|t| **t == text).count(),
            1,
            "{n}"
        );
    }
    // Four sections of which the third has no room with its table on the page.
    let chart = || Chart::Line(chart::LineChart::default());
    let mut report = of(rows(1));
    report.sections = (0..4)
        .map(|n| Section {
            name: format!("s{n}"),
            title: format!("s{n}"),
            notes: Vec::new(),
            chart: Some(chart()),
            plot: None,
            table: rows(10),
        })
        .collect();
    let (pages, _) = Pages::of(report, &mut |_| Ok(())).unwrap();
    for page in &pages.pages {
        let pictures = page.iter().filter(|m| matches!(m, Mark::Picture { .. }));
        let nines = page
            .iter()
            .filter(|m| matches!(m, Mark::Text { text, .. } if text == "9"));
        assert_eq!(pictures.count(), nines.count());
    }
    let places: Vec<usize> = pages.sections.iter().map(|s| s.1).collect();
    assert!(places.is_sorted() && places.last() == Some(&(pages.pages.len() - 1)));
}

#[test]
fn a_number_is_never_cut_and_long_text_is() {
    let text: ArrayRef = Arc::new(StringArray::from(vec![
        "a very long name that is longer than there is room for";
        2
    ]));
    let number: ArrayRef = Arc::new(Float64Array::from(vec![0.003_889; 2]));
    let mut columns = vec![("name".to_owned(), text, true)];
    columns.extend((0..20).map(|i| (format!("n{i}"), number.clone(), true)));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let table = Table::of(batch).on_paper(|name| name != "n0");
    let (pages, _) = Pages::of(of(table), &mut |_| Ok(())).unwrap();
    let texts = texts(&pages);
    assert!(
        texts
            .iter()
            .any(|t| t.starts_with("a very") && t.ends_with('…'))
    );
    assert!(
        texts.contains(&"0.003889")
            && !texts
                .iter()
                .any(|t| t.starts_with("0.0") && t.ends_with('…'))
    );
    assert!(texts.contains(&"n1") && !texts.contains(&"n0"));
    assert!(
        texts
            .iter()
            .any(|t| t.ends_with("more columns are in the other formats."))
    );
}

#[test]
fn what_is_left_out_is_counted_and_what_has_no_shape_is_said() {
    let (wide, _) = pages("Wide", 40, 2, "x");
    assert!(
        texts(&wide)
            .iter()
            .any(|t| t.ends_with("more columns are in the other formats."))
    );
    let (long, rows) = pages("Long", 1, MOST_ROWS + 7, "x");
    assert_eq!(rows, MOST_ROWS as u64 + 7);
    assert!(texts(&long).contains(&"7 more rows are in the other formats."));
    let boxed = |pages: &Pages| texts(pages).iter().any(|t| t.contains("shown as boxes"));
    assert!(boxed(&pages("日本", 1, 1, "x").0) && boxed(&pages("x", 1, 1, "日本").0));
    assert!(!boxed(&pages("Ελλάδα Україна Zürich", 1, 1, "x").0));
}
