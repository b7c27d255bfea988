//! What charts say in words is what their answers say in numbers.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise"
)]

use serde_json::{Value, json};
use travelsense::chart::Chart;
use travelsense::{Analytics, Instant, Options, Principal};

fn store() -> Analytics {
    let store = Analytics::open_with(Options {
        clock: std::sync::Arc::new(|| "2026-02-01T00:00:00Z".parse::<Instant>().unwrap()),
        ..Options::default()
    })
    .unwrap();
    let event = |user: &str, name: &str, day: u32| json!({"userId": user, "name": name, "ts": format!("2026-01-{day:02}T12:00:00Z")});
    let events = json!([
        event("ada", "a", 1),
        event("ada", "b", 1),
        event("ada", "a", 31),
        event("bob", "a", 1),
        event("bob", "b", 3),
    ]);
    store.ingest(&Principal::owner(), &events).unwrap();
    store
}

fn chart(word: &str, mut question: Value) -> Chart {
    question["startDate"] = json!("2026-01-01");
    question["endDate"] = json!("2026-01-31");
    store().chart(&Principal::owner(), word, &question).unwrap()
}

fn subtitle(word: &str, question: Value) -> String {
    match chart(word, question) {
        Chart::Funnel(funnel) => funnel.heading.subtitle,
        Chart::Bars(bars) => bars.heading.subtitle,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_window_of_calendar_days_is_told_as_one() {
    let question = json!({"steps": ["a", "b"], "windowCalendarDays": 1});
    for word in ["funnel", "drop_off"] {
        let said = subtitle(word, question.clone());
        assert!(said.contains("within 1 calendar day"), "{word}: {said}");
    }
}

#[test]
fn a_sample_is_told_to_be_one() {
    let Chart::Funnel(funnel) = chart("funnel", json!({"steps": ["a", "b"], "sample": 0.5})) else {
        panic!("another chart")
    };
    let notes = funnel.heading.notes;
    assert!(
        notes.iter().any(|note| note.contains("50 % of all users")),
        "{notes:?}"
    );
}

#[test]
fn cells_have_their_figures_and_brackets_all_of_their_periods() {
    let Chart::HeatMap(map) = chart(
        "retention",
        json!({"start": "a", "analysisMetric": "retention_rate", "cohortPeriod": "daily", "maturity": "ignored", "periods": 40}),
    ) else {
        panic!("another chart")
    };
    // Ada came back on the 30th day, which is not over yet.
    let cell = map.rows.first().and_then(|row| row.cells.get(30)).unwrap();
    assert_eq!((cell.text.as_str(), cell.open), ("50.0 %", false));
    let Chart::HeatMap(map) = chart(
        "retention",
        json!({"start": "a", "analysisMetric": "retention_rate", "cohortPeriod": "daily", "criterion": "brackets", "brackets": [[1, 4], [4, 5]]}),
    ) else {
        panic!("another chart")
    };
    assert_eq!(map.columns, ["day 1–3", "day 4"]);
}

#[test]
fn paths_that_end_somewhere_flow_the_way_their_steps_are_counted() {
    for from in ["first", "last"] {
        let Chart::Sankey(sankey) = chart("journey", json!({"end": "b", "stepsFrom": from})) else {
            panic!("another chart")
        };
        let labels = |place: usize| sankey.nodes.get(place).map(|node| node.label.as_str());
        let flows: Vec<_> = sankey
            .flows
            .iter()
            .map(|f| (labels(f.from), labels(f.to)))
            .collect();
        assert!(flows.contains(&(Some("a"), Some("b"))), "{from}: {flows:?}");
    }
}
