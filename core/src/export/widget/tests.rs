use super::*;
use crate::chart::{Chart, Marks, Stack};

fn columns(data: &Value) -> Vec<(String, String)> {
    let batch = table(&rows(data)).unwrap();
    let schema = batch.schema();
    let fields = schema.fields().iter();
    fields
        .map(|f| (f.name().clone(), f.data_type().to_string()))
        .collect()
}

#[test]
fn a_series_is_a_row_a_bucket_and_a_column_a_group() {
    let data = json!({ "kind": "series", "buckets": [
            { "start": "2026-01-01T00:00:00.000Z", "end": "2026-01-02T00:00:00.000Z" },
            { "start": "2026-01-02T00:00:00.000Z", "end": "2026-01-03T00:00:00.000Z" }],
        "series": [{ "group": "a", "values": [1, 2] }, { "group": "b", "values": [0.5, null] }] });
    let found = columns(&data);
    assert_eq!(found.len(), 4);
    assert!(found[0].1.starts_with("Timestamp"));
    assert_eq!(found[2], ("a".to_owned(), "Int64".to_owned()));
    assert_eq!(found[3], ("b".to_owned(), "Float64".to_owned()));
}

#[test]
fn groups_that_are_called_as_other_columns_are_lose_nothing() {
    let line = |group: Value, n: u32| json!({ "group": group, "values": [n] });
    let data = json!({ "kind": "series", "truncated": true, "total": 9,
        "buckets": [{ "start": "2026-01-01T00:00:00.000Z", "end": "2026-01-02T00:00:00.000Z" }],
        "series": [line(json!("start"), 20), line(json!("value"), 35), line(Value::Null, 16), line(json!("total"), 3)] });
    let widget = json!({ "widget": 0, "title": "Kinds", "visualization": "bar", "data": data });
    let told = section(&widget, (&Zone::default(), "EUR"), true).unwrap();
    let named: Vec<(String, Kind)> = told.table.columns();
    let figure = |name: &str| (name.to_owned(), Kind::Integer);
    assert_eq!(named[0], ("start".to_owned(), Kind::Instant));
    let figures = ["start (2)", "value", "value (2)", "total (2)"];
    assert_eq!(named[2..6], figures.map(figure));
    assert_eq!(told.plot.unwrap().figures, figures);
    assert_eq!(rows(&data)[0][4].1, json!(16));
}

