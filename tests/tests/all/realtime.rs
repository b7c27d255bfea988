//! Real-time figures: the engine's SQL against filtering a list.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use travelsense::Principal;
use travelsense::events::Table;
use travelsense_tests::oracle::money::{Money, Rate};
use travelsense_tests::oracle::realtime::{METRICS, Realtime};
use travelsense_tests::oracle::{Event, History, numbers};

use crate::cases::{agree_together, same};
use crate::generate::SECOND;
use crate::store;

const NAMES: [&str; 6] = [
    "page_view",
    "complete_booking",
    "error",
    "payment",
    "refund",
    "search",
];

/// The events and users of names and of lists of the catalogue.
const OTHERS: [&str; 6] = [
    "events:search",
    "users:search",
    "events:$revenue",
    "users:$conversions",
    "users:$features",
    "events:never",
];

/// All that can be asked for.
fn all() -> Vec<String> {
    let all = METRICS.iter().chain(&OTHERS);
    all.map(|name| (*name).to_owned()).collect()
}

fn metric() -> impl Strategy<Value = String> {
    select(all())
}

/// The events of a case lie within three hours around its `asOf`.
fn case() -> impl Strategy<Value = (History, Realtime)> {
    let currency = || prop_oneof![3 => Just("EUR"), 1 => Just("USD"), 1 => Just("JPY")];
    let event = (
        proptest::option::weighted(0.85, 0_u8..6),
        select(NAMES.as_slice()),
        // How long before `asOf`: whole windows, parts of series, a microsecond more or less.
        prop_oneof![
            3 => (0_i64..8, select(vec![300_i64, 900, 3_600])).prop_map(|(n, s)| n * s),
            3 => (0_i64..30, select(vec![30_i64, 60, 300])).prop_map(|(n, s)| n * s),
            2 => -60_i64..7_300,
        ],
        -1_i64..=1,
        (currency(), -2_000_000_i64..5_000_000),
    );
    let question = (
        // Most of all that there is, in any order and some of it twice: a statement costs the same whatever is asked of it.
        prop_oneof![
            1 => vec(metric(), 0..4),
            19 => (Just(all()).prop_shuffle(), 9..=all().len(), vec(metric(), 0..2)).prop_map(
                |(mut some, most, twice)| {
                    some.truncate(most);
                    some.extend(twice);
                    some
                },
            ),
        ],
        0_usize..8,
        5_i64..=300,
        // Around midnight, where the day of a rate changes, and to the microsecond.
        (
            0_i64..3,
            prop_oneof![
                Just(0),
                Just(1),
                Just(-1),
                -7_200_000_000..7_200_000_000_i64
            ],
        ),
    );
    (vec(event, 0..=60), question).prop_map(|(drafts, (metrics, range, refresh, (day, off)))| {
        let as_of = 1_709_251_200 * SECOND + day * 86_400 * SECOND + off;
        let mut history = History {
            rates: rates(),
            ..History::default()
        };
        for (user, name, ago, more, (currency, amount)) in drafts {
            let money = Money {
                amount: i128::from(amount),
                currency: currency.to_owned(),
            };
            history.events.push(Event {
                user: user.map(|u| u.to_string()),
                name: name.to_owned(),
                ts: as_of - ago * SECOND + more,
                money: (name == "payment" || name == "refund").then_some(money),
                ..Event::default()
            });
        }
        let metrics = if metrics.is_empty() {
            METRICS.map(str::to_owned).to_vec()
        } else {
            metrics
        };
        (
            history,
            Realtime {
                metrics,
                range,
                refresh,
                as_of,
            },
        )
    })
}

fn rates() -> Vec<Rate> {
    let rate = |currency: &str, day: &str, rate| Rate {
        currency: currency.to_owned(),
        day: day.parse().expect("a date"),
        rate,
    };
    vec![
        rate("USD", "2024-02-28", 92_345_678),
        rate("USD", "2024-03-01", 91_000_001),
        rate("USD", "2024-03-02", 110_000_000),
        rate("JPY", "2023-12-31", 615_432),
        rate("JPY", "2024-03-03", 625_000),
    ]
}

fn sent(event: &Event) -> Value {
    let properties = event.money.as_ref().map(|m| {
        let sign = if m.amount < 0 { "-" } else { "" };
        let digits = m.amount.abs();
        let text = format!("{sign}{}.{:04}", digits / 10_000, digits % 10_000);
        json!({ "amount": text, "currency": m.currency })
    });
    json!({
        "userId": event.user,
        "name": event.name,
        "ts": numbers::instant(event.ts),
        "properties": properties,
    })
}

/// So many cases share a store, each in a year of its own: what is older than two windows or later than `asOf` is not
/// seen, so that a case is judged alone, and opening a store for each would take minutes.
const TOGETHER: u32 = 250;

/// A year is of 366 days here; the rates of later years are those of the first, moved with it.
const DAYS: i64 = 366;

/// Later than all those years.
const LAST: i64 = 253_000_000_000 * SECOND;

/// The case in a later year.
fn moved(case: &(History, Realtime), years: i64) -> (History, Realtime) {
    let (mut history, mut question) = case.clone();
    let later = years * DAYS * 86_400 * SECOND;
    question.as_of += later;
    history.events.iter_mut().for_each(|e| e.ts += later);
    for rate in &mut history.rates {
        rate.day += chrono::TimeDelta::days(DAYS * years);
    }
    (history, question)
}

fn check(cases: &[(History, Realtime)]) -> Result<(), (usize, String)> {
    let cases: Vec<(History, Realtime)> = (0..)
        .zip(cases)
        .map(|(year, case)| moved(case, year))
        .collect();
    let store = store::open(LAST, 1);
    let rates = cases
        .iter()
        .flat_map(|(history, _)| &history.rates)
        .map(|rate| {
            let digits = format!("{}.{:08}", rate.rate / 100_000_000, rate.rate % 100_000_000);
            json!({ "currency": rate.currency, "day": rate.day.to_string(), "rate": digits })
        });
    store::import(&store, Table::Rates, &rates.collect::<Vec<_>>());
    let events = cases
        .iter()
        .flat_map(|(history, _)| &history.events)
        .map(sent);
    let report = store::ingest(&store, &events.collect::<Vec<_>>());
    if report.refused > 0 {
        return Err((0, format!("{} events were refused", report.refused)));
    }
    for (i, (history, question)) in cases.iter().enumerate() {
        let asked = question.json();
        store
            .realtime_json(&Principal::owner(), &asked)
            .map_err(|e| e.to_string())
            .and_then(|answer| same(&question.answer(history), &answer, &asked, history))
            .map_err(|difference| (i, difference))?;
    }
    Ok(())
}

/// So many questions, each a statement of the engine; they ask for more than ten figures on average, so that more than 10,000 are
/// compared, each with the window before and its parts.
const QUESTIONS: u32 = 1_000;

#[test]
fn the_engine_agrees_with_the_oracle_on_random_realtime_figures() {
    agree_together(QUESTIONS, TOGETHER, &case(), check);
}
