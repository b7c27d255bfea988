//! Charts of made-up answers, kept as pictures: `TRAVELSENSE_GOLDEN=write` draws them anew; look at the difference.

use std::fs;
use std::path::Path;

use super::*;
use crate::query::{Instant, Rate, Zone};

fn heading(title: &str, subtitle: &str) -> Heading {
    Heading {
        title: title.to_owned(),
        subtitle: subtitle.to_owned(),
        description: format!("{title}: a made-up example."),
        notes: Vec::new(),
    }
}

fn day(n: i64) -> Instant {
    let first: Instant = "2026-06-01T00:00:00Z".parse().unwrap();
    Instant::from_micros(first.micros() + n * 86_400_000_000).unwrap()
}

/// A figure that looks like a week's rhythm, the same for ever.
fn wave(n: i64, height: f64) -> f64 {
    let weekday = [0.9, 1.0, 1.05, 1.1, 1.2, 0.7, 0.6][n.rem_euclid(7) as usize];
    (height * weekday * (1.0 + 0.01 * n as f64)).round()
}

fn line() -> Chart {
    let point = |n: i64, height: f64| Point {
        at: day(n),
        value: Some(wave(n, height)),
        interval: None,
        state: if n < 29 { State::Final } else { State::Open },
    };
    let series = |name: &str, height: f64, compared: bool| Series {
        name: name.to_owned(),
        points: (0..30).map(|n| point(n, height)).collect(),
        compared,
    };
    Chart::Line(LineChart {
        heading: heading("Daily active users by platform", "1 to 30 Jun 2026, UTC"),
        from_zero: true,
        series: vec![
            series("iOS", 12_400.0, false),
            series("iOS, May", 11_200.0, true),
            series("Android", 10_900.0, false),
            series("Web", 3_100.0, false),
        ],
        ..LineChart::default()
    })
}

fn forecast() -> Chart {
    let points = (0..60).map(|n| {
        let value = wave(n, 0.04) + 0.031 + 0.0004 * (n % 7) as f64;
        let wide = 0.002 + 0.000_15 * (n - 45).max(0) as f64;
        Point {
            at: day(n),
            value: (n != 20).then_some(value),
            interval: (n != 20).then_some((value - wide, value + wide)),
            state: if n < 45 {
                State::Final
            } else {
                State::Forecast
            },
        }
    });
    Chart::Line(LineChart {
        heading: heading("Conversion rate", "1 Jun to 30 Jul 2026, Europe/Paris"),
        unit: Unit::Share,
        zone: Zone::named("Europe/Paris").unwrap(),
        series: vec![Series {
            name: "conversion".to_owned(),
            points: points.collect(),
            compared: false,
        }],
        ..LineChart::default()
    })
}

fn bars() -> Chart {
    let bar = |label: &str, k: u64, n: u64| {
        let rate = Rate::of(k, n);
        Bar {
            label: label.to_owned(),
            value: rate.value,
            interval: rate.low.zip(rate.high),
            other: label == "Other",
        }
    };
    Chart::Bars(BarChart {
        heading: heading("Booking rate by country", "1 to 30 Jun 2026, all users"),
        unit: Unit::Share,
        bars: vec![
            bar("France", 320, 1_200),
            bar("Germany", 280, 1_340),
            bar("Україна", 41, 190),
            bar("日本", 12, 88),
            bar("A country whose name is far too long for any axis", 9, 60),
            bar("Other", 100, 910),
        ],
    })
}

fn funnel() -> Chart {
    let counts = [10_000, 6_570, 1_158, 431];
    let names = ["search", "view_trip", "start_booking", "complete_booking"];
    let steps = names.iter().enumerate().map(|(i, name)| FunnelStep {
        label: (*name).to_owned(),
        count: counts[i],
        rate: Rate::of(counts[i], counts[0]),
        from_previous: (i > 0).then(|| Rate::of(counts[i], counts[i - 1])),
        median: (i > 0).then_some(3_600.0 * i as f64 * 1.7),
    });
    let group = |label: &str, n: u64| FunnelGroup {
        label: label.to_owned(),
        rates: [1.0, 0.6, 0.2, 0.05]
            .map(|share| Rate::of((n as f64 * share) as u64, n))
            .to_vec(),
    };
    Chart::Funnel(FunnelChart {
        heading: Heading {
            notes: vec!["112 users have not converted but still can.".to_owned()],
            ..heading(
                "From search to complete_booking",
                "4.3 % of 10,000 users within 7 d, median 1 d 3 h",
            )
        },
        counted: "users".to_owned(),
        steps: steps.collect(),
        groups: vec![
            group("France", 4_100),
            group("Germany", 3_300),
            group("Spain", 2_570),
            group("Malta", 22),
            group("Other", 8),
        ],
    })
}

