//! Funnels: the engine against the enumeration of every chain.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use travelsense::access::{self, Permission, Principal, Scoped};
use travelsense::cohort::{self, Definition};
use travelsense::funnel::{FunnelAnswer, Who};
use travelsense::timeline::{Columns, View};
use travelsense::{Instant, funnel};
use travelsense_tests::oracle::History;
use travelsense_tests::oracle::funnel::{Funnel, Who as Whom};
use travelsense_tests::oracle::money::Money;
use travelsense_tests::oracle::numbers::instant;
use travelsense_tests::oracle::question::{micros, seconds};

use crate::cases::{CASES, LAWS, agree, same};
use crate::generate::{DAY, HOUR, NAMES, NOW, SECOND, scene, segment, selector, timelines};

/// Histories and plain funnels: steps in order inside a window, by users.
pub(crate) fn case() -> impl Strategy<Value = (History, Funnel)> {
    let window = prop_oneof![
        8 => select(vec![0, 1, SECOND, 60 * SECOND, HOUR, DAY, 7 * DAY]),
        1 => 0..3 * DAY,
    ];
    let steps = prop_oneof![
        8 => vec(selector(), 1..=4),
        2 => vec(selector(), 5..=6),
        // Equal steps, which need distinct rows.
        2 => (selector(), 2_usize..=5).prop_map(|(s, n)| vec![s; n]),
    ];
    (window, steps).prop_flat_map(|(window, steps)| {
        let last = steps.len();
        let pair = (1..=last, 1..=last).prop_map(|(a, b)| (a < b).then_some((a, b)));
        (scene(window), segment(), any::<bool>(), pair).prop_map(
            move |((history, range, as_of), segment, strict_increase, time_between)| {
                let mut question = json!({
                    "steps": steps.iter().map(|s| s.json()).collect::<Vec<_>>(),
                    "window": seconds(window),
                    "startDate": range.start.json(),
                    "endDate": range.end.json(),
                    "timezone": range.timezone,
                    "segment": segment,
                    "strictIncrease": strict_increase,
                    "asOf": instant(as_of),
                });
                if let Some((from, to)) = time_between {
                    question["timeBetween"] = json!([from, to]);
                }
                (history, Funnel::read(&question, &[], NOW))
            },
        )
    })
}

/// Choices, one after the other; a choice of 0 is what stands where nothing is said.
pub(crate) struct Choices<'c>(pub(crate) std::slice::Iter<'c, u8>);

impl Choices<'_> {
    pub(crate) fn of(&mut self, n: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % n
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.of(among.len())]
    }

    /// One in so many.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.of(n) == n - 1
    }
}

/// Gives events properties and amounts.
pub(crate) fn furnish(history: &mut History, choices: &mut Choices<'_>) {
    let members: Vec<String> = (0..6)
        .filter(|_| choices.one_in(2))
        .map(|u| u.to_string())
        .collect();
    let listed = ("c".to_owned(), json!({"users": members}));
    let who = |at: &str| json!([{"property": {"user": "plan", "at": at}, "value": "gold"}]);
    let did = [
        json!({"did": "A", "atLeast": 2}),
        json!({"did": "A", "last": choices.pick(&[1, 60, 86_400])}),
        json!({"did": ["A", "B"], "atLeast": 0, "atMost": 1}),
        json!({"did": {"event": "A", "where": [{"property": "p", "op": "is_not", "value": "x"}]}}),
        json!({"did": {"event": null, "where": who("as_of")}, "atLeast": 2}),
        json!({"did": {"event": "B", "where": who("at_event")}}),
        json!({"profile": [{"property": {"user": "plan"}, "value": "gold"}]}),
        json!({"all": [{"did": "A"}, {"not": {"did": "B"}}]}),
        json!({"any": [{"not": {"did": "A", "last": 60}}, {"users": ["1", "2"]}]}),
    ];
    let did = ("d".to_owned(), did[choices.of(9)].clone());
    // Some change their plan in the middle of it.
    let middle = history.events.len() / 2;
    if let Some(at) = history.events.get(middle).map(|e| e.ts) {
        let changing: Vec<i32> = (0..6).filter(|_| choices.one_in(3)).collect();
        for user in changing {
            let plan = choices.pick(&["gold", "basic"]).to_owned();
            let user = user.to_string();
            let plan = Some(plan);
            history
                .profiles
                .push(travelsense_tests::oracle::Profile { user, plan, at });
        }
    }
    history.cohorts = [listed, did].into_iter().collect();
    let values = [
        json!(null),
        json!("x"),
        json!("y"),
        json!(""),
        json!(10),
        json!("10"),
    ];
    for event in &mut history.events {
        for (name, n) in [("p", 6), ("t", 3)] {
            let value = values[choices.of(n)].clone();
            if !value.is_null() {
                event.properties.insert(name.to_owned(), value);
            }
        }
        let amount = [0, 1, -25_000, 123_456_789][choices.of(4)];
        event.money = (amount != 0).then(|| Money {
            amount,
            currency: "EUR".to_owned(),
        });
    }
}