#[test]
fn a_chart_is_drawn_as_what_it_is() {
    let day = |n: u32| {
        json!({ "start": format!("2026-01-{n:02}T00:00:00.000Z"),
        "end": format!("2026-01-{:02}T00:00:00.000Z", n + 1) })
    };
    let mut data = json!({ "kind": "series", "buckets": [day(1), day(2)],
        "series": [{ "group": "a", "values": [1, 2] }, { "group": "b", "values": [0.5, null] }] });
    let drawn = |way: &str, data: &Value, adds: bool| {
        let form = form(way, data, adds).unwrap();
        let zone = Zone::default();
        let chart = picture(data, Heading::default(), Unit::Number, (&zone, form));
        (form, chart.unwrap())
    };
    let stack = |way: &str| match drawn(way, &data, true).1 {
        Chart::Stacked(chart) => Some(chart.stack),
        _ => None,
    };
    assert_eq!(stack("stacked_area_chart"), Some(Stack::Areas));
    assert_eq!(stack("stacked_bar"), Some(Stack::Columns));
    assert_eq!(stack("bar_chart"), Some(Stack::Beside));
    let marks = |way: &str| match drawn(way, &data, true).1 {
        Chart::Line(chart) => Some(chart.marks),
        _ => None,
    };
    assert_eq!(marks("line"), Some(Marks::Lines));
    assert_eq!(marks("area"), Some(Marks::Areas));
    assert_eq!(marks("scatter_chart"), Some(Marks::Points));
    for (way, ring) in [("pie_chart", false), ("donut", true)] {
        let Chart::Pie(pie) = drawn(way, &data, true).1 else {
            panic!("{way} is another chart")
        };
        assert_eq!((pie.ring, pie.whole), (ring, true));
        let parts = pie.slices.iter().map(|s| (s.label.as_str(), s.value));
        assert_eq!(parts.collect::<Vec<_>>(), [("a", 3.0), ("b", 0.5)]);
    }
    // Averages are no parts of a whole.
    let Chart::Bars(bars) = drawn("pie", &data, false).1 else {
        panic!("another chart")
    };
    assert_eq!(bars.bars[1].label, "b");
    let Chart::HeatMap(map) = drawn("heatmap", &data, true).1 else {
        panic!("another chart")
    };
    assert_eq!((map.rows.len(), map.columns.len()), (2, 2));
    assert_eq!((map.most, map.rows[1].cells[1].value), (2.0, None));
    // Days of one series are a calendar: a row a weekday, a column a week.
    data["buckets"] = (1..22).map(day).collect();
    data["series"] = json!([{ "group": null, "values": (1..22).collect::<Vec<u32>>() }]);
    let Chart::HeatMap(map) = drawn("heatmap_chart", &data, true).1 else {
        panic!("another chart")
    };
    assert_eq!((map.rows.len(), map.columns.len()), (7, 4));
    let thursday = &map.rows[3].cells;
    let days: Vec<_> = thursday.iter().map(|c| c.value).collect();
    assert_eq!(days, [1.0, 8.0, 15.0].map(Some));
    assert_eq!(map.rows[0].cells[0].value, None);
    // What is lost has no place upon anything else.
    data["series"][0]["values"][0] = json!(-1);
    for (way, form) in [
        ("stacked_area", Form::Area),
        ("stacked_bar", Form::Columns),
        ("pie", Form::Bars),
    ] {
        assert_eq!(drawn(way, &data, true).0, form, "{way}");
    }
    let rows = json!({ "kind": "rows", "rows": [{ "group": "x", "value": "4.5" }, { "group": null, "value": 1 }] });
    let Chart::HeatMap(map) = drawn("heatmap", &rows, true).1 else {
        panic!("another chart")
    };
    assert_eq!((map.rows.len(), map.most), (2, 4.5));
    assert!(matches!(drawn("table", &rows, true).1, Chart::Bars(_)));
}

#[test]
fn objects_within_are_told_by_their_paths_and_mixed_values_are_text() {
    let data = json!({ "kind": "rows", "rows": [
        { "group": "x", "value": 1, "rate": { "low": 0.5 } }, { "group": null, "value": "2.50" }] });
    let expected = [
        ("group", "Utf8"),
        ("value", "Utf8"),
        ("rate_low", "Float64"),
    ];
    assert_eq!(
        columns(&data),
        expected.map(|(n, t)| (n.to_owned(), t.to_owned()))
    );
    assert_eq!(columns(&Value::Null).len(), 1);
}

#[test]
fn money_is_a_number_to_those_who_count_and_is_plotted() {
    let data = json!({ "kind": "series", "buckets": [
            { "start": "2026-01-01T00:00:00.000Z", "end": "2026-01-02T00:00:00.000Z" },
            { "start": "2026-01-02T00:00:00.000Z", "end": "2026-01-03T00:00:00.000Z" }],
        "series": [{ "group": "EU", "values": ["-1234.567", "0.00"] }, { "group": "007", "values": [1, null] }] });
    let kinds = |data: &Value| {
        let widget = json!({ "widget": 0, "title": "Sales", "data": data });
        let section = section(&widget, (&Zone::default(), "EUR"), true).unwrap();
        (section.table.columns(), section.plot)
    };
    let (columns, plot) = kinds(&data);
    assert_eq!(columns[2], ("EU".to_owned(), Kind::Money));
    assert_eq!(columns[3], ("007".to_owned(), Kind::Integer));
    let plot = plot.unwrap();
    assert_eq!((plot.form, plot.names.as_str()), (Form::Line, "start"));
    assert_eq!(plot.figures, ["EU", "007"]);
    // What looks like a number and names a group stays what it is.
    let data = json!({ "kind": "rows", "rows": [{ "group": "007", "value": "2.50" }] });
    let (columns, plot) = kinds(&data);
    assert_eq!(columns[0], ("group".to_owned(), Kind::Text));
    assert_eq!(columns[1], ("value".to_owned(), Kind::Money));
    assert_eq!(plot.unwrap().names, "group");
    let data = json!({ "kind": "figure", "value": "1.00", "previous": null, "count": 3 });
    let (columns, plot) = kinds(&data);
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, plot), (vec!["value", "count", "previous"], None));
}

