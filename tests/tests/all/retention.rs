//! Retention: the engine against every pair of a start and a return.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use travelsense::access::{self, Permission, Principal, Scoped};
use travelsense::retention::{Place, RetentionAnswer};
use travelsense::timeline::{Columns, View};
use travelsense::{Instant, retention};
use travelsense_tests::oracle::calendar::WEEKDAYS;
use travelsense_tests::oracle::numbers::instant;
use travelsense_tests::oracle::question::{Range, Selector};
use travelsense_tests::oracle::retention::{Retention, Who};
use travelsense_tests::oracle::{Event, History};

use crate::cases::{CASES, LAWS, agree, same};
use crate::funnel::{Choices, furnish};
use crate::generate::{DAY, HOUR, NOW, ask, scene, segment, selector, timelines};

/// The events that are uses of a feature, where no catalogue says so.
const FEATURES: [&str; 2] = ["A", "B"];

/// Histories whose events have properties, and tables with any options that go together; of the properties of users only where
/// they are asked for.
fn case_of(of_users: bool) -> impl Strategy<Value = (History, Retention)> {
    let selector = || prop_oneof![1 => Just(Selector::Any), 2 => selector()];
    let span = select(vec![HOUR, DAY, 7 * DAY, 30 * DAY]);
    (
        span.prop_flat_map(scene),
        selector(),
        selector(),
        segment(),
        vec(any::<u8>(), 400),
    )
        .prop_map(
            move |((mut history, range, as_of), start, returning, segment, choices)| {
                let (first, rest) = choices.split_at(60);
                let choices = &mut Choices(first.iter());
                let mut question = json!({
                    "cohortPeriod": choices.pick(&["daily", "daily", "weekly", "monthly"]),
                    "analysisMetric": "retention_rate",
                    "startDate": range.start.json(),
                    "endDate": range.end.json(),
                    "timezone": range.timezone,
                    "start": start.json(),
                    "return": returning.json(),
                    "segment": segment,
                    "asOf": instant(as_of),
                });
                // Hours are many, so that they are asked of short ranges only.
                let hour = choices.one_in(12);
                if hour && range.span().1 - range.span().0 < 30 * HOUR {
                    question["cohortPeriod"] = json!("hourly");
                    question["asOf"] = json!(instant(as_of.min(range.span().1 + 3 * DAY)));
                }
                option(&mut question, choices, of_users);
                // All columns up to today would be thousands; asking for all is left to those who look soon after.
                let far = as_of > range.span().1 + 60 * DAY;
                let periods = [3, 3, 3, 0, 1, 5, 12][choices.of(7)];
                let many = far || question["cohortPeriod"] == json!("hourly");
                if question.get("brackets").is_none() && (many || !choices.one_in(4)) {
                    question["periods"] = json!(periods);
                }
                furnish(&mut history, &mut Choices(rest.iter()));
                number(&mut history, &mut Choices(rest.split_at(200).1.iter()));
                (history, Retention::read(&question, NOW))
            },
        )
}

pub(crate) fn case() -> impl Strategy<Value = (History, Retention)> {
    case_of(false)
}

/// Gives events numbers, and what is none.
fn number(history: &mut History, choices: &mut Choices<'_>) {
    let values = [
        json!(null),
        json!(1),
        json!(2.5),
        json!(-0.125),
        json!("3"),
        json!(7),
    ];
    for event in &mut history.events {
        let value = values[choices.of(6)].clone();
        event.properties.insert("n".to_owned(), value);
    }
}