fn heat_map() -> Chart {
    let cell = |row: usize, n: usize| {
        let open = n + row == 8;
        let value = if n == 0 {
            1.0
        } else {
            0.42 / (n as f64).powf(0.6)
        };
        HeatCell {
            value: Some(value),
            text: if open {
                "31*".to_owned()
            } else {
                format!("{:.0} %", 100.0 * value)
            },
            title: format!("week {n}"),
            open,
            small: false,
        }
    };
    let rows = (0..8).map(|row| HeatRow {
        label: format!("{} Jun 2026", 1 + row * 3),
        size: exact(7_846.0 - 311.0 * row as f64),
        cells: (0..=8 - row).map(|n| cell(row, n)).collect(),
    });
    Chart::HeatMap(HeatMap {
        heading: heading("Weekly retention", "share of users who come back"),
        rows_are: "week of".to_owned(),
        sizes_are: "users".to_owned(),
        columns: (0..9).map(|n| format!("week {n}")).collect(),
        rows: rows.collect(),
        total: Some(HeatRow {
            label: "all".to_owned(),
            size: "48,100".to_owned(),
            cells: (0..8)
                .map(|n| HeatCell {
                    open: false,
                    ..cell(9, n)
                })
                .collect(),
        }),
        most: 0.5,
    })
}

fn sankey() -> Chart {
    let node = |label: &str, column: usize, count: u64| Node {
        label: label.to_owned(),
        column,
        count,
        other: label == "Other",
    };
    let flow = |from: usize, to: usize, count: u64| Flow { from, to, count };
    Chart::Sankey(Sankey {
        heading: heading("Paths of 3 steps", "sessions, 1 to 30 Jun 2026"),
        counted: "sessions".to_owned(),
        nodes: vec![
            node("search", 0, 6_000),
            node("home", 0, 3_000),
            node("Other", 0, 700),
            node("view_trip", 1, 4_200),
            node("search", 1, 2_000),
            node("Other", 1, 900),
            node("start_booking", 2, 1_500),
            node("view_trip", 2, 1_400),
            node("Other", 2, 500),
        ],
        flows: vec![
            flow(0, 3, 3_700),
            flow(0, 4, 600),
            flow(0, 5, 400),
            flow(1, 3, 500),
            flow(1, 4, 1_400),
            flow(2, 5, 500),
            flow(3, 6, 1_400),
            flow(3, 8, 300),
            flow(4, 7, 1_400),
            flow(5, 6, 100),
            flow(5, 8, 200),
        ],
    })
}

fn lifecycle() -> Chart {
    let layer = |name: &str, below| Layer {
        name: name.to_owned(),
        below,
    };
    let buckets = (0..12).map(|n| Bucket {
        start: day(7 * n),
        values: vec![
            2_000.0 + 90.0 * n as f64,
            600.0 + 40.0 * (n % 3) as f64,
            250.0,
            700.0 + 30.0 * n as f64,
        ],
        open: n == 11,
    });
    Chart::Stacked(StackedBars {
        heading: heading("Lifecycle of users by week", "UTC"),
        layers: vec![
            layer("returning", false),
            layer("new", false),
            layer("resurrected", false),
            layer("dormant", true),
        ],
        buckets: buckets.collect(),
        ..StackedBars::default()
    })
}

/// What four ways of paying come to over 30 days, in a stack of this sort.
fn paid(title: &str, stack: Stack) -> Chart {
    let names = ["card", "transfer", "wallet", "voucher"];
    let layers = names.map(|name| Layer {
        name: name.to_owned(),
        below: false,
    });
    let buckets = (0..30).map(|n| Bucket {
        start: day(n),
        values: [900.0, 420.0, 260.0, 80.0]
            .map(|height| wave(n, height))
            .into(),
        open: false,
    });
    Chart::Stacked(StackedBars {
        heading: heading(title, "1 to 30 Jun 2026, UTC"),
        unit: Unit::Money("EUR".to_owned()),
        stack,
        layers: layers.into(),
        buckets: buckets.collect(),
        ..StackedBars::default()
    })
}

fn beside() -> Chart {
    let Chart::Stacked(mut chart) = paid("Paid and given back", Stack::Beside) else {
        panic!("another chart")
    };
    chart.buckets.truncate(8);
    for bucket in &mut chart.buckets {
        bucket.values[3] = -bucket.values[3];
    }
    Chart::Stacked(chart)
}

fn marked(title: &str, marks: Marks) -> Chart {
    let Chart::Line(chart) = line() else {
        panic!("another chart")
    };
    Chart::Line(LineChart {
        heading: heading(title, ""),
        marks,
        series: chart.series.into_iter().skip(2).collect(),
        ..chart
    })
}

