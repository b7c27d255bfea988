//! An answer is a function of what is stored and what is asked (G2): not of the order of rows, of batches, or of threads.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use travelsense::events::Table;
use travelsense::{Analytics, Principal};
use travelsense_tests::oracle::{Event, History, numbers};

use crate::cases::{agree, same};
use crate::generate::NOW;
use crate::{adoption, engagement, funnel, retention, store};

/// How many cases a word goes the whole way through a store.
const CASES: u32 = 200;

/// What differs between two stores of the same events.
#[derive(Clone, Debug)]
struct Way {
    /// Where each event goes: the events are sent in the order of these numbers.
    order: Vec<u32>,
    /// How many events a batch has.
    batch: usize,
    /// Which events have no user, no counter, or no place of their own among ties but by their id.
    masks: [u64; 2],
    /// Whether all is sent once more.
    twice: bool,
}

fn way() -> impl Strategy<Value = Way> {
    (
        vec(any::<u32>(), 60),
        8_usize..40,
        any::<u64>(),
        any::<u64>(),
        any::<bool>(),
    )
        .prop_map(|(order, batch, nobody, by_id, twice)| Way {
            order,
            batch,
            // One event in eight has no user, half have no counter.
            masks: [
                nobody & nobody.rotate_left(13) & nobody.rotate_left(29),
                by_id,
            ],
            twice,
        })
}

/// The history with an id for every event, some events without a user, and some without a counter.
fn identified(history: &History, way: &Way) -> History {
    let mut history = history.clone();
    for (i, event) in history.events.iter_mut().enumerate() {
        let bit = |mask: u64| mask >> (i % 64) & 1 == 1;
        // The lowest digits of the id come from the order, so that ids and rows are ordered differently.
        let digits = u128::from(way.order[i % way.order.len()]) << 64 | i as u128;
        event.id = Some(uuid(digits));
        event.seq = event.seq.filter(|_| !bit(way.masks[1])).map(|seq| seq / 3);
        event.user = event.user.take().filter(|_| !bit(way.masks[0]));
    }
    history
}

fn uuid(n: u128) -> String {
    let hex = format!("{n:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

fn sent(event: &Event) -> Value {
    json!({
        "eventId": event.id,
        "userId": event.user,
        "name": event.name,
        "ts": numbers::instant(event.ts),
        "clientSeq": event.seq,
        "properties": event.properties,
    })
}

/// A store of the history, sent in the order and the batches of `way`, asked in between so that timelines grow.
fn shuffled(history: &History, way: &Way, ask: impl Fn(&Analytics)) -> Analytics {
    let store = store::open(NOW, 2);
    profiles(&store, history);
    let mut events: Vec<(u32, &Event)> = history
        .events
        .iter()
        .enumerate()
        .map(|(i, event)| {
            (
                way.order[i % way.order.len()].wrapping_mul(i as u32 | 1),
                event,
            )
        })
        .collect();
    events.sort_by_key(|e| e.0);
    let events: Vec<Value> = events.into_iter().map(|(_, event)| sent(event)).collect();
    for batch in events.chunks(way.batch) {
        store::ingest(&store, batch);
        ask(&store);
    }
    if way.twice {
        let report = store::ingest(&store, &events);
        assert_eq!(
            (report.accepted, report.conflicts),
            (0, 0),
            "the same events again"
        );
    }
    store
}

/// A store of the history in one batch and one thread.
pub(crate) fn sorted(history: &History) -> Analytics {
    let store = store::open(NOW, 1);
    profiles(&store, history);
    store::ingest(&store, &history.events.iter().map(sent).collect::<Vec<_>>());
    store
}

fn profiles(store: &Analytics, history: &History) {
    // The oracle's `gold` is the catalogue's `premium`.
    let plan = |plan: Option<&str>| {
        if plan == Some("gold") {
            "premium"
        } else {
            "basic"
        }
    };
    let rows = history.profiles.iter().map(|p| {
        json!({ "userId": p.user, "ts": numbers::instant(p.at), "plan": plan(p.plan.as_deref()) })
    });
    store::import(store, Table::Profiles, &rows.collect::<Vec<_>>());
}

/// Both stores give the same bytes, and those the oracle's numbers.
fn check(
    history: &History,
    way: &Way,
    question: &Value,
    expected: impl Fn(&History) -> Value,
    ask: impl Fn(&Analytics) -> travelsense::Result<String>,
) -> Result<(), String> {
    let history = identified(history, way);
    let answer = ask(&sorted(&history)).map_err(|e| e.to_string())?;
    let other = shuffled(&history, way, |store| {
        ask(store).expect("an answer");
    });
    let read: Value = serde_json::from_str(&answer).map_err(|e| e.to_string())?;
    same(&expected(&history), &read, question, &history)?;
    let again = ask(&other).map_err(|e| e.to_string())?;
    other.rebuild().map_err(|e| e.to_string())?;
    let rebuilt = ask(&other).map_err(|e| e.to_string())?;
    if answer != again || answer != rebuilt {
        return Err(format!(
            "three answers that differ:\n{answer}\n{again}\n{rebuilt}"
        ));
    }
    Ok(())
}

/// Events of the cases' names carry no money in a store, whatever the cases say.
fn without_money(history: &History) -> History {
    let mut history = history.clone();
    for event in &mut history.events {
        event.money = None;
    }
    history
}

fn text<T: serde::Serialize>(answer: &T) -> String {
    serde_json::to_string(answer).expect("an answer is JSON")
}

#[test]
fn a_funnel_has_the_same_bytes_for_any_order_batches_and_threads() {
    agree(
        CASES,
        &(funnel::case(), way()),
        |((history, funnel), way)| {
            let question = funnel.json();
            let ask = |store: &Analytics| {
                store
                    .funnel_json(&Principal::owner(), &question)
                    .map(|a| text(&a))
            };
            check(
                history,
                way,
                &question,
                |history| funnel.answer(history),
                ask,
            )
        },
    );
}

#[test]
fn a_retention_table_has_the_same_bytes_for_any_order_batches_and_threads() {
    agree(
        CASES,
        &(retention::case(), way()),
        |((history, table), way)| {
            let question = table.json();
            let ask = |store: &Analytics| {
                store
                    .retention_json(&Principal::owner(), &question)
                    .map(|a| text(&a))
            };
            check(
                &without_money(history),
                way,
                &question,
                |history| table.answer(history),
                ask,
            )
        },
    );
}

#[test]
fn engagement_has_the_same_bytes_for_any_order_batches_and_threads() {
    agree(
        CASES,
        &(engagement::case(), way()),
        |((history, asked), way)| {
            // These events have no properties to filter by.
            let asked = engagement::plain(asked);
            let question = asked.json();
            let ask = |store: &Analytics| {
                store
                    .engagement_json(&Principal::owner(), &question)
                    .map(|a| text(&a))
            };
            check(
                history,
                way,
                &question,
                |history| asked.answer(history),
                ask,
            )
        },
    );
}

#[test]
fn adoption_has_the_same_bytes_for_any_order_batches_and_threads() {
    agree(
        CASES,
        &(adoption::case(), way()),
        |((history, asked), way)| {
            // These events have no properties to filter by.
            let asked = adoption::plain(asked);
            let question = asked.json();
            let ask = |store: &Analytics| {
                store
                    .adoption_json(&Principal::owner(), &question)
                    .map(|a| text(&a))
            };
            check(
                history,
                way,
                &question,
                |history| asked.answer(history),
                ask,
            )
        },
    );
}