/// Adds options to a plain question, none that contradicts another.
fn option(question: &mut Value, choices: &mut Choices<'_>, of_users: bool) {
    let filter = |choices: &mut Choices<'_>| {
        let (op, value) = (
            choices.pick(&["is", "is_not", "exists"]),
            choices.pick(&["x", "y", ""]),
        );
        let mut filter = json!({"property": choices.pick(&["p", "t"]), "op": op, "value": value});
        if op == "exists" {
            filter.as_object_mut().map(|f| f.remove("value"));
        }
        json!([filter])
    };
    let property = |choices: &mut Choices<'_>| match choices.of(4) {
        0 if of_users => json!({"user": "plan"}),
        1 if of_users => json!({"user": "plan", "at": "as_of"}),
        2 => json!("t"),
        _ => json!("p"),
    };
    let preset = choices.pick(&[
        "exact",
        "exact",
        "exact",
        "exact",
        "posthog",
        "mixpanel",
        "amplitude",
        "clickhouse",
    ]);
    if preset != "exact" {
        question["preset"] = json!(preset);
    }
    // Where a preset sets a switch, the question says so too only now and then.
    let says = |choices: &mut Choices<'_>| preset == "exact" || choices.one_in(2);
    let mode = choices.pick(&["first_time", "recurring", "first_ever_then_filter"]);
    if says(choices) {
        question["mode"] = json!(mode);
    }
    let unit = choices.pick(&[
        "calendar",
        "calendar",
        "calendar",
        "24h",
        "7d",
        "30d",
        "month_anniversary",
    ]);
    if says(choices) {
        question["unit"] = json!(unit);
        if ["24h", "7d", "30d"].contains(&unit) && choices.one_in(3) {
            question["clockStart"] = json!(choices.pick(&["hour", "day"]));
        }
    }
    if says(choices) {
        question["weekStart"] = json!(WEEKDAYS[choices.of(7)].0);
    }
    let criterion = choices.pick(&[
        "on",
        "on",
        "on",
        "on_or_after",
        "on_or_before",
        "streak",
        "brackets",
    ]);
    if criterion == "brackets" {
        let mut end = 0;
        let brackets = (0..=choices.of(3)).map(|_| {
            let first = end + choices.of(4);
            end = first + 1 + choices.of(3);
            json!([first, end])
        });
        question["brackets"] = brackets.collect();
    } else if says(choices) {
        question["criterion"] = json!(criterion);
    }
    if choices.one_in(4) {
        question["maturity"] = json!(choices.pick(&["elapsed", "ignored"]));
    }
    if question.get("unit") == Some(&json!("month_anniversary")) {
        question["cohortPeriod"] = json!("monthly");
    }
    for side in ["start", "return"] {
        if choices.one_in(4) {
            question[side] = json!({"event": question[side], "where": filter(choices)});
        }
    }
    if choices.one_in(8) {
        question["filters"] = filter(choices);
    }
    if choices.one_in(6) {
        question["minimumOccurrences"] = json!(2 + choices.of(2));
    }
    if choices.one_in(5) {
        question["holdConstant"] = property(choices);
    }
    if choices.one_in(3) {
        let limit = 1 + choices.of(3);
        question["breakdown"] = json!({"property": property(choices), "limit": limit});
    }
    if choices.one_in(3) {
        question["pooling"] = json!("common_cohorts");
    }
    if choices.one_in(2) {
        let metric = choices.pick(&[
            "engagement",
            "feature_usage",
            "revenue",
            "property_sum",
            "property_average",
        ]);
        question["analysisMetric"] = json!(metric);
        if metric.starts_with("property") {
            question["property"] = json!(choices.pick(&["n", "p"]));
        }
    }
}

/// A table that knows the features of the cases.
fn featured(table: &Retention) -> Retention {
    let mut table = table.clone();
    table.features = FEATURES.map(str::to_owned).to_vec();
    table
}

/// Asks the engine's timelines and columns of a history.
fn over<T>(
    history: &History,
    table: &Retention,
    ask: impl Fn(&Scoped<&travelsense::Retention>, &View<'_>) -> travelsense::Result<T>,
) -> Result<T, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    let mut question = travelsense::Retention::parse(&table.json(), now)
        .map_err(|e| format!("{:?} {}", e.field_errors(), table.json()))?;
    question.features = FEATURES.map(str::to_owned).to_vec();
    let as_of = question.as_of.unwrap_or(now);
    let (timelines, premium) = timelines(history, &Range::read(&table.json()), as_of.micros());
    let property = |name: &str| {
        let value = |e: &Event| e.properties.get(name).map(ToString::to_string);
        (name.to_owned(), history.events.iter().map(value).collect())
    };
    let plans = history.profiles.iter().filter_map(|p| {
        let plan = json!(p.plan.as_ref()?).to_string();
        Some((p.user.parse::<u32>().ok()?, p.at, plan))
    });
    let amounts = history.events.iter();
    let columns = Columns::given(
        ["p", "t", "n"].map(property),
        [("plan".to_owned(), plans.collect())],
        amounts
            .map(|e| e.money.as_ref().map(|m| m.amount * 100_000_000))
            .collect(),
    );
    let view = View {
        premium: &premium,
        columns: &columns,
        ..View::new(&timelines, as_of)
    };
    let scoped = access::grant(&Principal::owner(), Permission::ReadAnalytics, &question)
        .map_err(|e| e.to_string())?;
    // What is asked for again may be answered from what was read from the timelines the time before.
    if history.events.len().is_multiple_of(2) {
        ask(&scoped, &view).map_err(|e| e.to_string())?;
    }
    ask(&scoped, &view).map_err(|e| e.to_string())
}

