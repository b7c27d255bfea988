//! An answer is a function of what is stored and what is asked (G2): not of the order of rows, of batches, or of threads, nor of
//! how much memory there is or what was saved beside the file.

use std::cell::Cell;
use std::fmt::Debug;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use travelsense::events::{Catalogue, Table};
use travelsense::timeline::{Course, Timelines};
use travelsense::warehouse::{Duckdb, Open};
use travelsense::{Analytics, Instant, Options, Principal};
use travelsense_tests::oracle::adoption::Adoption;
use travelsense_tests::oracle::engagement::Engagement;
use travelsense_tests::oracle::funnel::Funnel;
use travelsense_tests::oracle::retention::Retention;
use travelsense_tests::oracle::{Event, History, numbers};

use crate::cases::{agree, same};
use crate::generate::{NAMES, NOW};
use crate::{adoption, engagement, funnel, retention, store};

/// How many cases a word goes the whole way through a store.
const CASES: u32 = 40;

/// How many cases it goes the way through files, which takes longer.
const FILES: u32 = 10;

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
    let mut properties = event.properties.clone();
    if let Some(money) = &event.money {
        let (whole, part) = (money.amount.abs() / 10_000, money.amount.abs() % 10_000);
        let sign = if money.amount < 0 { "-" } else { "" };
        properties.insert(
            "amount".to_owned(),
            json!(format!("{sign}{whole}.{part:04}")),
        );
        properties.insert("currency".to_owned(), json!(money.currency));
    }
    json!({
        "eventId": event.id,
        "userId": event.user,
        "name": event.name,
        "ts": numbers::instant(event.ts),
        "clientSeq": event.seq,
        "properties": properties,
    })
}

/// A store of the history, sent in the order and the batches of `way`, asked in between so that timelines grow.
fn shuffled(history: &History, way: &Way, ask: impl Fn(&Analytics)) -> Analytics {
    let store = store::open(NOW, 2);
    settle(&store, history);
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
    settle(&store, history);
    store::ingest(&store, &all(history));
    store
}

fn all(history: &History) -> Vec<Value> {
    history.events.iter().map(sent).collect()
}

/// The catalogue, the profiles and the cohorts of a history.
fn settle(store: &Analytics, history: &History) {
    let mut catalogue = Catalogue {
        premium_plans: history.premium_plans.clone(),
        ..Catalogue::default()
    };
    catalogue.revenue.events = NAMES.map(str::to_owned).to_vec();
    store
        .set_catalogue(&Principal::owner(), &catalogue)
        .expect("a catalogue");
    let rows = history
        .profiles
        .iter()
        .map(|p| json!({ "userId": p.user, "ts": numbers::instant(p.at), "plan": p.plan }));
    store::import(store, Table::Profiles, &rows.collect::<Vec<_>>());
    for (name, definition) in &history.cohorts {
        store
            .create_cohort(&Principal::owner(), name, definition)
            .expect("a cohort");
    }
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
    other
        .rebuild(&Principal::owner())
        .map_err(|e| e.to_string())?;
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

/// Whether a word has the same bytes for any order, batches and threads, and the oracle's numbers.
fn pure<Q: Debug>(
    word: &'static str,
    cases: impl Strategy<Value = (History, Q)>,
    json: fn(&Q) -> Value,
    answer: fn(&Q, &History) -> Value,
) {
    agree(CASES, &(cases, way()), |((history, asked), way)| {
        let question = json(asked);
        let expected = |history: &History| answer(asked, history);
        check(history, way, &question, expected, asking(word, &question))
    });
}

#[test]
fn a_funnel_has_the_same_bytes_for_any_order_batches_and_threads() {
    let cases = prop_oneof![funnel::case(), funnel::case_of_options()];
    pure("funnel", cases, Funnel::json, Funnel::answer);
}

#[test]
fn a_retention_table_has_the_same_bytes_for_any_order_batches_and_threads() {
    let cases = retention::case().prop_map(|(history, asked)| (without_money(&history), asked));
    pure("retention", cases, Retention::json, Retention::answer);
}

// The events of these two have no properties to filter by.

#[test]
fn engagement_has_the_same_bytes_for_any_order_batches_and_threads() {
    let cases =
        engagement::case().prop_map(|(history, asked)| (history, engagement::plain(&asked)));
    pure("engagement", cases, Engagement::json, Engagement::answer);
}

#[test]
fn adoption_has_the_same_bytes_for_any_order_batches_and_threads() {
    let cases = adoption::case().prop_map(|(history, asked)| (history, adoption::plain(&asked)));
    pure("adoption", cases, Adoption::json, Adoption::answer);
}

/// Asks a store a word by its JSON form.
fn asking<'q>(
    word: &'static str,
    question: &'q Value,
) -> impl Fn(&Analytics) -> travelsense::Result<String> + 'q {
    move |store| store.ask(&Principal::owner(), word, question)
}

