//! Engagement: the engine against a look at every user and every date.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use travelsense::Instant;
use travelsense::access::Scoped;
use travelsense::engagement::{self, Cell, EngagementAnswer};
use travelsense::timeline::View;
use travelsense_tests::oracle::History;
use travelsense_tests::oracle::calendar::{Period, WEEKDAYS};
use travelsense_tests::oracle::engagement::{Engagement, METRICS};
use travelsense_tests::oracle::question::{Bound, Range, Selector};

use crate::cases::{CASES, LAWS, agree, same};
use crate::generate::{DAY, HOUR, NOW, SECOND, ask, scene, segment, selector};

pub(crate) fn case() -> impl Strategy<Value = (History, Engagement)> {
    let timeouts = vec![0, SECOND, 60 * SECOND, 1800 * SECOND, HOUR, DAY];
    (
        select(vec![60 * SECOND, HOUR, DAY, 30 * DAY]).prop_flat_map(scene),
        prop_oneof![
            2 => Just(METRICS.to_vec()),
            1 => subsequence(METRICS.to_vec(), 1..=2),
            2 => subsequence(vec!["stickiness", "lifecycle"], 1..=2),
        ],
        prop_oneof![1 => Just(Selector::Any), 1 => selector()],
        proptest::option::weighted(0.2, Just("x".to_owned())),
        select(vec![
            Period::Daily,
            Period::Daily,
            Period::Weekly,
            Period::Monthly,
        ]),
        0_usize..7,
        prop_oneof![3 => Just(1_usize), 1 => 2_usize..4],
        select(timeouts),
        segment(),
        prop_oneof![4 => Just("exact"), 1 => Just("posthog")],
    )
        .prop_map(
            |(
                (history, range, as_of),
                metrics,
                event,
                says,
                period,
                day,
                min_events,
                session_timeout,
                segment,
                preset,
            )| {
                let question = Engagement {
                    metrics: metrics.into_iter().map(str::to_owned).collect(),
                    range,
                    event,
                    says,
                    period,
                    week_start: WEEKDAYS[day].1,
                    min_events,
                    session_timeout,
                    segment,
                    preset: preset.to_owned(),
                    as_of,
                };
                (history, question)
            },
        )
}

/// The same question without filters.
pub(crate) fn plain(question: &Engagement) -> Engagement {
    Engagement {
        says: None,
        ..question.clone()
    }
}

fn parsed(question: &Engagement) -> Result<travelsense::Engagement, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    travelsense::Engagement::parse(&question.json(), now).map_err(|e| e.to_string())
}

