//! Paths and matrices as the peers' tests assert them.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};
use travelsense::{Analytics, Principal};

use super::{judge, meets, plain};
use crate::generate::NOW;
use crate::store;

/// A store of a case's events, each with the name of its node in the property `item`; without one it is no node.
fn furnished(case: &Value, user: &str, item: impl Fn(&Value) -> Option<String>) -> Analytics {
    let users = case["users"].as_array().cloned().unwrap_or_default();
    let filters = &case["query"]["filters"];
    let mut events = Vec::new();
    for event in case["events"].as_array().expect("events") {
        if !filters.is_null() && !meets(filters, event, &users) {
            continue;
        }
        let whose = if user == "user" {
            &event["user"]
        } else {
            &event["properties"][user]
        };
        let item = item(event);
        events.push(json!({
            "userId": plain(whose), "name": event["event"], "ts": event["time"],
            "properties": item.map_or_else(|| json!({}), |item| json!({"item": item})),
        }));
    }
    let store = store::open(NOW, 1);
    store::ingest(&store, &events);
    store
}

fn ask(store: &Analytics, question: &Value) -> Value {
    let answer = store.ask(&Principal::owner(), "journey", question);
    let answer = answer.unwrap_or_else(|e| panic!("{:?} {question}", e.field_errors()));
    serde_json::from_str(&answer).expect("JSON")
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The node that PostHog makes of an event: the page, the screen or the name, cleaned, without a slash at its end.
fn item(query: &Value, event: &Value) -> Option<String> {
    let kinds = list(&query["include"]);
    let name = text(&event["event"]);
    let (kind, said) = match name.as_str() {
        "$pageview" => ("pageview", &event["properties"]["$current_url"]),
        "$screen" => ("screen", &event["properties"]["$screen_name"]),
        _ => ("custom", &event["event"]),
    };
    if !kinds.contains(&json!(kind)) || said.is_null() {
        return None;
    }
    let mut item = plain(said);
    for rule in list(&query["cleaning"]) {
        let pattern = Regex::new(&text(&rule["regex"])).expect("a pattern");
        item = pattern
            .replace_all(&item, regex::NoExpand(&text(&rule["alias"])))
            .into_owned();
    }
    Some(without_slash(&item))
}

/// Whether a node is excluded, by its name or by that of the wildcard that it falls under; a name is taken as it stands.
fn excluded(query: &Value, item: &str) -> bool {
    let under = |wildcard: &&Value| {
        let parts: Vec<String> = plain(wildcard).split('*').map(regex::escape).collect();
        Regex::new(&parts.join(".*"))
            .expect("a pattern")
            .is_match(item)
    };
    let wildcards = list(&query["wildcards"]);
    let name = wildcards.iter().find(under).map_or(item.to_owned(), plain);
    list(&query["exclude"]).contains(&json!(name))
}

fn without_slash(item: &str) -> String {
    match item.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => item.to_owned(),
    }
}

/// The edges of PostHog's paths.
fn paths(case: &Value) -> Vec<String> {
    let query = &case["query"];
    let store = furnished(case, "user", |event| {
        item(query, event).filter(|item| !excluded(query, item))
    });
    let is = |item: &Value| {
        let value = without_slash(&plain(item));
        json!({"event": null, "where": [{"property": "item", "value": value}]})
    };
    let mut question = json!({
        "preset": "posthog", "nodeBy": "item", "maxSteps": query["max_steps"], "nodesPerStep": 100,
        "startDate": query["range"]["from"], "endDate": query["range"]["to"], "timezone": case["timezone"],
        "parts": ["sankey"],
    });
    for anchor in ["start", "end"] {
        if !query[anchor].is_null() {
            question[anchor] = is(&query[anchor]);
        }
    }
    // A wildcard may match anywhere in a name, and is then the name.
    let group =
        |wildcard: &Value| json!({"match": format!("*{}*", plain(wildcard)), "as": wildcard});
    question["rename"] = list(&query["wildcards"]).iter().map(group).collect();
    let weight = |name: &str, absent: u64| query[name].as_u64().unwrap_or(absent);
    let weights = weight("min_edge_weight", 0)..=weight("max_edge_weight", u64::MAX);
    let mut edges: BTreeMap<(u64, String, String), Value> = BTreeMap::new();
    for link in list(&ask(&store, &question)["sankey"]["links"]) {
        let of_nodes = link["source"].is_string() && link["target"].is_string();
        let fits = link["transitions"]
            .as_u64()
            .is_some_and(|n| weights.contains(&n));
        if of_nodes && fits {
            let step = link["step"].as_u64().expect("a step");
            let ends = (text(&link["source"]), text(&link["target"]));
            edges.insert((step, ends.0, ends.1), link);
        }
    }
    let expected = &case["expected"];
    let mut wrong = Vec::new();
    let wanted = list(&expected["edges"]);
    for edge in &wanted {
        let key = (
            edge["step"].as_u64().expect("a step"),
            text(&edge["source"]),
            text(&edge["target"]),
        );
        let Some(found) = edges.get(&key) else {
            wrong.push(format!("no edge {key:?} among {:?}", edges.keys()));
            continue;
        };
        for (name, mine) in [("value", "transitions"), ("avg_seconds", "meanSeconds")] {
            if edge
                .get(name)
                .is_some_and(|n| n.as_f64() != found[mine].as_f64())
            {
                wrong.push(format!(
                    "{key:?}: {mine} is {} instead of {}",
                    found[mine], edge[name]
                ));
            }
        }
    }
    let count = expected["edge_count"]
        .as_u64()
        .unwrap_or(wanted.len() as u64);
    let counted = expected["edge_count"].is_u64() || expected["complete"] == json!(true);
    if counted && edges.len() as u64 != count {
        wrong.push(format!(
            "{} edges instead of {count}: {:?}",
            edges.len(),
            edges.keys()
        ));
    }
    wrong
}

