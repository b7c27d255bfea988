//! Somebody's profile: the engine against a look at every event, of users that are one and devices that turned out to be theirs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use travelsense::{Analytics, Principal};
use travelsense_tests::oracle::identity::{self, Mark};
use travelsense_tests::oracle::{Event, Profile, numbers};
use travelsense_tests::vector::Vector;

use crate::cases::agree;
use crate::generate::{NAMES, NOW, SECOND};
use crate::store;

const CASES: u32 = 30;
const USERS: u8 = 5;
const DEVICES: u8 = 3;

/// An event: a user or none, a device or none, a name, a minute.
type Happened = (Option<u8>, Option<u8>, u8, u8);

/// What happened to whom: events at minutes of their own, what devices turned out to be, and who is one.
#[derive(Clone, Debug)]
struct Case {
    events: Vec<Happened>,
    aliases: Vec<(u8, Option<u8>, u8)>,
    merges: BTreeMap<u8, u8>,
    as_of: Option<u8>,
    only: Option<u8>,
    limit: usize,
}

fn case() -> impl Strategy<Value = Case> {
    let user = || 0..USERS;
    let event = (
        proptest::option::weighted(0.6, user()),
        proptest::option::weighted(0.6, 0..DEVICES),
        0_u8..3,
    );
    let minutes = Just((0_u8..30).collect::<Vec<_>>()).prop_shuffle();
    let alias = (
        0..DEVICES,
        proptest::option::weighted(0.8, user()),
        0_u8..30,
    );
    (
        (vec(event, 1..16), minutes),
        vec(alias, 0..3),
        proptest::collection::btree_map(user(), user(), 0..3),
        proptest::option::weighted(0.3, 0_u8..30),
        proptest::option::weighted(0.4, 0_u8..4),
        1_usize..5,
    )
        .prop_map(
            |((events, minutes), aliases, merges, as_of, only, limit)| Case {
                events: events
                    .into_iter()
                    .zip(minutes)
                    .map(|((who, on, name), at)| (who, on, name, at))
                    .collect(),
                aliases,
                merges: merges.into_iter().filter(|(a, b)| a != b).collect(),
                as_of,
                only,
                limit,
            },
        )
}

fn at(minute: u8) -> i64 {
    1_700_000_000 * SECOND + i64::from(minute) * 60 * SECOND
}

fn user(n: u8) -> String {
    format!("u{n}")
}

fn device(n: u8) -> String {
    format!("d{n}")
}

impl Case {
    /// As rows, of which a store and the oracle's history are made.
    fn vector(&self) -> Vector {
        let event = |(i, (who, on, name, minute)): (usize, &Happened)| {
            json!({
                "eventId": format!("e{i}"), "userId": who.map(user), "anonymousId": on.map(device), "ts": numbers::instant(at(*minute)),
                "name": NAMES[usize::from(*name)], "properties": {"i": i},
            })
        };
        let alias = |(on, who, minute): &(u8, Option<u8>, u8)| json!({"anonymousId": device(*on), "userId": who.map(user), "ts": numbers::instant(at(*minute))});
        let merge = |(one, other): (&u8, &u8)| json!({"mergedUserId": user(*one), "userId": user(*other), "ts": numbers::instant(at(0))});
        let vector = json!({
            "rule": "I5", "why": "", "now": numbers::instant(NOW), "question": {},
            "events": self.events.iter().enumerate().map(event).collect::<Vec<_>>(),
            "aliases": self.aliases.iter().map(alias).collect::<Vec<_>>(),
            "merges": self.merges.iter().map(merge).collect::<Vec<_>>(),
        });
        serde_json::from_value(vector).expect("a vector")
    }

