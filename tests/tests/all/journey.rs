//! Journeys: the engine against the list of every path.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use travelsense::access::{self, Permission, Principal, Scoped};
use travelsense::journey::{self, JourneyAnswer, Who};
use travelsense::timeline::{Columns, View};
use travelsense::{Instant, Journey};
use travelsense_tests::oracle;
use travelsense_tests::oracle::History;
use travelsense_tests::oracle::numbers::instant;
use travelsense_tests::oracle::question::{Range, seconds};

use crate::cases::{CASES, LAWS, agree, same};
use crate::funnel::{Choices, furnish};
use crate::generate::{DAY, HOUR, NAMES, NOW, SECOND, scene, segment, timelines};
use crate::store;

type Case = (History, oracle::journey::Journey);

/// Histories whose events have properties, and journeys with any options that go together.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    let timeout = select(vec![0, SECOND, 60 * SECOND, HOUR, DAY]);
    timeout.prop_flat_map(|timeout| {
        (scene(timeout), segment(), vec(any::<u8>(), 220)).prop_map(
            move |((mut history, range, as_of), segment, choices)| {
                let (first, rest) = choices.split_at(40);
                furnish(&mut history, &mut Choices(rest.iter()));
                let mut question = json!({
                    "startDate": range.start.json(),
                    "endDate": range.end.json(),
                    "timezone": range.timezone,
                    "segment": segment,
                    "asOf": instant(as_of),
                });
                option(&mut question, timeout, &mut Choices(first.iter()));
                let asked = oracle::journey::Journey::read(&question, NOW);
                (history, asked)
            },
        )
    })
}

fn option(question: &mut Value, timeout: i64, choices: &mut Choices<'_>) {
    let condition = |choices: &mut Choices<'_>| {
        let event = match choices.of(6) {
            0 => Value::Null,
            1 => json!(["A", "C"]),
            _ => json!(choices.pick(&NAMES)),
        };
        if choices.one_in(3) {
            let op = choices.pick(&["is", "is_not"]);
            let value = choices.pick(&["x", "y", ""]);
            json!({"event": event, "where": [{"property": "p", "op": op, "value": value}]})
        } else if event.is_null() {
            json!({"event": null})
        } else {
            event
        }
    };
    if choices.one_in(8) {
        question["preset"] = json!("posthog");
    }
    if choices.one_in(2) {
        question["unit"] = json!("sessions");
        question["sessionTimeout"] = seconds(timeout);
    }
    if choices.one_in(2) {
        question["collapse"] = json!(true);
        question["collapsedAt"] = json!(choices.pick(&["first", "last"]));
    }
    if choices.one_in(5) {
        question["filters"] = json!([{"property": "t", "op": "is", "value": "x"}]);
    }
    if choices.one_in(4) {
        question["include"] = json!([condition(choices), condition(choices)]);
    }
    if choices.one_in(4) {
        question["exclude"] = json!([condition(choices)]);
    }
    if choices.one_in(4) {
        question["nodeBy"] =
            [json!("p"), json!("t"), json!({"user": "plan"})][choices.of(3)].clone();
    }
    if choices.one_in(4) {
        question["rename"] = json!([{"match": choices.pick(&["A", "*", "1*", "x"]), "as": choices.pick(&["B", "new"])}]);
    }
    let anchor = choices.of(4);
    if anchor > 1 {
        question[["start", "end"][anchor - 2]] = condition(choices);
        question["occurrence"] = json!(choices.pick(&["first", "last", "each"]));
    }
    if anchor != 2 && choices.one_in(3) {
        question["stepsFrom"] = json!(choices.pick(&["first", "last"]));
    }
    question["maxSteps"] = json!(1 + choices.of(6));
    question["length"] = json!(1 + choices.of(4));
    question["limit"] = json!(choices.pick(&[1, 2, 3, 50]));
    question["nodesPerStep"] = json!(1 + choices.of(4));
    if choices.one_in(2) {
        question["around"] = condition(choices);
    }
    if choices.one_in(3) {
        let parts = [
            "nodes",
            "sequences",
            "transitions",
            "sankey",
            "matrix",
            "loops",
        ];
        question["parts"] = json!([choices.pick(&parts), choices.pick(&parts)]);
    }
    if choices.one_in(3) {
        question["medians"] = json!(false);
    }
}