fn pie(title: &str, ring: bool) -> Chart {
    let slice = |label: &str, value: f64| Slice {
        label: label.to_owned(),
        value,
    };
    Chart::Pie(PieChart {
        heading: heading(title, "1 to 30 Jun 2026, UTC"),
        ring,
        whole: true,
        slices: vec![
            slice("card", 6_120.0),
            slice("transfer", 1_480.0),
            slice("гаманець", 730.0),
            slice("none", 0.0),
            slice(
                "A way to pay whose name is far too long to stand beside a disc",
                51.0,
            ),
        ],
        ..PieChart::default()
    })
}

/// Half a year of days by weekday, whose cells say nothing.
fn calendar() -> Chart {
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let row = |day: usize| HeatRow {
        label: names[day].to_owned(),
        size: String::new(),
        cells: (0..26)
            .map(|week| HeatCell {
                value: Some(wave(week * 7 + day as i64, 100.0)),
                title: format!("{} of week {week}", names[day]),
                ..HeatCell::default()
            })
            .collect(),
    };
    Chart::HeatMap(HeatMap {
        heading: heading("Searches by day", ""),
        columns: (0..26).map(|week| format!("{} Jun", week + 1)).collect(),
        rows: (0..7).map(row).collect(),
        most: 350.0,
        ..HeatMap::default()
    })
}

fn tile() -> Chart {
    Chart::Tile(Tile {
        heading: heading("Active users", "last 15 minutes"),
        value: Some(1_284.0),
        change: Some(0.124),
        more_is_better: Some(true),
        series: (0..30).map(|n| Some(wave(n, 80.0))).collect(),
        ..Tile::default()
    })
}

fn all() -> Vec<(&'static str, Chart)> {
    vec![
        ("line", line()),
        ("forecast", forecast()),
        ("bars", bars()),
        ("funnel", funnel()),
        ("heatmap", heat_map()),
        ("sankey", sankey()),
        ("lifecycle", lifecycle()),
        ("areas", paid("Paid by day", Stack::Areas)),
        ("beside", beside()),
        ("tinted", marked("Active users", Marks::Areas)),
        ("points", marked("Active users", Marks::Points)),
        ("pie", pie("Bookings by way of payment", false)),
        ("ring", pie("Bookings by way of payment", true)),
        ("calendar", calendar()),
        ("tile", tile()),
    ]
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether pictures are drawn anew is said by whoever runs the test"
)]
fn writes() -> bool {
    std::env::var_os("TRAVELSENSE_GOLDEN").is_some_and(|v| v == "write")
}

#[test]
fn charts_look_as_they_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/chart/golden");
    let write = writes();
    let mut wrong = Vec::new();
    for (name, chart) in all() {
        for (theme, called) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
            let svg = chart.svg(&Look {
                theme,
                ..Look::default()
            });
            let file = folder.join(format!("{name}-{called}.svg"));
            if write {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&file, &svg).unwrap();
            }
            if fs::read_to_string(&file).ok().as_deref() != Some(&svg) {
                wrong.push(file);
            }
        }
    }
    assert!(wrong.is_empty(), "not as they were: {wrong:#?}");
}

#[test]
fn every_chart_in_every_theme_is_well_formed_and_says_what_it_is() {
    for (name, chart) in all() {
        for theme in [Theme::Light, Theme::Dark, Theme::Auto] {
            for width in [0.0, 240.0, 500.0, 5_000.0] {
                let svg = chart.svg(&Look { theme, width });
                let tree = krilla_svg_tree(&svg).unwrap_or_else(|e| panic!("{name}: {e}\n{svg}"));
                assert!(
                    tree.size().width() >= 160.0 && tree.size().height() > 60.0,
                    "{name}"
                );
                assert!(
                    svg.contains("role=\"img\"") && svg.contains("<desc>"),
                    "{name}"
                );
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
            }
        }
    }
}

fn krilla_svg_tree(svg: &str) -> std::result::Result<usvg::Tree, usvg::Error> {
    usvg::Tree::from_str(svg, &usvg::Options::default())
}

#[test]
fn text_from_outside_stays_text() {
    let mut chart = BarChart::default();
    chart.heading.title = "</title><script>alert(1)</script>\u{0}".to_owned();
    chart.bars.push(Bar {
        label: "<img src=x onerror=\"a\">&".to_owned(),
        value: Some(1.0),
        ..Bar::default()
    });
    let svg = Chart::Bars(chart).svg(&Look::default());
    assert!(!svg.contains("<script") && !svg.contains("<img"));
    krilla_svg_tree(&svg).unwrap();
}

#[test]
fn charts_of_nothing_say_so() {
    for chart in [
        Chart::Line(LineChart::default()),
        Chart::Bars(BarChart::default()),
        Chart::Funnel(FunnelChart::default()),
        Chart::HeatMap(HeatMap::default()),
        Chart::Pie(PieChart::default()),
        Chart::Sankey(Sankey::default()),
        Chart::Stacked(StackedBars::default()),
        Chart::Tile(Tile::default()),
    ] {
        krilla_svg_tree(&chart.svg(&Look::default())).unwrap();
    }
}