pub(crate) fn ask_engine(history: &History, table: &Retention) -> Result<RetentionAnswer, String> {
    over(history, table, retention::answer)
}

/// What the events of a history say, for whoever repeats a case by hand.
fn said(history: &History) -> String {
    let events = history.events.iter();
    let said = events.map(|e| format!("{} {}\n", e.name, json!(e.properties)));
    said.collect()
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_retention_tables() {
    agree(CASES, &case_of(true), |(history, table)| {
        let answer = ask_engine(history, table)?;
        let expected = featured(table).answer(history);
        same(&expected, &answer, &table.json(), history)
            .map_err(|e| format!("{e}{}", said(history)))
    });
}

/// Histories without properties, and rates by the calendar of starts and returns told apart by name: what one word a user counts.
fn plain_case() -> impl Strategy<Value = (History, Retention)> {
    case().prop_map(|(history, table)| {
        let mut question = table.json();
        question["analysisMetric"] = json!("retention_rate");
        for (name, plain) in [("start", "event"), ("return", "event")] {
            if let Some(event) = question[name].get(plain).cloned() {
                question[name] = event;
            }
        }
        for name in [
            "preset",
            "unit",
            "clockStart",
            "filters",
            "property",
            "breakdown",
            "holdConstant",
            "minimumOccurrences",
        ] {
            question[name] = Value::Null;
        }
        (history, Retention::read(&question, NOW))
    })
}

#[test]
fn the_engine_agrees_with_the_oracle_on_plain_retention_tables() {
    agree(CASES, &plain_case(), |(history, table)| {
        let question = table.json();
        let now = Instant::from_micros(NOW).ok_or("now")?;
        let asked = travelsense::Retention::parse(&question, now)
            .map_err(|e| format!("{:?} {question}", e.field_errors()))?;
        let as_of = asked.as_of.unwrap_or(now).micros();
        let range = Range::read(&question);
        let answer = ask(history, &range, as_of, &asked, retention::answer)?;
        same(&table.answer(history), &answer, &question, history)
    });
}

/// A number of a table: what it is, its cell as a question names it, and as the oracle does.
struct Number<'w> {
    count: u64,
    cell: Value,
    who: Who<'w>,
}

/// Every number of users in an answer.
fn numbers(answer: &Value) -> Vec<Number<'static>> {
    let mut numbers = Vec::new();
    let mut add = |table: &Value, group: Option<usize>| {
        let cohorts = table["cohorts"].as_array().cloned().unwrap_or_default();
        for (c, cohort) in cohorts.iter().enumerate() {
            // A date that a clock shows twice, or skips, may share its first instant with a neighbour.
            let twins = cohorts.iter().filter(|o| o["period"] == cohort["period"]);
            if twins.count() > 1 {
                continue;
            }
            let mut one = |count: &Value, column: usize, who: &'static str| {
                let mut cell = json!({"cohort": cohort["period"], "column": column, "who": who});
                if let Some(group) = group {
                    cell["group"] = json!(group);
                }
                numbers.push(Number {
                    count: count.as_u64().unwrap_or_default(),
                    cell,
                    who: Who {
                        cell: (c, column),
                        who,
                        group,
                    },
                });
            };
            for (n, cell) in cohort["retention"]
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
            {
                one(&cohort["size"], n, "cohort");
                one(
                    &cohort["returnedInStartPeriod"],
                    n,
                    "returned_in_start_period",
                );
                one(&cell["eligible"], n, "eligible");
                one(&cell["count"], n, "retained");
                one(&cell["partialCount"], n, "returned_so_far");
                let back = cell["count"].as_u64().unwrap_or_default();
                let eligible = cell["eligible"].as_u64().unwrap_or_default();
                one(&json!(eligible - back), n, "not_retained");
            }
        }
    };
    add(answer, None);
    let groups = answer["breakdown"]["groups"].as_array();
    for (g, group) in groups.into_iter().flatten().enumerate() {
        add(group, Some(g));
    }
    numbers
}