/// Asks the engine's timelines and columns of a history.
fn over<T>(
    history: &History,
    question: &Value,
    ask: impl Fn(&Scoped<&Journey>, &View<'_>) -> travelsense::Result<T>,
) -> Result<T, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    let asked =
        Journey::parse(question, now).map_err(|e| format!("{:?} {question}", e.field_errors()))?;
    let as_of = asked.as_of.unwrap_or(now);
    let (timelines, premium) = timelines(history, &Range::read(question), as_of.micros());
    let property = |name: &str| {
        let value = |e: &oracle::Event| e.properties.get(name).map(ToString::to_string);
        (name.to_owned(), history.events.iter().map(value).collect())
    };
    let plans = history.profiles.iter().filter_map(|p| {
        let plan = json!(p.plan.as_ref()?).to_string();
        Some((p.user.parse::<u32>().ok()?, p.at, plan))
    });
    let columns = Columns::given(
        [property("p"), property("t")],
        [("plan".to_owned(), plans.collect())],
        Vec::new(),
    );
    let view = View {
        premium: &premium,
        columns: &columns,
        ..View::new(&timelines, as_of)
    };
    let scoped = access::grant(&Principal::owner(), Permission::ReadAnalytics, &asked)
        .map_err(|e| e.to_string())?;
    ask(&scoped, &view).map_err(|e| e.to_string())
}

pub(crate) fn ask_engine(history: &History, question: &Value) -> Result<JourneyAnswer, String> {
    over(history, question, journey::answer)
}

