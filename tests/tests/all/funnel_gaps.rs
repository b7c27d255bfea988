//! Funnels over few events of few times, where ties, gaps and steps that overlap meet: the engine against the enumeration of every chain.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use travelsense_tests::oracle::funnel::Funnel;
use travelsense_tests::oracle::numbers::instant;
use travelsense_tests::oracle::{Event, History};

use crate::cases::{CASES, agree, same};
use crate::funnel::{Choices, ask_engine, furnish};
use crate::generate::{DAY, HOUR, NAMES, NOW, SECOND};

/// Steps that overlap in every way, with gaps, exclusions and optional steps, over few events of few times: what needs a search.
pub(crate) fn case_of_overlaps() -> impl Strategy<Value = (History, Funnel)> {
    let event = (0_usize..4, select(vec![0, 0, 0, 1, 1, 2, 5]));
    (vec(event, 1..=8), vec(any::<u8>(), 120)).prop_map(|(drafts, choices)| {
        let choices = &mut Choices(choices.iter());
        let start = NOW - 10 * DAY;
        let mut ts = start;
        let mut history = History::default();
        for (i, (name, after)) in (0..).zip(drafts) {
            ts += after * SECOND;
            history.events.push(Event {
                user: Some("1".to_owned()),
                name: NAMES[name].to_owned(),
                ts,
                seq: Some(i),
                ..Event::default()
            });
        }
        let strict = choices.one_in(6);
        let increase = choices.one_in(8);
        let grace = if strict || increase {
            0
        } else {
            [0, 0, 0, 0, 1, 2][choices.of(6)]
        };
        let mut required = vec![1];
        let steps: Vec<Value> = (0..2 + choices.of(5))
            .map(|k| {
                let events = [
                    json!(null),
                    json!(["A", "B"]),
                    json!(["B", "C"]),
                    json!(null),
                    json!("A"),
                    json!("B"),
                ];
                let mut step = json!({"event": events[choices.of(6)]});
                if k == 0 {
                    return step;
                }
                if choices.one_in(3) {
                    step["optional"] = json!(true);
                } else {
                    required.push(k + 1);
                }
                let least = [0, 0, 0, 0, 1, 2][choices.of(6)];
                if least > 0 {
                    step["minGap"] = json!(least);
                }
                let most = [-1, -1, 0, 1, 2, 5][choices.of(6)];
                if most >= least {
                    step["maxGap"] = json!(most);
                }
                step
            })
            .collect();
        let mut exclusions = Vec::new();
        for _ in 0..[0, 0, 1, 1, 2][choices.of(5)] {
            let (a, b) = (choices.of(required.len()), choices.of(required.len()));
            if a != b {
                let event = choices.pick(&["A", "B", "C", "D"]);
                exclusions.push(
                    json!({"event": event, "from": required[a.min(b)], "to": required[a.max(b)]}),
                );
            }
        }
        let date = |days: i64| instant(start + days * DAY);
        let window = choices.pick(&[3, 5, 10, 60]);
        let order = if strict { "strict" } else { "ordered" };
        let mut question = json!({
            "steps": steps, "exclusions": exclusions, "window": window, "grace": grace,
            "order": order, "strictIncrease": increase,
            "entry": choices.pick(&["earliest", "earliest", "latest"]),
            "timed": "reached", "startDate": date(-1), "endDate": date(5), "asOf": instant(NOW),
        });
        if choices.one_in(4) {
            question["unit"] = json!("totals");
            question["totals"] = json!(choices.pick(&["attempts", "every_entry"]));
        } else if choices.one_in(2) {
            question["exclusionMode"] = json!("remove_user");
        }
        for k in 1..steps.len() {
            if choices.one_in(3) {
                question["timeBetween"] = json!([k, k + 1]);
            }
        }
        (history, Funnel::read(&question, &[], NOW))
    })
}

/// Plain funnels with gaps: no event can fill two steps, and users have many events of few times.
fn case_of_gaps() -> impl Strategy<Value = (History, Funnel)> {
    let event = (0_usize..6, 0_usize..7);
    let user = vec(event, 1..=14);
    (vec(user, 1..=3), vec(any::<u8>(), 260)).prop_map(|(users, choices)| {
        let (first, rest) = choices.split_at(60);
        let choices = &mut Choices(first.iter());
        let unit = choices.pick(&[SECOND, SECOND, 6 * HOUR]);
        let start = NOW - 10 * DAY;
        let steps = 2 + choices.of(3);
        let mut history = History::default();
        for (user, drafts) in users.into_iter().enumerate() {
            let mut ts = start;
            for (i, (name, after)) in (0..).zip(drafts) {
                ts += [0, 0, 1, 1, 2, 3, 5][after] * unit;
                // Most events are of the steps there are.
                let name = [0, 1, 2, 3, 1, 2][name] % if i % 3 == 0 { 4 } else { steps };
                history.events.push(Event {
                    user: Some(user.to_string()),
                    name: NAMES[name].to_owned(),
                    ts,
                    seq: Some(i),
                    ..Event::default()
                });
            }
        }
        let mut names = NAMES.to_vec();
        let steps: Vec<Value> = (0..steps)
            .map(|k| {
                let name = names.remove(choices.of(if k % 2 == 0 { 1 } else { names.len() }));
                let mut step = json!({"event": name});
                if choices.one_in(8) {
                    step["where"] = json!([{"property": "p", "op": "is_not", "value": "x"}]);
                }
                if k == 0 {
                    return step;
                }
                let least = [0, 0, 0, 1, 2, 4][choices.of(6)];
                if least > 0 {
                    step["minGap"] = json!(least * unit / SECOND);
                }
                let most = [-1, 0, 1, 2, 3, 6][choices.of(6)];
                if most >= least {
                    step["maxGap"] = json!(most * unit / SECOND);
                }
                step
            })
            .collect();
        let last = steps.len();
        let window = choices.pick(&[4, 7, 12, 60]);
        let (from, to) = (choices.pick(&[-1, -1, 0, 1]), choices.pick(&[2, 5, 5, 9]));
        let date = |days: i64| instant(start + days * DAY);
        let as_of = choices.pick(&[NOW, NOW, start + DAY, start + 20 * SECOND]);
        let mut question = json!({
            "steps": steps, "window": window * unit / SECOND, "timed": choices.pick(&["converters", "reached"]),
            "startDate": date(from), "endDate": date(to), "asOf": instant(as_of),
        });
        let k = 1 + choices.of(last - 1);
        if choices.one_in(2) {
            question["timeBetween"] = json!([k, k + 1]);
        }
        if choices.one_in(3) {
            question["trend"] = json!(choices.pick(&["daily", "weekly"]));
        }
        if choices.one_in(3) {
            let by = choices.pick(&["entry", "step", "last", "first", "each"]);
            question["breakdown"] = json!({"property": "p", "by": by, "limit": 2});
            if by == "step" {
                question["breakdown"]["step"] = json!(k);
            }
        }
        question["revenue"] = json!(choices.one_in(4));
        furnish(&mut history, &mut Choices(rest.iter()));
        (history, Funnel::read(&question, &[], NOW))
    })
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_funnels_whose_steps_overlap() {
    agree(CASES, &case_of_overlaps(), |(history, funnel)| {
        let answer = ask_engine(history, funnel)?;
        same(&funnel.answer(history), &answer, &funnel.json(), history)
    });
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_funnels_with_gaps() {
    agree(CASES, &case_of_gaps(), |(history, funnel)| {
        let answer = ask_engine(history, funnel)?;
        same(&funnel.answer(history), &answer, &funnel.json(), history)
    });
}