#[test]
fn the_people_behind_a_cell_are_as_many_as_it_says() {
    agree(LAWS, &case_of(true), |(history, table)| {
        let answer =
            serde_json::to_value(ask_engine(history, table)?).map_err(|e| e.to_string())?;
        let numbers = numbers(&answer);
        // Some of them; another case has others.
        let step = 1 + numbers.len() / 12;
        for number in numbers.iter().step_by(step) {
            let cell = Place::parse(&number.cell).map_err(|e| e.to_string())?;
            let list = over(history, table, |q, v| retention::people(q, v, &cell))?;
            let expected = featured(table).people(history, &number.who);
            let expected: Vec<u32> = expected.iter().filter_map(|u| u.parse().ok()).collect();
            if list != expected || list.len() as u64 != number.count {
                return Err(format!(
                    "{}: {list:?} instead of {expected:?}, which are {}\n{}\n{}",
                    number.cell,
                    number.count,
                    table.json(),
                    said(history)
                ));
            }
        }
        Ok(())
    });
}

/// D1 through the handle, as doors ask it: every number of a table has its people.
#[test]
fn the_handle_lists_the_people_of_every_cell() {
    agree(25, &case(), |(history, table)| {
        let store = crate::pure::sorted(history);
        let (who, question) = (Principal::owner(), table.json());
        let answer = store
            .ask(&who, "retention", &question)
            .map_err(|e| e.to_string())?;
        let answer: Value = serde_json::from_str(&answer).map_err(|e| e.to_string())?;
        for number in numbers(&answer) {
            let request = json!({"word": "retention", "question": question, "cell": number.cell});
            let people = store.people(&who, &request).map_err(|e| e.to_string())?;
            let listed = people.users.len() as u64;
            if people.total != number.count || listed != number.count {
                return Err(format!(
                    "{}: {listed} of {} instead of {}\n{question}",
                    number.cell, people.total, number.count
                ));
            }
        }
        Ok(())
    });
}

#[test]
fn the_groups_of_a_breakdown_add_up_to_every_cell() {
    agree(LAWS, &case_of(true), |(history, table)| {
        let mut question = table.json();
        // PostHog wants the value of the breakdown on both sides, so that without one its table is another.
        question["preset"] = json!("exact");
        let ask = |question: &Value| {
            let answer = ask_engine(history, &Retention::read(question, NOW))?;
            serde_json::to_value(answer).map_err(|e| e.to_string())
        };
        question["breakdown"] = Value::Null;
        let whole = ask(&question)?;
        question["breakdown"] = json!({"property": "p", "limit": 2});
        let broken = ask(&question)?;
        if whole["cohorts"] != broken["cohorts"] || whole["average"] != broken["average"] {
            return Err(format!("a breakdown changes the table: {question}"));
        }
        let groups = broken["breakdown"]["groups"].as_array().ok_or("groups")?;
        let counts = ["/size", "/returnedInStartPeriod"].map(str::to_owned);
        let cells = (0..4).flat_map(|n| {
            ["count", "eligible", "partialCount"].map(|name| format!("/retention/{n}/{name}"))
        });
        for pointer in counts.into_iter().chain(cells) {
            for (c, cohort) in whole["cohorts"]
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
            {
                let Some(all) = cohort.pointer(&pointer).and_then(Value::as_u64) else {
                    continue;
                };
                let of = |g: &Value| g["cohorts"][c].pointer(&pointer).and_then(Value::as_u64);
                if groups.iter().filter_map(of).sum::<u64>() != all {
                    return Err(format!("{pointer} of {cohort}: {groups:?}\n{question}"));
                }
            }
        }
        Ok(())
    });
}