/// Adds options to a plain question, none that contradicts another.
fn option(question: &mut Value, choices: &mut Choices<'_>) {
    let filter = |choices: &mut Choices<'_>| {
        let (op, value) = (
            choices.pick(&["is", "is_not"]),
            choices.pick(&["x", "y", ""]),
        );
        let at = choices.pick(&["at_event", "at_entry", "at_entry", "as_of"]);
        if choices.one_in(6) {
            return json!([{"property": {"cohort": "d", "at": at}, "op": op, "value": true}]);
        }
        if choices.one_in(6) {
            return json!([{"property": {"user": "plan", "at": at}, "op": op, "value": "gold"}]);
        }
        json!([{"property": "p", "op": op, "value": value}])
    };
    let order = ["ordered", "ordered", "ordered", "strict", "any", "any"][choices.of(6)];
    let unit = ["users", "users", "users", "users", "sessions", "totals"][choices.of(6)];
    question["order"] = json!(order);
    question["unit"] = json!(unit);
    if order == "any" {
        question["strictIncrease"] = json!(false);
        question["anchorFirst"] = json!(choices.one_in(2));
    }
    if order == "strict" && choices.one_in(3) {
        question["universe"] = json!({"except": ["C", "D"]});
    }
    if order == "ordered" && question["strictIncrease"] == json!(false) {
        question["grace"] = json!(choices.pick(&[0, 0, 0, 1, 60]));
    }
    let window = question["window"].as_f64().unwrap_or(0.0);
    let calendar = choices.one_in(8);
    if calendar {
        question["windowCalendarDays"] = json!(1 + choices.of(3));
        question.as_object_mut().map(|q| q.remove("window"));
    }
    let steps = question["steps"].as_array().cloned().unwrap_or_default();
    let mut required = vec![1];
    let steps: Vec<Value> = (0_usize..)
        .zip(steps)
        .map(|(k, event)| {
            let mut step = json!({"event": event});
            if choices.one_in(4) {
                step["where"] = filter(choices);
            }
            if k == 0 || order == "any" {
                return step;
            }
            if choices.one_in(4) {
                step["optional"] = json!(true);
            } else {
                required.push(k + 1);
            }
            let least = [0, 0, 0, 0, 1, 60][choices.of(6)];
            if least > 0 && (calendar || f64::from(least) <= window) {
                step["minGap"] = json!(least);
            }
            let most = [-1, -1, -1, 0, 60, 3_600][choices.of(6)];
            if most >= least {
                step["maxGap"] = json!(most);
            }
            step
        })
        .collect();
    let last = steps.len();
    question["steps"] = json!(steps);
    let mut exclusions = Vec::new();
    for _ in 0..[0, 0, 1, 2][choices.of(4)] {
        let mut exclusion = json!({"event": choices.pick(&NAMES)});
        if choices.one_in(3) {
            exclusion["where"] = filter(choices);
        }
        let (a, b) = (choices.of(required.len()), choices.of(required.len()));
        let whole = order == "any" && last > 1;
        if whole || a != b && order != "any" {
            if !whole {
                exclusion["from"] = json!(required[a.min(b)]);
                exclusion["to"] = json!(required[a.max(b)]);
            }
            exclusions.push(exclusion);
        }
    }
    question["exclusions"] = json!(exclusions);
    if choices.one_in(3) && order != "any" && unit != "totals" {
        question["exclusionMode"] = json!("remove_user");
    }
    if unit == "totals" {
        question["totals"] = json!(choices.pick(&["attempts", "every_entry"]));
    } else if choices.one_in(6) {
        question["entries"] = json!("first");
    }
    if unit == "sessions" {
        question["sessionTimeout"] = json!(choices.pick(&[1_800, 60, 0]));
    }
    question["entry"] = json!(choices.pick(&["earliest", "earliest", "earliest", "latest"]));
    question["range"] = json!(choices.pick(&["entry", "entry", "all_steps"]));
    if choices.one_in(8) {
        let at = choices.pick(&["as_of", "as_of", "at_event", "at_entry"]);
        question["segment"] = json!({"cohort": choices.pick(&["c", "d"]), "at": at});
    }
    if choices.one_in(6) {
        question["filters"] = filter(choices);
    }
    if choices.one_in(5) {
        question["holdConstant"] = [json!("t"), json!(["t", "p"])][choices.of(2)].clone();
    }
    if choices.one_in(2) {
        let properties = [
            json!("p"),
            json!(["p", "t"]),
            json!({"user": "plan"}),
            json!({"user": "plan", "at": "as_of"}),
            json!({"user": "plan", "at": "at_entry"}),
            json!({"cohort": "c"}),
            json!(["p", {"cohort": "d"}]),
            json!({"cohort": "d", "at": "at_event"}),
            json!(["t", {"cohort": "d", "at": "at_entry"}]),
        ];
        let by = ["entry", "step", "last", "first", "each"][choices.of(5)];
        let (of, limit) = (choices.of(9), 1 + choices.of(3));
        question["breakdown"] = json!({
            "property": properties[of],
            "by": by,
            "limit": limit,
        });
        if by == "step" {
            question["breakdown"]["step"] = json!(1 + choices.of(last));
        }
    }
    if choices.one_in(4) {
        question["trend"] = json!(choices.pick(&["daily", "weekly", "monthly"]));
        if question["trend"] == json!("weekly") {
            question["weekStart"] = json!(choices.pick(&["monday", "sunday", "thursday"]));
        }
    }
    if choices.one_in(4) {
        question["histogramBins"] = json!(1 + choices.of(4));
    }
    question["revenue"] = json!(choices.one_in(3));
    question["timed"] = json!(choices.pick(&["converters", "converters", "reached"]));
}