/// Asks the engine.
fn with<T>(
    history: &History,
    question: &Engagement,
    answer: impl Fn(&Scoped<&travelsense::Engagement>, &View<'_>) -> travelsense::Result<T>,
) -> Result<T, String> {
    let asked = parsed(question)?;
    ask(history, &question.range, question.as_of, &asked, answer)
}

fn answered(history: &History, question: &Engagement) -> Result<EngagementAnswer, String> {
    with(history, question, engagement::answer)
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_engagement() {
    agree(CASES, &case(), |(history, question)| {
        let answer = answered(history, question)?;
        same(
            &question.answer(history),
            &answer,
            &question.json(),
            history,
        )
    });
}

/// Every number of an answer that counts users, and the cell that names it.
fn cells(answer: &Value) -> Vec<(Value, u64)> {
    let mut cells = vec![(json!({"cell": "users"}), &answer["users"])];
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    // A date that a zone skips begins with the date after it, and so cannot be named by its beginning.
    let exists = |row: &Value| row["start"] != row["end"];
    let mut counts = Vec::new();
    for period in ["daily", "weekly", "monthly"] {
        for row in list(&answer["activeUsers"][period])
            .iter()
            .filter(|r| exists(r))
        {
            let cell = json!({"cell": "active_users", "period": period, "start": row["start"]});
            counts.push((cell, row["users"].clone()));
        }
    }
    for row in list(&answer["stickiness"]["rows"]) {
        for (field, at_least) in [("exactly", false), ("atLeast", true)] {
            let cell =
                json!({"cell": "stickiness", "periods": row["periods"], "atLeast": at_least});
            counts.push((cell, row[field]["k"].clone()));
        }
    }
    for (field, days) in [("dauOverMau", 30), ("dauOverWau", 7)] {
        if let Some(ratio) = answer["stickiness"].get(field) {
            counts.push((
                json!({"cell": "trailing", "days": days}),
                ratio["users"].clone(),
            ));
        }
    }
    for row in list(&answer["lifecycle"]).iter().filter(|r| exists(r)) {
        for state in ["active", "new", "returning", "resurrected", "dormant"] {
            let cell = json!({"cell": "lifecycle", "start": row["start"], "state": state});
            counts.push((cell, row[state].clone()));
        }
    }
    if let Some(sessions) = answer.get("sessions") {
        counts.push((json!({"cell": "sessions"}), sessions["users"].clone()));
    }
    for hour in list(&answer["heatMap"]) {
        let cell = json!({"cell": "heat_map", "weekday": hour["weekday"], "hour": hour["hour"]});
        // Most hours are empty: of those a few will do.
        if hour["users"] != 0 || hour["hour"] == 3 {
            counts.push((cell, hour["users"].clone()));
        }
    }
    cells.extend(counts.iter().map(|(cell, n)| (cell.clone(), n)));
    let whole = |n: &Value| n.as_u64().expect("a number of users");
    cells
        .iter()
        .map(|(cell, n)| (cell.clone(), whole(n)))
        .collect()
}

#[test]
fn d1_every_number_of_engagement_has_its_people() {
    agree(LAWS / 8, &case(), |(history, question)| {
        let answer = answered(history, question)?;
        let answer = serde_json::to_value(&answer).map_err(|e| e.to_string())?;
        for (cell, number) in cells(&answer) {
            let read = Cell::parse(&cell).map_err(|e| e.to_string())?;
            let people = with(history, question, |q, v| engagement::people(q, v, &read))?;
            if !people.is_sorted_by(|a, b| a < b) || people.len() as u64 != number {
                return Err(format!(
                    "{people:?} are not the {number} of {cell}\n{}",
                    question.json()
                ));
            }
        }
        Ok(())
    });
}

#[test]
fn l1_the_identities_of_the_lifecycle_hold() {
    agree(LAWS, &case(), |(history, question)| {
        let question = Engagement {
            metrics: vec!["lifecycle".to_owned()],
            ..question.clone()
        };
        let rows = answered(history, &question)?
            .lifecycle
            .ok_or("a lifecycle")?;
        for row in &rows {
            if row.active != row.new + row.returning + row.resurrected {
                return Err(format!("{row:?}\n{}", question.json()));
            }
        }
        for (before, row) in rows.iter().zip(rows.iter().skip(1)) {
            if before.active != row.returning + row.dormant {
                return Err(format!("{before:?}\n{row:?}\n{}", question.json()));
            }
        }
        Ok(())
    });
}

#[test]
fn g3_a_whole_period_does_not_depend_on_how_wide_the_range_is() {
    let wider = (case(), 0..40 * DAY, 0..40 * DAY);
    agree(LAWS, &wider, |((history, question), before, after)| {
        // A segment is relative to the range, so only everybody is the same in both.
        let question = Engagement {
            segment: "all".to_owned(),
            metrics: vec!["active_users".to_owned(), "lifecycle".to_owned()],
            ..question.clone()
        };
        let (from, to) = question.range.span();
        let range = Range {
            start: Bound::At(from - before),
            end: Bound::At(to + after),
            timezone: question.range.timezone.clone(),
        };
        let wide = Engagement {
            range,
            ..question.clone()
        };
        let periods = |question: &Engagement| -> Result<Vec<(&str, Value)>, String> {
            let answer = serde_json::to_value(answered(history, question)?);
            let answer = answer.map_err(|e| e.to_string())?;
            let series = &answer["activeUsers"];
            let lists = [
                ("daily", &series["daily"]),
                ("weekly", &series["weekly"]),
                ("monthly", &series["monthly"]),
                ("lifecycle", &answer["lifecycle"]),
            ];
            let rows = lists.into_iter().flat_map(|(name, rows)| {
                let rows = rows.as_array().cloned().unwrap_or_default();
                rows.into_iter().map(move |row| (name, row))
            });
            Ok(rows.collect())
        };
        let all = periods(&wide)?;
        let whole = |(_, row): &(&str, Value)| row["partial"] == false;
        for period in periods(&question)?.into_iter().filter(whole) {
            if !all.contains(&period) {
                return Err(format!(
                    "{period:?}\nis not among\n{all:?}\nquestion: {}",
                    question.json()
                ));
            }
        }
        Ok(())
    });
}