/// R6: what more periods can only add to, and what they can only take from.
#[test]
fn on_or_after_falls_on_or_before_rises_and_a_streak_is_never_more_than_on() {
    agree(LAWS, &case_of(true), |(history, table)| {
        let cells = |criterion: &str| -> Result<Vec<Vec<u64>>, String> {
            let mut question = table.json();
            question.as_object_mut().map(|q| q.remove("brackets"));
            question["periods"] = json!(6);
            question["criterion"] = json!(criterion);
            let answer = ask_engine(history, &Retention::read(&question, NOW))?;
            let row = |c: &retention::Cohort| {
                let cells = c.retention.iter().skip(1);
                cells.map(|cell| cell.count + cell.partial_count).collect()
            };
            Ok(answer.cohorts.iter().map(row).collect())
        };
        let (on, streak) = (cells("on")?, cells("streak")?);
        let falls = cells("on_or_after")?
            .iter()
            .all(|row| row.is_sorted_by(|a, b| a >= b));
        let rises = cells("on_or_before")?.iter().all(|row| row.is_sorted());
        let mut pairs = on.iter().flatten().zip(streak.iter().flatten());
        if falls && rises && pairs.all(|(on, streak)| streak <= on) {
            Ok(())
        } else {
            Err(format!("{}\n{}", table.json(), said(history)))
        }
    });
}

#[test]
fn a_whole_cohort_does_not_depend_on_how_wide_the_range_is() {
    let wider = (case_of(true), 0..40 * DAY, 0..40 * DAY);
    agree(LAWS, &wider, |((history, table), before, after)| {
        let mut question = table.json();
        // A segment is relative to the range, so only everybody is the same in both.
        question["segment"] = json!("all");
        let (from, to) = Range::read(&question).span();
        let mut wide = question.clone();
        wide["startDate"] = json!(instant(from - before));
        wide["endDate"] = json!(instant(to + after));
        let cohorts = |question: &Value| -> Result<Vec<Value>, String> {
            let answer = ask_engine(history, &Retention::read(question, NOW))?;
            let answer = serde_json::to_value(answer).map_err(|e| e.to_string())?;
            Ok(answer["cohorts"].as_array().cloned().unwrap_or_default())
        };
        let all = cohorts(&wide)?;
        for cohort in cohorts(&question)?.iter().filter(|c| c["partial"] == false) {
            if !all.contains(cohort) {
                return Err(format!(
                    "{cohort}\nis not among\n{all:?}\nquestion: {question}"
                ));
            }
        }
        Ok(())
    });
}

/// How long tables take over 20 million events of a million users: `cargo test -- --ignored --nocapture how_long_tables_take`.
#[test]
#[ignore = "a measurement"]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, for people to read"
)]
fn how_long_tables_take() {
    let hash = |i: i64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) as u64 >> 20;
    let row = |i: i64| {
        let user = (hash(i) % 1_000_000) as u32;
        let name = (hash(i + 7) % 9) as u16;
        (user, 1_700_000_000_000_000 + i * 400_000, name)
    };
    let names = (0..9).map(|n| n.to_string()).collect();
    let rows = (0..20_000_000).map(row);
    let timelines = travelsense::timeline::Timelines::from_rows(names, rows).expect("timelines");
    let as_of = Instant::from_micros(1_708_100_000_000_000).expect("an instant");
    let view = View::new(&timelines, as_of);
    let now = Instant::from_micros(NOW).expect("now");
    for (what, more) in [
        ("weekly", json!({})),
        ("weekly, return named", json!({"return": "3"})),
        ("weekly, both named", json!({"start": "2", "return": "3"})),
        ("weekly, on or after", json!({"criterion": "on_or_after"})),
        ("weekly, recurring", json!({"mode": "recurring"})),
        (
            "weekly, recurring, both named",
            json!({"mode": "recurring", "start": "2", "return": "3"}),
        ),
        ("daily", json!({"cohortPeriod": "daily"})),
        (
            "daily, recurring",
            json!({"cohortPeriod": "daily", "mode": "recurring"}),
        ),
        (
            "days of 24 hours",
            json!({"cohortPeriod": "daily", "unit": "24h"}),
        ),
        ("weekly, events", json!({"analysisMetric": "engagement"})),
    ] {
        let mut question = json!({
            "cohortPeriod": "weekly",
            "analysisMetric": "retention_rate",
            "startDate": "2023-11-01",
            "endDate": "2024-02-16",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            question[name] = value.clone();
        }
        let question = travelsense::Retention::parse(&question, now).expect("a question");
        let owner = Principal::owner();
        let scoped = access::grant(&owner, Permission::ReadAnalytics, &question).expect("a grant");
        let took = (0..5).map(|_| {
            let begin = std::time::Instant::now();
            retention::answer(&scoped, &view).expect("an answer");
            begin.elapsed()
        });
        println!("{what}: {:?}", took.min());
    }
}