/// Plain funnels whose steps and events are filtered by properties, in groups and buckets: what the plain kernel answers.
pub(crate) fn case_of_filters() -> impl Strategy<Value = (History, Funnel)> {
    (case(), vec(any::<u8>(), 250)).prop_map(|((mut history, funnel), choices)| {
        let mut question = funnel.json();
        let (first, rest) = choices.split_at(40);
        let choices = &mut Choices(first.iter());
        let filter = |choices: &mut Choices<'_>| {
            let (op, value) = (
                choices.pick(&["is", "is_not"]),
                choices.pick(&["x", "y", ""]),
            );
            json!([{"property": "p", "op": op, "value": value}])
        };
        let steps = question["steps"].as_array().cloned().unwrap_or_default();
        let last = steps.len();
        let step = |event: Value| {
            let mut step = json!({"event": event});
            if choices.one_in(2) {
                step["where"] = filter(choices);
            }
            step
        };
        question["steps"] = steps.into_iter().map(step).collect();
        if choices.one_in(3) {
            question["filters"] = filter(choices);
        }
        if choices.one_in(2) {
            let by = choices.pick(&["entry", "step", "last", "first", "each"]);
            let limit = 1 + choices.of(3);
            question["breakdown"] =
                json!({"property": choices.pick(&["p", "t"]), "by": by, "limit": limit});
            if by == "step" {
                question["breakdown"]["step"] = json!(1 + choices.of(last));
            }
        }
        if choices.one_in(2) {
            question["trend"] = json!(choices.pick(&["daily", "weekly", "monthly"]));
        }
        question["timed"] = json!(choices.pick(&["converters", "reached"]));
        question["revenue"] = json!(choices.one_in(2));
        furnish(&mut history, &mut Choices(rest.iter()));
        (history, Funnel::read(&question, &[], NOW))
    })
}