#[test]
fn a_real_time_figure_and_a_funnel_are_told_as_their_words_tell_them() {
    let data = json!({ "kind": "realtime", "_id": "1", "metricName": "error_rate", "resultHash": "f9", "tzdb": "2026f",
        "timestamp": "2026-01-01T10:00:00.000Z", "value": 0.25, "metadata": {
            "unit": "share", "previous": 0.5, "change": -0.5, "k": 1, "n": 4, "low": 0.1, "high": 0.4, "refreshInterval": 30,
            "timeRange": "last_hour", "windowSeconds": 3600, "series": [{ "value": 0.25 }, { "value": null }] } });
    let widget = json!({ "widget": 0, "title": "Errors", "data": data });
    let told = section(&widget, (&Zone::default(), "EUR"), true).unwrap();
    let kinds = told.table.columns();
    let paper = told.table.paper();
    let paper: Vec<&str> = paper.iter().map(|i| kinds[*i].0.as_str()).collect();
    assert_eq!(
        paper,
        ["value", "previous", "change", "low", "high", "unit"]
    );
    for name in ["value", "previous", "change", "low", "high"] {
        assert!(kinds.contains(&(name.to_owned(), Kind::Share)), "{name}");
    }
    assert!(
        !kinds
            .iter()
            .any(|(name, _)| ["resultHash", "tzdb"].contains(&name.as_str()))
    );
    let Some(Chart::Tile(tile)) = told.chart else {
        panic!("no tile")
    };
    assert_eq!((tile.unit, tile.interval), (Unit::Share, Some((0.1, 0.4))));
    assert_eq!(tile.series, [Some(0.25), None]);
    assert_eq!(tile.heading.subtitle, "At 1 Jan 2026, 10:00");

    let rate = json!({ "k": 1, "n": 2, "value": 0.5, "low": 0.1, "high": 0.9, "small": true });
    let time = json!({ "count": 1, "median": 90.0, "p90": null });
    let data = json!({ "kind": "funnel", "steps": [{ "step": 1, "event": ["a", "b"], "count": 1, "dropped": 0,
        "rate": rate, "rateFromPrevious": rate, "timeFromPrevious": time, "timeFromEntry": time }] });
    let widget = json!({ "widget": 0, "title": "Way", "data": data });
    let told = section(&widget, (&Zone::default(), "EUR"), true).unwrap();
    let kinds = told.table.columns();
    assert_eq!(kinds.len(), 14);
    assert_eq!(kinds[1], ("event".to_owned(), Kind::Text));
    assert_eq!(kinds[3], ("rate".to_owned(), Kind::Share));
    assert!(kinds.contains(&("median_seconds_from_entry".to_owned(), Kind::Seconds)));
}

#[test]
fn a_widget_without_data_says_why() {
    let widget = json!({ "widget": 2, "title": "Sales", "error": { "message": "no rate" } });
    let section = section(&widget, (&Zone::default(), "EUR"), true).unwrap();
    assert_eq!(
        (section.name.as_str(), section.title.as_str()),
        ("widget_3", "Sales")
    );
    assert_eq!(section.notes, ["No data: no rate."]);
    assert_eq!(section.chart, None);
}