/// What the events of a history say, for whoever repeats a case by hand.
fn said(history: &History) -> String {
    let events = history.events.iter();
    let said = events.map(|e| format!("{} {}\n", e.name, json!(e.properties)));
    said.collect()
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_journeys() {
    agree(CASES, &case(), |(history, journey)| {
        let answer = ask_engine(history, &journey.question)?;
        same(
            &journey.answer(history),
            &answer,
            &journey.question,
            history,
        )
        .map_err(|e| format!("{e}{}", said(history)))
    });
}

/// The cells of an answer, and how many users each counts.
fn cells(answer: &Value) -> Vec<(u64, Value)> {
    let mut cells = vec![(answer["users"].clone(), json!({"cell": "users"}))];
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    for node in list(&answer["nodes"]["top"]) {
        cells.push((
            node["users"].clone(),
            json!({"cell": "node", "node": node["node"]}),
        ));
    }
    for (name, one) in [
        ("sequences", "other_sequences"),
        ("transitions", "other_transitions"),
    ] {
        let of = &answer[name];
        if of.is_object() {
            cells.push((of["users"].clone(), json!({"cell": name})));
            cells.push((of["other"]["users"].clone(), json!({"cell": one})));
        }
        for item in list(&of["top"]) {
            let cell = if name == "sequences" {
                json!({"cell": "sequence", "nodes": item["nodes"]})
            } else {
                json!({"cell": "transition", "from": item["from"], "to": item["to"]})
            };
            cells.push((item["users"].clone(), cell));
        }
    }
    for column in list(&answer["sankey"]["columns"]) {
        for node in list(&column["nodes"]) {
            let cell = json!({"cell": "step", "step": column["step"], "node": node["node"]});
            cells.push((node["users"].clone(), cell));
        }
    }
    for link in list(&answer["sankey"]["links"]) {
        let cell = json!({"cell": "link", "step": link["step"], "source": link["source"], "target": link["target"]});
        cells.push((link["users"].clone(), cell));
    }
    for row in list(&answer["matrix"]["rows"]) {
        for (step, users) in (1..).zip(list(&row["users"])) {
            cells.push((
                users,
                json!({"cell": "matrix", "step": step, "node": row["node"]}),
            ));
        }
    }
    let around = &answer["around"];
    if around.is_object() {
        cells.push((around["users"].clone(), json!({"cell": "around"})));
    }
    for side in ["previous", "next"] {
        for node in list(&around[side]) {
            cells.push((
                node["users"].clone(),
                json!({"cell": side, "node": node["node"]}),
            ));
        }
    }
    for node in list(&answer["loops"]["top"]) {
        for (cell, users) in [("self_loop", "selfUsers"), ("return", "returnUsers")] {
            cells.push((
                node[users].clone(),
                json!({"cell": cell, "node": node["node"]}),
            ));
        }
    }
    let number = |(n, cell): (Value, Value)| (n.as_u64().unwrap_or(u64::MAX), cell);
    cells.into_iter().map(number).collect()
}

#[test]
fn the_people_behind_a_number_are_as_many_as_it_says() {
    agree(LAWS, &case(), |(history, journey)| {
        let question = &journey.question;
        let answer = ask_engine(history, question)?;
        let answer = serde_json::to_value(answer).map_err(|e| e.to_string())?;
        for (n, cell) in cells(&answer) {
            let list = over(history, question, |asked, view| {
                journey::people(asked, view, &Who::parse(&cell)?)
            })?;
            let expected: Vec<u32> = journey
                .people(history, &cell)
                .iter()
                .filter_map(|u| u.parse().ok())
                .collect();
            if list != expected || list.len() as u64 != n {
                return Err(format!(
                    "{cell}: {list:?} instead of {expected:?}, which are {n}\n{question}\n{answer}\n{}",
                    said(history)
                ));
            }
        }
        Ok(())
    });
}

#[test]
fn what_comes_in_at_a_node_of_a_step_goes_out_or_ends_or_is_cut() {
    agree(LAWS, &case(), |(history, journey)| {
        let mut question = journey.question.clone();
        question["parts"] = json!(["sankey", "matrix"]);
        let answer = ask_engine(history, &question)?;
        let sankey = answer.sankey.as_ref().ok_or("no sankey")?;
        let backwards = answer.switches.steps_from == journey::StepsFrom::Last;
        for column in &sankey.columns {
            for node in &column.nodes {
                let here = sankey.links.iter();
                let out: u64 = here
                    .clone()
                    .filter(|l| l.step == column.step && l.source == node.node)
                    .map(|l| l.transitions)
                    .sum();
                let before = if backwards {
                    column.step + 1
                } else {
                    column.step - 1
                };
                let into: u64 = here
                    .filter(|l| l.step == before && l.target == node.node)
                    .map(|l| l.transitions)
                    .sum();
                if [out, into] != [node.paths; 2] {
                    return Err(format!("{into} in and {out} out at {node:?} of {answer:?}"));
                }
            }
        }
        let matrix = answer.matrix.as_ref().ok_or("no matrix")?;
        for step in 0..matrix.steps {
            let all: u64 = matrix.rows.iter().map(|row| row.paths[step]).sum();
            if all != answer.paths {
                return Err(format!("{all} of {} paths at step {step}", answer.paths));
            }
        }
        Ok(())
    });
}

#[test]
fn collapsing_drops_self_loops_and_keeps_their_events() {
    agree(LAWS, &case(), |(history, journey)| {
        let ask = |collapse: bool| {
            let mut question = journey.question.clone();
            for name in [
                "collapsedAt",
                "start",
                "end",
                "occurrence",
                "preset",
                "stepsFrom",
            ] {
                question.as_object_mut().map(|q| q.remove(name));
            }
            question["collapse"] = json!(collapse);
            question["parts"] = json!(["nodes", "loops"]);
            question["limit"] = json!(1000);
            ask_engine(history, &question)
        };
        let (each, collapsed) = (ask(false)?, ask(true)?);
        let nodes = |a: &JourneyAnswer| a.nodes.clone().ok_or("no nodes");
        let loops = |a: &JourneyAnswer| a.loops.clone().ok_or("no loops");
        if loops(&collapsed)?.top.iter().any(|l| l.self_loops > 0) {
            return Err("a self loop was left".to_owned());
        }
        for node in nodes(&each)?.top {
            let after = nodes(&collapsed)?;
            let after = after.top.iter().find(|n| n.node == node.node);
            let after = after.ok_or("a node was lost")?;
            let own = loops(&each)?;
            let own = own.top.iter().find(|l| l.node == node.node);
            let own = own.map_or(0, |l| l.self_loops);
            let kept = (after.users, after.events, after.occurrences, after.ends);
            if kept != (node.users, node.events, node.occurrences - own, node.ends) {
                return Err(format!("{node:?} became {after:?}"));
            }
        }
        Ok(())
    });
}

#[test]
fn a_pause_no_session_has_makes_the_sessions_of_a_user_one() {
    agree(LAWS, &case(), |(history, journey)| {
        let ask = |unit: &str| {
            let mut question = journey.question.clone();
            question["unit"] = json!(unit);
            question["sessionTimeout"] = json!("36500d");
            if unit == "users" {
                question.as_object_mut().map(|q| q.remove("sessionTimeout"));
            }
            let answer = ask_engine(history, &question)?;
            serde_json::to_value(answer).map_err(|e| e.to_string())
        };
        let (mut users, mut sessions) = (ask("users")?, ask("sessions")?);
        for answer in [&mut users, &mut sessions] {
            for name in ["_id", "resultHash", "switches"] {
                answer.as_object_mut().map(|a| a.remove(name));
            }
        }
        if users != sessions {
            return Err(format!("{users}\n{sessions}\n{}", journey.question));
        }
        Ok(())
    });
}

#[test]
fn a_journey_has_the_same_bytes_for_any_order_batches_and_threads() {
    let way = (any::<u64>(), 1_usize..30, 1_usize..5);
    agree(
        50,
        &(case(), way),
        |((history, journey), (order, batch, threads))| {
            let sent = |e: &oracle::Event| json!({"userId": e.user, "name": e.name, "ts": instant(e.ts), "clientSeq": e.seq, "properties": e.properties});
            let mut events: Vec<Value> = history.events.iter().map(sent).collect();
            let ask = |events: &[Value], batch: usize, threads: usize| {
                let store = store::open(NOW, threads);
                for batch in events.chunks(batch) {
                    store::ingest(&store, batch);
                    // Asked in between, timelines grow instead of being built.
                    store
                        .ask(&Principal::owner(), "journey", &journey.question)
                        .expect("an answer");
                }
                store
                    .ask(&Principal::owner(), "journey", &journey.question)
                    .map_err(|e| e.to_string())
            };
            let answer = ask(&events, events.len().max(1), 1)?;
            let mixed = |i: usize| {
                (i as u64)
                    .wrapping_add(*order)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            };
            let mut shuffled: Vec<(u64, Value)> = (0..).map(mixed).zip(events.drain(..)).collect();
            shuffled.sort_by_key(|e| e.0);
            let shuffled: Vec<Value> = shuffled.into_iter().map(|e| e.1).collect();
            let again = ask(&shuffled, *batch, *threads)?;
            if answer != again {
                return Err(format!("two answers that differ:\n{answer}\n{again}"));
            }
            Ok(())
        },
    );
}

#[test]
fn what_is_likely_next_is_told_of_nodes_and_sequences() {
    let store = store::open(NOW, 2);
    let paths: [&[&str]; 3] = [&["a", "b"], &["a", "b"], &["a"]];
    let mut events = Vec::new();
    for (user, path) in paths.iter().enumerate() {
        for (step, name) in path.iter().enumerate() {
            let ts = instant(NOW - 2 * DAY + step as i64 * HOUR);
            events.push(json!({"userId": format!("u{user}"), "name": name, "ts": ts}));
        }
    }
    store::ingest(&store, &events);
    let mut question = json!({
        "startDate": instant(NOW - 3 * DAY), "endDate": instant(NOW - DAY), "length": 2,
        "parts": ["nodes", "sequences"],
    });
    let ask = |question: &Value| -> Value {
        let said = store.ask(&Principal::owner(), "journey", question);
        serde_json::from_str(&said.expect("an answer")).expect("JSON")
    };
    assert!(ask(&question)["nodes"]["top"][0].get("next").is_none());
    question["nextActions"] = json!(2);
    let told = ask(&question);
    let chance = |of: &Value, node: Value| {
        let next = of["next"].as_array().expect("chances");
        let found = next.iter().find(|n| n["node"] == node);
        found.map(|n| n["probability"].as_f64().expect("a number"))
    };
    let close = |a: Option<f64>, b: f64| a.is_some_and(|a| (a - b).abs() < 1e-12);
    // Witten and Bell's, by hand: a came three times, b twice, and three paths ended.
    let (b, end) = ((2.0 + 0.75) / 11.0, (3.0 + 0.75) / 11.0);
    let (b_of_a, end_of_a) = ((2.0 + 2.0 * b) / 5.0, (1.0 + 2.0 * end) / 5.0);
    let end_of_b = (2.0 + end) / 3.0;
    let node = |name: &str| {
        let mut nodes = told["nodes"]["top"].as_array().expect("nodes").iter();
        nodes.find(|n| n["node"] == name).expect("a node")
    };
    let ends = || json!({"reserved": "end"});
    assert!(close(chance(node("a"), json!("b")), b_of_a), "{told}");
    assert!(close(chance(node("a"), ends()), end_of_a));
    assert!(close(chance(node("b"), ends()), end_of_b));
    let sequence = &told["sequences"]["top"][0];
    assert_eq!(sequence["nodes"], json!(["a", "b"]));
    assert!(close(chance(sequence, ends()), (2.0 + end_of_b) / 3.0));
}