    /// What is known of devices, by aliases and by events with both ids.
    fn marks(&self) -> Vec<Mark> {
        let both = self
            .events
            .iter()
            .filter_map(|(who, on, _, minute)| Some(((*on)?, Some((*who)?), *minute)));
        let all = self.aliases.iter().copied().chain(both);
        all.map(|(on, who, minute)| Mark {
            device: device(on),
            user: who.map(user),
            at: at(minute),
        })
        .collect()
    }

    /// Every event with whoever it counts for, and of each user who that is: the oldest, by what came with an id of their own.
    fn counted(&self) -> (Vec<Event>, BTreeMap<String, String>) {
        let apart = Vector {
            merges: Vec::new(),
            ..self.vector()
        };
        let mut events = apart.history(&[]).events;
        let mut history = apart.history(&[]);
        let own: Vec<bool> = self.events.iter().map(|(who, ..)| who.is_some()).collect();
        let mut own = own.into_iter();
        history.events.retain(|_| own.next().unwrap_or_default());
        history.profiles = (0..USERS)
            .map(|n| Profile {
                user: user(n),
                plan: None,
                at: 0,
            })
            .collect();
        let merges: Vec<_> = self
            .merges
            .iter()
            .map(|(a, b)| (user(*a), user(*b)))
            .collect();
        identity::merge(&mut history, &merges);
        let who = history.profiles.iter().enumerate();
        let is: BTreeMap<String, String> =
            who.map(|(n, p)| (user(n as u8), p.user.clone())).collect();
        for user in events.iter_mut().filter_map(|e| e.user.as_mut()) {
            if let Some(one) = is.get(user) {
                user.clone_from(one);
            }
        }
        (events, is)
    }

    /// All ids that rows speak of.
    fn known(&self) -> BTreeSet<(String, bool)> {
        let events = self.events.iter().flat_map(|(who, on, ..)| {
            [who.map(|n| (user(n), false)), on.map(|n| (device(n), true))]
        });
        let aliases = self
            .aliases
            .iter()
            .flat_map(|(on, who, _)| [who.map(|n| (user(n), false)), Some((device(*on), true))]);
        let merges = self
            .merges
            .iter()
            .flat_map(|(a, b)| [Some((user(*a), false)), Some((user(*b), false))]);
        events.chain(aliases).chain(merges).flatten().collect()
    }
}

/// What a profile says of all pages, and that each page says the same of the whole.
fn pages(
    store: &Analytics,
    case: &Case,
    id: &str,
    anonymous: bool,
) -> Result<Option<Value>, String> {
    let mut whole: Option<Value> = None;
    let mut events = Vec::new();
    loop {
        let mut asked =
            json!({"anonymous": anonymous, "limit": case.limit, "offset": events.len()});
        if let Some(minute) = case.as_of {
            asked["asOf"] = numbers::instant(at(minute)).into();
        }
        if let Some(name) = case.only {
            asked["name"] = NAMES[usize::from(name)].into();
        }
        let page = match store.profile(&Principal::owner(), id, &asked) {
            Ok(page) => serde_json::to_value(page).map_err(|e| e.to_string())?,
            Err(e) if e.code() == "not_found" => return Ok(None),
            Err(e) => return Err(e.to_string()),
        };
        let shown = page["events"].as_array().expect("a list").clone();
        if page["offset"] != json!(events.len()) || shown.len() > case.limit {
            return Err(format!("another page than asked for: {page}"));
        }
        events.extend(shown);
        let more = page["hasMore"] == json!(true);
        let mut said = page;
        for name in ["events", "offset", "hasMore"] {
            said.as_object_mut().expect("an object").remove(name);
        }
        if whole.as_ref().is_some_and(|whole| *whole != said) {
            return Err(format!("{said} on one page, {whole:?} on another"));
        }
        whole = Some(said);
        if !more {
            break;
        }
    }
    let mut whole = whole.unwrap_or_default();
    whole["events"] = events.into();
    Ok(Some(whole))
}

