//! The numbers, each counted from the list of all paths.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::History;
use super::super::condition::{Condition, normal, property};
use super::super::numbers::{instant, quantiles, rate};
use super::super::question::seconds;
use super::asked::Asked;
use super::paths::{Node, Path, Paths};

/// One thing that happened: to whom, and how long it took, where it took any time.
type Happened = Vec<(String, Option<i64>)>;

/// What happened, by what it was.
type By<K> = BTreeMap<K, Happened>;

pub(super) struct Answer<'a, 'h> {
    asked: &'a Asked,
    paths: &'a Paths<'h>,
    nodes: By<Node>,
    transitions: By<(Node, Node)>,
    sequences: By<Vec<Node>>,
    /// For each step the nodes shown.
    by_step: BTreeMap<usize, Vec<Node>>,
    rows: Vec<Node>,
}

fn users(happened: &Happened) -> BTreeSet<String> {
    happened.iter().map(|h| h.0.clone()).collect()
}

fn mean(happened: &Happened) -> Value {
    let times: Vec<i64> = happened.iter().filter_map(|h| h.1).collect();
    let sum: i128 = times.iter().map(|t| i128::from(*t)).sum();
    if times.is_empty() {
        Value::Null
    } else {
        json!(sum as f64 / times.len() as f64 / 1e6)
    }
}

/// Those with most of `by`, then in their own order.
fn top<K: Ord + Clone>(of: &By<K>, by: impl Fn(&Happened) -> usize, limit: usize) -> Vec<K> {
    let mut keys: Vec<&K> = of.keys().collect();
    keys.sort_by_key(|k| std::cmp::Reverse(by(&of[*k])));
    keys.into_iter().take(limit).cloned().collect()
}

fn all<'k, K: Ord + 'k>(of: &By<K>, keys: impl Iterator<Item = &'k K>) -> Happened {
    keys.flat_map(|k| of[k].clone()).collect()
}

/// Each transition of a path with the time between.
fn transitions(path: &Path<'_>) -> Vec<(Node, Node, Option<i64>)> {
    let mut places: Vec<(Node, Option<i64>)> = vec![(path.left.clone(), None)];
    places.extend(path.items.iter().map(|i| (i.node.clone(), Some(i.ts))));
    places.push((path.right.clone(), None));
    let pairs = places.windows(2);
    pairs
        .map(|pair| {
            let time = pair[0].1.zip(pair[1].1).map(|(a, b)| b - a);
            (pair[0].0.clone(), pair[1].0.clone(), time)
        })
        .collect()
}