/// Histories whose events have properties, and funnels with any options that go together.
pub(crate) fn case_of_options() -> impl Strategy<Value = (History, Funnel)> {
    (case(), vec(any::<u8>(), 290)).prop_map(|((mut history, funnel), choices)| {
        let mut question = funnel.json();
        let (first, rest) = choices.split_at(90);
        option(&mut question, &mut Choices(first.iter()));
        furnish(&mut history, &mut Choices(rest.iter()));
        (history, Funnel::read(&question, &[], NOW))
    })
}

/// Asks the engine's timelines and columns of a history.
fn over<T>(
    history: &History,
    funnel: &Funnel,
    ask: impl Fn(&Scoped<&travelsense::Funnel>, &View<'_>) -> travelsense::Result<T>,
) -> Result<T, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    let question = travelsense::Funnel::parse(&funnel.json(), &[], now)
        .map_err(|e| format!("{:?} {}", e.field_errors(), funnel.json()))?;
    seeing(history, &funnel.json(), &question, ask)
}

/// Asks a question that is read already of the engine's timelines and columns.
pub(crate) fn seeing<Q, T>(
    history: &History,
    json: &Value,
    question: &Q,
    ask: impl Fn(&Scoped<&Q>, &View<'_>) -> travelsense::Result<T>,
) -> Result<T, String> {
    let range = travelsense_tests::oracle::question::Range::read(json);
    let as_of = json.get("asOf").map_or(NOW, micros);
    let as_of = Instant::from_micros(as_of).ok_or("as of an instant out of bounds")?;
    let (timelines, premium) = timelines(history, &range, as_of.micros());
    let property = |name: &str| {
        let value =
            |e: &travelsense_tests::oracle::Event| e.properties.get(name).map(ToString::to_string);
        (name.to_owned(), history.events.iter().map(value).collect())
    };
    let plans = history.profiles.iter().filter_map(|p| {
        let plan = json!(p.plan.as_ref()?).to_string();
        Some((p.user.parse::<u32>().ok()?, p.at, plan))
    });
    let amounts = history.events.iter();
    let columns = Columns::given(
        [property("p"), property("t")],
        [("plan".to_owned(), plans.collect())],
        amounts
            .map(|e| e.money.as_ref().map(|m| m.amount * 100_000_000))
            .collect(),
    );
    // Where nothing is asked over time, either way is right.
    let moments = ["at_event", "at_entry"].map(|at| format!("\"at\":\"{at}\""));
    let asked = json.to_string();
    let over_time = history.events.len() % 2 == 1 || moments.iter().any(|at| asked.contains(at));
    let keys = (0..6_u32).map(|user| (user.to_string(), user)).collect();
    let mut known = columns.clone();
    for (name, definition) in &history.cohorts {
        let definition = Definition::parse(definition).map_err(|e| e.to_string())?;
        let view = View {
            columns: &columns,
            ..View::new(&timelines, as_of)
        };
        let members = cohort::members(&definition, &keys, &view, over_time);
        known = known.with_cohort(name, members.map_err(|e| e.to_string())?);
    }
    let columns = known;
    let view = View {
        premium: &premium,
        columns: &columns,
        ..View::new(&timelines, as_of)
    };
    let scoped = access::grant(&Principal::owner(), Permission::ReadAnalytics, question)
        .map_err(|e| e.to_string())?;
    ask(&scoped, &view).map_err(|e| e.to_string())
}

pub(crate) fn ask_engine(history: &History, funnel: &Funnel) -> Result<FunnelAnswer, String> {
    over(history, funnel, funnel::answer)
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_funnels() {
    agree(CASES, &case(), |(history, funnel)| {
        let answer = ask_engine(history, funnel)?;
        same(&funnel.answer(history), &answer, &funnel.json(), history)
    });
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_funnels_with_options() {
    agree(CASES, &case_of_options(), |(history, funnel)| {
        let answer = ask_engine(history, funnel)?;
        same(&funnel.answer(history), &answer, &funnel.json(), history)
            .map_err(|e| format!("{e}{}", said(history)))
    });
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_funnels_with_filters() {
    agree(CASES, &case_of_filters(), |(history, funnel)| {
        let answer = ask_engine(history, funnel)?;
        same(&funnel.answer(history), &answer, &funnel.json(), history)
            .map_err(|e| format!("{e}{}", said(history)))
    });
}

/// What the events of a history say, for whoever repeats a case by hand.
pub(crate) fn said(history: &History) -> String {
    let events = history.events.iter();
    let said = events.map(|e| format!("{} {}\n", e.name, json!(e.properties)));
    said.collect()
}

/// The lists behind the numbers of an answer: the number, whose it is, and how the oracle is asked for it.
fn cells(answer: &Value) -> Vec<(u64, Value, Whom<'static>)> {
    let mut cells = Vec::new();
    let number = |v: &Value| v.as_u64().unwrap_or_default();
    let mut add = |of: &Value, group: Option<(String, Value)>, bucket: Option<String>| {
        let mut one = |n: u64, cell: &'static str, step: usize| {
            let mut who = json!({"cell": cell});
            if step > 0 {
                who["step"] = json!(step);
            }
            if let Some((kind, value)) = &group {
                let value = if kind == "value" {
                    value.clone()
                } else {
                    Value::Null
                };
                who["group"] = json!({"kind": kind, "value": value});
            }
            if let Some(bucket) = &bucket {
                who["bucket"] = json!(bucket);
            }
            let whom = Whom {
                cell,
                step,
                group: group.clone(),
                bucket: bucket.clone(),
            };
            cells.push((n, who, whom));
        };
        one(number(&of["entered"]), "entered", 0);
        one(number(&of["converted"]), "converted", 0);
        one(number(&of["open"]), "open", 0);
        if bucket.is_some() {
            for (k, n) in (1..).zip(of["counts"].as_array().into_iter().flatten()) {
                one(number(n), "reached", k);
            }
            return;
        }
        one(number(&of["matured"]["entered"]), "matured_entered", 0);
        one(number(&of["matured"]["converted"]), "matured_converted", 0);
        for (k, step) in (1..).zip(of["steps"].as_array().into_iter().flatten()) {
            one(number(&step["count"]), "reached", k);
            one(number(&step["dropped"]), "dropped", k);
        }
    };
    add(answer, None, None);
    for group in answer["breakdown"]["groups"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let kind = group["kind"].as_str().unwrap_or_default().to_owned();
        add(group, Some((kind, group["value"].clone())), None);
    }
    for bucket in answer["trend"]["buckets"].as_array().into_iter().flatten() {
        // A date that a zone skipped starts where the next does.
        if bucket["start"] == bucket["end"] {
            continue;
        }
        let start = bucket["start"].as_str().unwrap_or_default().to_owned();
        add(bucket, None, Some(start));
    }
    cells
}

#[test]
fn the_people_behind_a_number_are_as_many_as_it_says() {
    agree(LAWS, &case_of_options(), |(history, funnel)| {
        let answer =
            serde_json::to_value(ask_engine(history, funnel)?).map_err(|e| e.to_string())?;
        let question = funnel.json();
        let users = question["unit"] == json!("users") && question.get("holdConstant").is_none();
        let cells = cells(&answer);
        // Some of them; another case has others.
        let step = 1 + cells.len() / 12;
        for (n, who, whom) in cells.iter().step_by(step) {
            let list = over(history, funnel, |asked, view| {
                funnel::people(asked, view, &Who::parse(who, asked.inner())?)
            })?;
            let expected: Vec<u32> = funnel
                .people(history, whom)
                .iter()
                .filter_map(|u| u.parse().ok())
                .collect();
            if list != expected || users && list.len() as u64 != *n {
                return Err(format!(
                    "{who}: {list:?} instead of {expected:?}, which are {n}\n{question}\n{}",
                    said(history)
                ));
            }
        }
        Ok(())
    });
}

#[test]
fn new_and_returning_are_active_and_premium_and_free_are_all() {
    agree(LAWS, &case(), |(history, funnel)| {
        let of = |segment: &str| -> Result<[u64; 3], String> {
            let mut question = funnel.json();
            question["segment"] = json!(segment);
            let answer = ask_engine(history, &Funnel::read(&question, &[], NOW))?;
            Ok([answer.entered, answer.converted, answer.matured.converted])
        };
        let both = |a: &str, b: &str| -> Result<[u64; 3], String> {
            let (a, b) = (of(a)?, of(b)?);
            Ok([a[0] + b[0], a[1] + b[1], a[2] + b[2]])
        };
        let all = of("all")?;
        let sums = [
            both("new", "returning")?,
            of("active")?,
            both("premium", "free")?,
        ];
        // Whoever enters does so in the range, and so is active and not inactive.
        if sums != [all; 3] || of("inactive")? != [0; 3] {
            return Err(format!("{sums:?} are not {all:?} for {}", funnel.json()));
        }
        Ok(())
    });
}

/// The counts of the steps.
fn counts(history: &History, question: &Value) -> Result<Vec<u64>, String> {
    let answer = ask_engine(history, &Funnel::read(question, &[], NOW))?;
    Ok(answer.steps.iter().map(|s| s.count).collect())
}

#[test]
fn in_any_order_the_order_of_the_steps_changes_no_count() {
    agree(
        LAWS,
        &(case(), any::<proptest::sample::Index>()),
        |((history, funnel), turn)| {
            let mut question = funnel.json();
            question["order"] = json!("any");
            question["strictIncrease"] = json!(false);
            let before = counts(history, &question)?;
            if let Some(steps) = question["steps"].as_array_mut() {
                let middle = turn.index(steps.len());
                steps.rotate_left(middle);
            }
            let after = counts(history, &question)?;
            if before != after {
                return Err(format!("{before:?} became {after:?} for {question}"));
            }
            Ok(())
        },
    );
}

#[test]
fn single_valued_groups_and_buckets_of_attempts_add_up() {
    agree(LAWS, &case_of_options(), |(history, funnel)| {
        let answer =
            serde_json::to_value(ask_engine(history, funnel)?).map_err(|e| e.to_string())?;
        let question = funnel.json();
        let sum = |parts: &Value, of: &dyn Fn(&Value) -> u64| -> u64 {
            parts.as_array().into_iter().flatten().map(of).sum()
        };
        let groups = &answer["breakdown"]["groups"];
        if groups.is_array() && question["breakdown"]["by"] != json!("each") {
            for (k, step) in answer["steps"].as_array().into_iter().flatten().enumerate() {
                let total = sum(groups, &|g| g["steps"][k]["count"].as_u64().unwrap_or(0));
                if step["count"] != json!(total) {
                    return Err(format!("the groups' step {k} is {total}: {answer}"));
                }
            }
        }
        let buckets = &answer["trend"]["buckets"];
        if buckets.is_array() {
            let entered = sum(buckets, &|b| b["entered"].as_u64().unwrap_or(0));
            let all = answer["entered"].as_u64().unwrap_or(0);
            if entered < all || question["unit"] == json!("totals") && entered != all {
                return Err(format!("the buckets' entries are {entered}: {answer}"));
            }
        }
        Ok(())
    });
}