/// The same, counted event by event.
fn expected(case: &Case, id: &str, anonymous: bool) -> Option<Value> {
    if !case.known().contains(&(id.to_owned(), anonymous)) {
        return None;
    }
    let (events, is) = case.counted();
    let marks = case.marks();
    let (who, mut ids) = if anonymous {
        let mut theirs: Vec<(bool, String)> = vec![(true, id.to_owned())];
        let marked = marks.iter().filter(|m| m.device == id);
        theirs.extend(marked.filter_map(|m| Some((false, m.user.clone()?))));
        (format!("device {id}"), theirs)
    } else {
        let who = is[id].clone();
        let one = |user: &str| is[user] == who;
        let users = case.known().into_iter().filter(|(id, d)| !d && one(id));
        let mut theirs: Vec<(bool, String)> = users.map(|(id, d)| (d, id)).collect();
        let marked = marks.iter().filter(|m| m.user.as_deref().is_some_and(one));
        theirs.extend(marked.map(|m| (true, m.device.clone())));
        (who, theirs)
    };
    ids.sort();
    ids.dedup();
    let until = case.as_of.map_or(NOW, at);
    let mut theirs: Vec<&Event> = events
        .iter()
        .filter(|e| e.user.as_deref() == Some(&who) && e.ts <= until)
        .collect();
    theirs.sort_by_key(|e| std::cmp::Reverse(e.ts));
    let mut names: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &theirs {
        *names.entry(&event.name).or_default() += 1;
    }
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let only = case.only.map(|n| NAMES[usize::from(n)]);
    let shown: Vec<Value> = theirs
        .iter()
        .filter(|e| only.is_none_or(|only| e.name == only))
        .map(|e| {
            json!({
                "ts": numbers::instant(e.ts), "name": e.name, "eventId": e.id, "sessionId": null, "amount": null, "currency": null,
                "properties": e.properties,
            })
        })
        .collect();
    let person = json!({
        "userId": if anonymous { id } else { &who }, "anonymous": anonymous, "events": theirs.len(), "plan": null, "properties": null,
        "firstSeen": theirs.last().map(|e| numbers::instant(e.ts)), "lastSeen": theirs.first().map(|e| numbers::instant(e.ts)),
    });
    Some(json!({
        "person": person,
        "ids": ids.iter().map(|(d, id)| json!({"id": id, "anonymous": d})).collect::<Vec<_>>(),
        "names": names.iter().map(|(name, n)| json!({"name": name, "events": n})).collect::<Vec<_>>(),
        "total": shown.len(),
        "events": shown,
        "asOf": numbers::instant(until),
    }))
}

#[test]
fn i5_a_profile_has_every_event_of_all_who_are_one_the_latest_first() {
    agree(CASES, &case(), |case| {
        let (store, _) = store::of(&case.vector());
        let users = (0..USERS).map(|n| (user(n), false));
        for (id, anonymous) in users.chain((0..DEVICES).map(|n| (device(n), true))) {
            let (said, counted) = (
                pages(&store, case, &id, anonymous)?,
                expected(case, &id, anonymous),
            );
            if said != counted {
                return Err(format!(
                    "{id}:\n{said:?}\ninstead of\n{counted:?}\n{case:?}"
                ));
            }
        }
        Ok(())
    });
}

#[test]
fn who_is_forgotten_has_no_profile_not_even_without_an_id() {
    let store = store::open(NOW, 2);
    let event = |user: &str| json!({"userId": user, "name": "A", "ts": numbers::instant(at(0))});
    store::ingest(&store, &[event("u1"), event("u2")]);
    let owner = Principal::owner();
    store
        .erase(&owner, &["u1"])
        .expect("one who may be forgotten");
    let of = |id: &str| store.profile(&owner, id, &json!({}));
    for id in ["u1", ""] {
        assert_eq!(of(id).expect_err("nobody").code(), "not_found", "{id:?}");
    }
    assert_eq!(of("u2").expect("a profile").total, 1);
}