/// A file in which the users of a history stand in two partitions, as many others lie between them.
fn crowded(path: &Path) {
    let store = file(path, 1, None);
    let row =
        |user: String| json!({ "userId": user, "ts": "1970-01-01T00:00:00Z", "plan": "basic" });
    let crowd = (0..33_000).map(|n| row(format!("another {n}")));
    let few = |users: std::ops::Range<u32>| users.map(|n| row(n.to_string()));
    let users: Vec<Value> = few(0..3).chain(crowd).chain(few(3..6)).collect();
    store::import(&store, Table::Profiles, &users);
    store.close();
}

/// The store in a file, whose clock stands still.
fn file(path: &Path, threads: usize, memory_limit: Option<u64>) -> Analytics {
    let now = Instant::from_micros(NOW).expect("an instant");
    Analytics::open_with(Options {
        path: Some(path.to_owned()),
        threads: Some(threads),
        memory_limit,
        clock: std::sync::Arc::new(move || now),
        ..Options::default()
    })
    .expect("a store")
}

/// Saves the timelines of a file, as is done for large ones.
fn save(path: &Path) -> Result<(), String> {
    let home = Duckdb::open(&Open {
        path: Some(path.to_owned()),
        read_only: false,
        threads: None,
        memory_limit: None,
        now: Instant::default(),
    })
    .map_err(|e| e.to_string())?;
    let built = Timelines::build(&home, None, Course::default()).map_err(|e| e.to_string())?;
    match built.save(&home) {
        Ok(true) => Ok(()),
        other => Err(format!("timelines that were not saved: {other:?}")),
    }
}

/// The same bytes from memory, from timelines found beside the file, from some brought forward, and from some built piece by
/// piece for want of memory.
fn files(
    base: &Path,
    history: &History,
    (word, question): (&'static str, &Value),
    pieces: &Cell<u32>,
) -> Result<(), String> {
    let asked = asking(word, question);
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let path = folder.path().join("w.db");
    let saved = folder.path().join("w.db.timelines");
    std::fs::copy(base, &path).map_err(|e| e.to_string())?;
    let ask = |store: &Analytics| asked(store).map_err(|e| e.to_string());
    let events = all(history);
    let (first, rest) = events.split_at(events.len() / 2);
    let store = file(&path, 1, None);
    settle(&store, history);
    store::ingest(&store, first);
    store.close();
    save(&path)?;
    let store = file(&path, 2, None);
    store::ingest(&store, rest);
    let mut answers = vec![("brought forward", ask(&store)?)];
    store
        .rebuild(&Principal::owner())
        .map_err(|e| e.to_string())?;
    answers.push(("in memory", ask(&store)?));
    store.close();
    save(&path)?;
    answers.push(("found again", ask(&file(&path, 2, None))?));
    // Less than all needs to be built or mapped. Where most events are of one partition of the two, or the properties that the
    // question needs have no room, it says so.
    let little = Some(30 * events.len().max(1) as u64);
    let tight = |store: &Analytics| match asked(store) {
        Err(e) if e.code() == "memory_limit" => Ok(None),
        other => other.map(Some).map_err(|e| e.to_string()),
    };
    let found = tight(&file(&path, 1, little))?;
    answers.extend(found.map(|text| ("found again with little memory", text)));
    std::fs::remove_file(&saved).map_err(|e| e.to_string())?;
    let built = tight(&file(&path, 2, little))?;
    answers.extend(built.map(|text| ("built piece by piece", text)));
    pieces.set(pieces.get() + u32::from(saved.exists()));
    match answers.iter().find(|(_, answer)| *answer != answers[0].1) {
        None => Ok(()),
        Some((how, other)) => Err(format!("{how}:\n{other}\n{}", answers[0].1)),
    }
}

#[test]
fn g2_a_small_memory_and_a_reopened_file_change_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = folder.path().join("base.db");
    crowded(&base);
    let pieces = Cell::new(0);
    agree(
        FILES,
        &(funnel::case_of_options(), way()),
        |((history, funnel), way)| {
            let question = funnel.json();
            let history = identified(history, way);
            files(&base, &history, ("funnel", &question), &pieces)
        },
    );
    agree(
        FILES,
        &(retention::case(), way()),
        |((history, table), way)| {
            let (history, question) = (identified(history, way), table.json());
            files(&base, &history, ("retention", &question), &pieces)
        },
    );
    assert!(
        pieces.get() >= FILES / 2,
        "{pieces:?} were built piece by piece"
    );
}