/// All there is, whatever the range.
fn everything() -> Value {
    json!({"startDate": "1990-01-01", "endDate": "2030-01-01", "limit": 1000, "nodesPerStep": 100})
}

fn label(node: &Value) -> String {
    match node["reserved"].as_str() {
        Some(reserved) => format!("path_{reserved}"),
        None => text(node),
    }
}

/// Compares a matrix with what `cell` says of its rows and columns.
fn matrix(case: &Value, cell: impl Fn(&str, usize) -> f64) -> Vec<String> {
    let expected = &case["expected"];
    let mut wrong = Vec::new();
    for (node, row) in list(&expected["nodes"])
        .iter()
        .zip(list(&expected["matrix"]))
    {
        for (column, wanted) in list(&row).iter().enumerate() {
            let (found, wanted) = (
                cell(&text(node), column),
                wanted.as_f64().expect("a number"),
            );
            if (found - wanted).abs() > 1e-12 {
                wrong.push(format!("{node} {column}: {found} instead of {wanted}"));
            }
        }
    }
    wrong
}

fn transition_matrix(case: &Value) -> Vec<String> {
    let query = &case["query"];
    let store = furnished(case, &text(&query["path_by"]), |_| None);
    let answer = ask(&store, &everything());
    let nodes = list(&case["expected"]["nodes"]);
    let number = |value: &Value| value.as_f64().expect("a number");
    let all = number(&answer["transitions"]["occurrences"]);
    let paths = number(&answer["paths"]);
    matrix(case, |from, to| {
        let to = text(&nodes[to]);
        let top = list(&answer["transitions"]["top"]);
        let same = |t: &&Value| label(&t["from"]) == from && label(&t["to"]) == to;
        let Some(found) = top.iter().find(same) else {
            return 0.0;
        };
        match query["weight"].as_str().expect("a weight") {
            "count" => number(&found["transitions"]),
            "share_of_total" => number(&found["transitions"]) / all,
            "avg_per_path" => number(&found["transitions"]) / paths,
            "proba_out" => number(&found["share"]["value"]),
            other => panic!("`{other}` is no weight of the cases"),
        }
    })
}

/// The peer has a column for the start of paths, and stays at their end when all have ended.
fn step_matrix(case: &Value) -> Vec<String> {
    let store = furnished(case, &text(&case["query"]["path_by"]), |_| None);
    let answer = ask(&store, &everything());
    let paths = answer["paths"].as_f64().expect("a number");
    let steps = answer["matrix"]["steps"].as_u64().expect("steps") as usize;
    matrix(case, |node, step| {
        if step == 0 || step > steps {
            let all_are_there = if step == 0 { "path_start" } else { "path_end" };
            return f64::from(u8::from(node == all_are_there));
        }
        let rows = list(&answer["matrix"]["rows"]);
        let row = rows.iter().find(|row| label(&row["node"]) == node);
        row.map_or(0.0, |row| {
            row["paths"][step - 1].as_f64().expect("a number") / paths
        })
    })
}

/// What comes right after a chain of events, or right before it: a sequence from, or up to, an anchor.
fn next_node(case: &Value) -> Vec<String> {
    let query = &case["query"];
    let store = furnished(case, "user", |_| None);
    let forward = query["direction"] == json!("forward");
    let chain: Vec<Value> = list(&query["conditions"])
        .iter()
        .map(|c| c["event"].clone())
        .collect();
    let anchor = if query["base"] == json!("first_match") {
        chain[0].clone()
    } else {
        json!({"event": null})
    };
    let mut question = everything();
    question["length"] = json!(chain.len() + 1);
    question["parts"] = json!(["sequences"]);
    question[if forward { "start" } else { "end" }] = anchor;
    question["occurrence"] = json!(if query["base"] == json!("tail") {
        "last"
    } else {
        "first"
    });
    let top = list(&ask(&store, &question)["sequences"]["top"]);
    let mut next: BTreeMap<String, Value> = BTreeMap::new();
    for sequence in &top {
        let mut nodes = list(&sequence["nodes"]);
        if !forward {
            nodes.reverse();
        }
        if nodes[..chain.len()] != chain[..] {
            continue;
        }
        let request = json!({"word": "journey", "question": question,
            "cell": {"cell": "sequence", "nodes": sequence["nodes"]}});
        let people = store.people(&Principal::owner(), &request).expect("people");
        for person in people.users {
            next.insert(person.user_id, nodes[chain.len()].clone());
        }
    }
    let expected = case["expected"]["next"].as_object().expect("users");
    let differs = |(user, wanted): (&String, &Value)| {
        let found = next.get(user).cloned().unwrap_or(Value::Null);
        (found != *wanted).then(|| format!("{user}: {found} instead of {wanted}"))
    };
    expected.iter().filter_map(differs).collect()
}

#[test]
fn journeys_give_the_peers_paths_and_matrices() {
    let asked = judge("paths", |case, _| {
        Some(match case["query"]["kind"].as_str().expect("a kind") {
            "paths" => paths(case),
            "transition_matrix" => transition_matrix(case),
            "step_matrix" => step_matrix(case),
            "next_node" => next_node(case),
            other => panic!("`{other}` is no kind of the cases"),
        })
    });
    assert_eq!(asked, 21, "cases");
}