impl<'a, 'h> Answer<'a, 'h> {
    pub(super) fn new(asked: &'a Asked, paths: &'a Paths<'h>) -> Self {
        let (mut nodes, mut between, mut sequences) = (By::new(), By::new(), By::new());
        for path in &paths.whole {
            for item in &path.items {
                let happened: &mut Happened = nodes.entry(item.node.clone()).or_default();
                happened.push((path.user.clone(), None));
            }
            for (from, to, time) in transitions(path) {
                let happened: &mut Happened = between.entry((from, to)).or_default();
                happened.push((path.user.clone(), time));
            }
        }
        for (user, items) in &paths.sequences {
            let names = items.iter().map(|i| i.node.clone()).collect();
            let happened: &mut Happened = sequences.entry(names).or_default();
            happened.push((user.clone(), Some(items[items.len() - 1].ts - items[0].ts)));
        }
        let rows = top(&nodes, |h| users(h).len(), asked.nodes_per_step);
        let mut answer = Self {
            asked,
            paths,
            nodes,
            transitions: between,
            sequences,
            by_step: BTreeMap::new(),
            rows,
        };
        for step in 1..=asked.max_steps {
            let mut here: By<Node> = By::new();
            for path in &paths.cut {
                for item in path
                    .items
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| answer.step(path, *i) == step)
                {
                    here.entry(item.1.node.clone())
                        .or_default()
                        .push((path.user.clone(), None));
                }
            }
            let shown = top(&here, |h| users(h).len(), asked.nodes_per_step);
            answer.by_step.insert(step, shown);
        }
        answer
    }

    /// The step of the i-th node of a path.
    fn step(&self, path: &Path<'_>, i: usize) -> usize {
        if self.asked.steps_from == "last" {
            path.items.len() - i
        } else {
            i + 1
        }
    }

    /// What a node at a step is shown as.
    fn shown(&self, step: usize, node: &Node) -> Node {
        if !node.named() || self.by_step[&step].contains(node) {
            node.clone()
        } else {
            Node::Other
        }
    }

    fn columns(&self) -> By<(usize, Node)> {
        let mut columns: By<(usize, Node)> = By::new();
        for path in &self.paths.cut {
            for (i, item) in path.items.iter().enumerate() {
                let step = self.step(path, i);
                columns
                    .entry((step, self.shown(step, &item.node)))
                    .or_default()
                    .push((path.user.clone(), None));
            }
        }
        columns
    }

    fn links(&self) -> By<(usize, Node, Node)> {
        let mut links: By<(usize, Node, Node)> = By::new();
        let backwards = self.asked.steps_from == "last";
        for path in &self.paths.cut {
            let n = path.items.len();
            // The k-th transition comes from the node before the k-th one.
            for (k, (from, to, time)) in transitions(path).into_iter().enumerate() {
                let source = if backwards { n + 1 - k } else { k };
                let target = if backwards { n - k } else { k + 1 };
                let from = self.shown(source, &from);
                let to = self.shown(target, &to);
                links
                    .entry((source, from, to))
                    .or_default()
                    .push((path.user.clone(), time));
            }
        }
        links
    }

    fn matrix(&self) -> By<(usize, Node)> {
        let mut matrix: By<(usize, Node)> = By::new();
        let longest = self
            .paths
            .cut
            .iter()
            .map(|p| p.items.len())
            .max()
            .unwrap_or(0);
        for path in &self.paths.cut {
            for step in 1..=longest {
                let at = (0..path.items.len()).find(|i| self.step(path, *i) == step);
                let node = match at {
                    Some(i) if self.rows.contains(&path.items[i].node) => {
                        path.items[i].node.clone()
                    }
                    Some(_) => Node::Other,
                    None if self.asked.steps_from == "last" => path.left.clone(),
                    None => path.right.clone(),
                };
                matrix
                    .entry((step, node))
                    .or_default()
                    .push((path.user.clone(), None));
            }
        }
        matrix
    }

    /// What comes before and after each node that has an event.
    fn neighbours(&self, history: &History, of: &Condition) -> [By<Node>; 2] {
        let (mut before, mut after) = (By::new(), By::new());
        for path in &self.paths.whole {
            let between = transitions(path);
            for (i, item) in path.items.iter().enumerate() {
                let has = |e: &&super::super::Event| of.means(history, e, self.asked.as_of);
                if !item.events.iter().any(has) {
                    continue;
                }
                let (from, _, time) = &between[i];
                let happened: &mut Happened = before.entry(from.clone()).or_default();
                happened.push((path.user.clone(), *time));
                let (_, to, time) = &between[i + 1];
                let happened: &mut Happened = after.entry(to.clone()).or_default();
                happened.push((path.user.clone(), *time));
            }
        }
        [before, after]
    }

    /// By node, the returns to it: whether it is a self loop, how many transitions it took, and how long.
    fn loops(&self) -> BTreeMap<Node, Vec<(String, usize, i64)>> {
        let mut loops: BTreeMap<Node, Vec<(String, usize, i64)>> = BTreeMap::new();
        for path in &self.paths.whole {
            for (i, item) in path.items.iter().enumerate() {
                let same = |j: &usize| path.items[*j].node == item.node;
                if let Some(j) = (0..i).rev().find(same) {
                    let back = (path.user.clone(), i - j, item.ts - path.items[j].ts);
                    loops.entry(item.node.clone()).or_default().push(back);
                }
            }
        }
        loops
    }

    pub(super) fn json(&self, history: &History) -> Value {
        let asked = self.asked;
        let (from, to) = asked.range.span();
        let walkers: BTreeSet<&String> = self.paths.cut.iter().map(|p| &p.user).collect();
        let events: usize = self
            .paths
            .whole
            .iter()
            .flat_map(|p| &p.items)
            .map(|i| i.events.len())
            .sum();
        let mut answer = Map::new();
        let mut say = |name: &str, value: Value| answer.insert(name.to_owned(), value);
        say("users", json!(walkers.len()));
        say("paths", json!(self.paths.cut.len()));
        say("events", json!(events));
        if asked.wants("nodes") {
            say("nodes", self.nodes_json());
        }
        if asked.wants("sequences") {
            say("sequences", self.sequences_json());
        }
        if asked.wants("transitions") {
            say("transitions", self.transitions_json());
        }
        if asked.wants("sankey") {
            say("sankey", self.sankey_json());
        }
        if asked.wants("matrix") {
            say("matrix", self.matrix_json());
        }
        if let Some(event) = &asked.around {
            say("around", self.around_json(history, event));
        }
        if asked.wants("loops") {
            say("loops", self.loops_json());
        }
        say(
            "unattributedEvents",
            json!(history.unattributed(asked.as_of)),
        );
        say("startDate", json!(instant(from)));
        say("endDate", json!(instant(to)));
        say("timezone", json!(asked.range.timezone));
        say("segment", json!(asked.segment));
        say("asOf", json!(instant(asked.as_of)));
        say("preset", json!(asked.preset));
        say("switches", switches(asked));
        Value::Object(answer)
    }

    fn nodes_json(&self) -> Value {
        let shown = top(&self.nodes, |h| users(h).len(), self.asked.limit);
        let times = |from: &Node, to: &Node| {
            let key = (from.clone(), to.clone());
            self.transitions.get(&key).map_or(0, Vec::len)
        };
        let node = |node: &Node| {
            let happened = &self.nodes[node];
            let items = self.paths.whole.iter().flat_map(|p| &p.items);
            let events: usize = items
                .filter(|i| i.node == *node)
                .map(|i| i.events.len())
                .sum();
            let ends = times(node, &Node::End);
            json!({
                "node": node.json(),
                "users": users(happened).len(),
                "occurrences": happened.len(),
                "events": events,
                "starts": times(&Node::Start, node),
                "ends": ends,
                "truncated": times(node, &Node::Truncated),
                "dropOff": rate(ends as u64, happened.len() as u64),
            })
        };
        json!({
            "distinct": self.nodes.len(),
            "truncated": self.nodes.len() > shown.len(),
            "top": shown.iter().map(node).collect::<Vec<_>>(),
        })
    }

    fn median(&self, happened: &Happened) -> Value {
        let times: Vec<i64> = happened.iter().filter_map(|h| h.1).collect();
        if self.asked.medians {
            quantiles(&times)["median"].clone()
        } else {
            Value::Null
        }
    }

    fn sequences_json(&self) -> Value {
        let every = all(&self.sequences, self.sequences.keys());
        let shown = top(&self.sequences, Vec::len, self.asked.limit);
        let hidden = all(
            &self.sequences,
            self.sequences.keys().filter(|k| !shown.contains(k)),
        );
        let sequence = |nodes: &Vec<Node>| {
            let happened = &self.sequences[nodes];
            json!({
                "nodes": nodes.iter().map(Node::json).collect::<Vec<_>>(),
                "users": users(happened).len(),
                "occurrences": happened.len(),
                "share": rate(happened.len() as u64, every.len() as u64),
                "meanSeconds": mean(happened),
                "medianSeconds": self.median(happened),
            })
        };
        json!({
            "length": self.asked.length,
            "distinct": self.sequences.len(),
            "users": users(&every).len(),
            "occurrences": every.len(),
            "truncated": self.sequences.len() > shown.len(),
            "top": shown.iter().map(sequence).collect::<Vec<_>>(),
            "other": { "users": users(&hidden).len(), "occurrences": hidden.len() },
        })
    }

    fn transitions_json(&self) -> Value {
        let every = all(&self.transitions, self.transitions.keys());
        let shown = top(&self.transitions, Vec::len, self.asked.limit);
        let hidden = all(
            &self.transitions,
            self.transitions.keys().filter(|k| !shown.contains(k)),
        );
        let transition = |key: &(Node, Node)| {
            let happened = &self.transitions[key];
            let outgoing = all(
                &self.transitions,
                self.transitions.keys().filter(|k| k.0 == key.0),
            );
            json!({
                "from": key.0.json(),
                "to": key.1.json(),
                "users": users(happened).len(),
                "transitions": happened.len(),
                "share": rate(happened.len() as u64, outgoing.len() as u64),
                "meanSeconds": mean(happened),
                "medianSeconds": self.median(happened),
            })
        };
        json!({
            "distinct": self.transitions.len(),
            "users": users(&every).len(),
            "occurrences": every.len(),
            "truncated": self.transitions.len() > shown.len(),
            "top": shown.iter().map(transition).collect::<Vec<_>>(),
            "other": { "users": users(&hidden).len(), "occurrences": hidden.len() },
        })
    }

    fn sankey_json(&self) -> Value {
        let counted = self.columns();
        let steps: BTreeSet<usize> = counted.keys().map(|k| k.0).collect();
        let column = |step: &usize| {
            let mut here: Vec<(&Node, &Happened)> = counted
                .iter()
                .filter(|(k, _)| k.0 == *step)
                .map(|(k, h)| (&k.1, h))
                .collect();
            here.sort_by_key(|(node, h)| {
                (**node == Node::Other, std::cmp::Reverse(users(h).len()))
            });
            let node = |(node, happened): &(&Node, &Happened)| {
                json!({
                    "node": node.json(),
                    "users": users(happened).len(),
                    "paths": happened.len(),
                    "share": rate(happened.len() as u64, self.paths.cut.len() as u64),
                })
            };
            json!({ "step": step, "nodes": here.iter().map(node).collect::<Vec<_>>() })
        };
        let links = self.links();
        let link = |(key, happened): (&(usize, Node, Node), &Happened)| {
            json!({
                "step": key.0,
                "source": key.1.json(),
                "target": key.2.json(),
                "users": users(happened).len(),
                "transitions": happened.len(),
                "meanSeconds": mean(happened),
            })
        };
        json!({
            "columns": steps.iter().map(column).collect::<Vec<_>>(),
            "links": links.iter().map(link).collect::<Vec<_>>(),
        })
    }

    fn matrix_json(&self) -> Value {
        let matrix = self.matrix();
        let steps = matrix.keys().map(|k| k.0).max().unwrap_or(0);
        let reserved = [Node::Other, Node::Start, Node::End, Node::Truncated];
        let rows = self.rows.iter().chain(&reserved);
        let rows = rows.filter(|row| matrix.keys().any(|k| k.1 == **row));
        let row = |node: &Node| {
            let none = Happened::new();
            let at = |step: usize| matrix.get(&(step, node.clone())).unwrap_or(&none);
            json!({
                "node": node.json(),
                "paths": (1..=steps).map(|s| at(s).len()).collect::<Vec<_>>(),
                "users": (1..=steps).map(|s| users(at(s)).len()).collect::<Vec<_>>(),
            })
        };
        json!({ "steps": steps, "rows": rows.map(row).collect::<Vec<_>>() })
    }

    fn around_json(&self, history: &History, event: &Condition) -> Value {
        let [before, after] = self.neighbours(history, event);
        let every = all(&after, after.keys());
        let side = |of: &By<Node>| {
            let shown = top(of, Vec::len, self.asked.limit);
            let neighbour = |node: &Node| {
                let happened = &of[node];
                json!({
                    "node": node.json(),
                    "users": users(happened).len(),
                    "occurrences": happened.len(),
                    "share": rate(happened.len() as u64, every.len() as u64),
                    "meanSeconds": mean(happened),
                })
            };
            shown.iter().map(neighbour).collect::<Vec<_>>()
        };
        json!({
            "event": event.json(),
            "users": users(&every).len(),
            "occurrences": every.len(),
            "previous": side(&before),
            "next": side(&after),
            "truncated": before.len().max(after.len()) > self.asked.limit,
        })
    }

    fn loops_json(&self) -> Value {
        let loops = self.loops();
        let mut nodes: Vec<&Node> = loops.keys().collect();
        nodes.sort_by_key(|n| std::cmp::Reverse(loops[*n].len()));
        let of = |node: &&Node| {
            let (own, back): (Vec<_>, Vec<_>) = loops[*node].iter().partition(|b| b.1 == 1);
            let people = |of: &[&(String, usize, i64)]| {
                of.iter().map(|b| &b.0).collect::<BTreeSet<_>>().len()
            };
            let average = |sum: f64| (!back.is_empty()).then(|| sum / back.len() as f64);
            json!({
                "node": node.json(),
                "selfUsers": people(&own),
                "selfLoops": own.len(),
                "returnUsers": people(&back),
                "returns": back.len(),
                "meanSteps": average(back.iter().map(|b| b.1 as f64).sum()),
                "meanSeconds": average(back.iter().map(|b| b.2).sum::<i64>() as f64).map(|m| m / 1e6),
            })
        };
        let shown: Vec<Value> = nodes.iter().take(self.asked.limit).map(of).collect();
        json!({
            "distinct": nodes.len(),
            "truncated": nodes.len() > shown.len(),
            "top": shown,
        })
    }

    /// The users of a cell.
    pub(super) fn people(&self, history: &History, cell: &Value) -> BTreeSet<String> {
        let node = |name: &str| Node::read(&cell[name]);
        let step = || cell["step"].as_u64().expect("a step") as usize;
        let of = |happened: Option<&Happened>| happened.map(users).unwrap_or_default();
        let walkers = |cells: &By<(usize, Node)>| of(cells.get(&(step(), node("node"))));
        let returns = |own: bool| {
            let loops = self.loops();
            let backs = loops.get(&node("node")).cloned().unwrap_or_default();
            let met = backs.into_iter().filter(|b| (b.1 == 1) == own);
            met.map(|b| b.0).collect()
        };
        let around = || {
            let event = self.asked.around.as_ref().expect("an event");
            self.neighbours(history, event)
        };
        match cell["cell"].as_str().expect("a cell") {
            "users" => self.paths.cut.iter().map(|p| p.user.clone()).collect(),
            "node" => of(self.nodes.get(&node("node"))),
            "transitions" => users(&all(&self.transitions, self.transitions.keys())),
            "transition" => of(self.transitions.get(&(node("from"), node("to")))),
            "other_transitions" => {
                let shown = top(&self.transitions, Vec::len, self.asked.limit);
                let rest = self.transitions.keys().filter(|k| !shown.contains(k));
                users(&all(&self.transitions, rest))
            }
            "sequences" => users(&all(&self.sequences, self.sequences.keys())),
            "sequence" => {
                let nodes = cell["nodes"].as_array().expect("nodes");
                of(self
                    .sequences
                    .get(&nodes.iter().map(Node::read).collect::<Vec<_>>()))
            }
            "other_sequences" => {
                let shown = top(&self.sequences, Vec::len, self.asked.limit);
                let rest = self.sequences.keys().filter(|k| !shown.contains(k));
                users(&all(&self.sequences, rest))
            }
            "step" => walkers(&self.columns()),
            "link" => of(self.links().get(&(step(), node("source"), node("target")))),
            "matrix" => walkers(&self.matrix()),
            "around" => users(&all(&around()[1], around()[1].keys())),
            "previous" => of(around()[0].get(&node("node"))),
            "next" => of(around()[1].get(&node("node"))),
            "self_loop" => returns(true),
            "return" => returns(false),
            other => panic!("`{other}` is no cell that the oracle knows"),
        }
    }
}

fn switches(asked: &Asked) -> Value {
    let conditions = |of: &[Condition]| of.iter().map(Condition::json).collect::<Vec<_>>();
    let rename = |(pattern, name): &(String, String)| json!({ "match": pattern, "as": name });
    let anchored = asked.start.is_some() || asked.end.is_some();
    json!({
        "unit": if asked.sessions { "sessions" } else { "users" },
        "sessionTimeout": asked.sessions.then(|| seconds(asked.session_timeout)),
        "filters": normal(&asked.filters),
        "include": conditions(&asked.include),
        "exclude": conditions(&asked.exclude),
        "nodeBy": asked.node_by.as_ref().map(property),
        "rename": asked.rename.iter().map(rename).collect::<Vec<_>>(),
        "collapse": asked.collapse,
        "collapsedAt": asked.collapse.then_some(&asked.collapsed_at),
        "start": asked.start.as_ref().map(Condition::json),
        "end": asked.end.as_ref().map(Condition::json),
        "occurrence": anchored.then_some(&asked.occurrence),
        "maxSteps": asked.max_steps,
        "stepsFrom": asked.steps_from,
        "nodesPerStep": asked.nodes_per_step,
        "limit": asked.limit,
    })
}
