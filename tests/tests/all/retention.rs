//! Retention: the engine against every pair of a start and a return.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use travelsense::access::{self, Permission, Principal, Scoped};
use travelsense::retention::{Place, RetentionAnswer, Who};
use travelsense::timeline::{Columns, View};
use travelsense::{Instant, retention};
use travelsense_tests::oracle::History;
use travelsense_tests::oracle::calendar::{Period, WEEKDAYS};
use travelsense_tests::oracle::retention::{Retention, said};

use crate::cases::{CASES, LAWS, agree, same};
use crate::generate::{DAY, HOUR, NOW, scene, segment, selector, timelines};
use travelsense_tests::oracle::question::{Bound, Range, Selector};

pub(crate) fn case() -> impl Strategy<Value = (History, Retention)> {
    let period = select(vec![
        Period::Daily,
        Period::Daily,
        Period::Weekly,
        Period::Monthly,
    ]);
    let selector = || prop_oneof![1 => Just(Selector::Any), 2 => selector()];
    let periods =
        prop_oneof![3 => Just(Some(3)), 3 => (0_u32..=12).prop_map(Some), 1 => Just(None)];
    let span = select(vec![HOUR, DAY, 7 * DAY, 30 * DAY]);
    (
        span.prop_flat_map(scene),
        period,
        selector(),
        selector(),
        (
            select(MODES.as_slice()),
            select(UNITS.as_slice()),
            select(CRITERIA.as_slice()),
            vec((0_u32..4, 1_u32..4), 1..4),
            any::<bool>(),
            proptest::option::weighted(0.3, Just("x".to_owned())),
            proptest::bool::weighted(0.2),
        ),
        segment(),
        0_usize..7,
        periods,
    )
        .prop_map(
            |(
                (history, range, as_of),
                period,
                start,
                returning,
                (mode, unit, criterion, gaps, rates, start_says, hold),
                segment,
                day,
                periods,
            )| {
                let period = if unit == "month_anniversary" {
                    Period::Monthly
                } else {
                    period
                };
                let metric = if rates {
                    "retention_rate"
                } else {
                    "engagement"
                };
                let brackets = gaps.iter().scan(0, |end, (gap, length)| {
                    let first = *end + gap;
                    *end = first + length;
                    Some((first, *end))
                });
                let week_start = WEEKDAYS[day].1;
                // All columns up to today would be thousands; asking for all is left to those who look soon after.
                let far = as_of > range.span().1 + 60 * DAY;
                let periods = if far { periods.or(Some(5)) } else { periods };
                (
                    history,
                    Retention {
                        period,
                        range,
                        start,
                        returning,
                        mode: mode.to_owned(),
                        unit: unit.to_owned(),
                        criterion: criterion.to_owned(),
                        brackets: brackets.collect(),
                        metric: metric.to_owned(),
                        start_says,
                        hold,
                        segment,
                        week_start,
                        periods,
                        as_of,
                    },
                )
            },
        )
}

const MODES: [&str; 3] = ["first_time", "first_ever_then_filter", "recurring"];
const UNITS: [&str; 8] = [
    "calendar",
    "calendar",
    "calendar",
    "calendar",
    "24h",
    "7d",
    "30d",
    "month_anniversary",
];
const CRITERIA: [&str; 7] = [
    "on",
    "on",
    "on",
    "on_or_after",
    "on_or_before",
    "streak",
    "brackets",
];

pub(crate) fn ask_engine(history: &History, table: &Retention) -> Result<RetentionAnswer, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    let question = travelsense::Retention::parse(&table.json(), now).map_err(|e| e.to_string())?;
    with(history, table, &question, retention::answer)
}

/// Asks the engine over a history whose events say what the oracle takes them to say.
fn with<T>(
    history: &History,
    table: &Retention,
    question: &travelsense::Retention,
    ask: impl Fn(&Scoped<&travelsense::Retention>, &View<'_>) -> travelsense::Result<T>,
) -> Result<T, String> {
    let (timelines, premium) = timelines(history, &table.range, table.as_of);
    let says = history.events.iter().filter(|e| e.user.is_some());
    let says = says.map(|e| said(e).map(|value| Value::from(value).to_string()));
    let columns = Columns::given([("p".to_owned(), says.collect())], [], Vec::new());
    let scoped = access::grant(&Principal::owner(), Permission::ReadAnalytics, question)
        .map_err(|e| e.to_string())?;
    let as_of = Instant::from_micros(table.as_of).ok_or("as of an instant out of bounds")?;
    let view = View {
        premium: &premium,
        columns: &columns,
        ..View::new(&timelines, as_of)
    };
    ask(&scoped, &view).map_err(|e| e.to_string())
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_retention_tables() {
    agree(CASES, &case(), |(history, table)| {
        let answer = ask_engine(history, table)?;
        same(&table.answer(history), &answer, &table.json(), history)
    });
}

#[test]
fn every_cell_has_its_people_and_the_groups_add_up_to_it() {
    agree(LAWS / 4, &case(), |(history, table)| {
        let now = Instant::from_micros(NOW).ok_or("now")?;
        let mut json = table.json();
        json["breakdown"] = serde_json::json!({ "property": "p", "limit": 2 });
        let question = travelsense::Retention::parse(&json, now).map_err(|e| e.to_string())?;
        let answer = with(history, table, &question, retention::answer)?;
        let plain = ask_engine(history, table)?;
        let groups = answer.breakdown.as_ref().ok_or("a breakdown")?;
        let people = |cohort, column, who, group| -> Result<u64, String> {
            let cell = Place {
                cohort,
                column,
                who,
                group,
            };
            let users = with(history, table, &question, |q, v| {
                retention::people(q, v, &cell)
            })?;
            if !users.is_sorted_by(|a, b| a < b) {
                return Err(format!("{users:?} are not each once and ascending"));
            }
            Ok(users.len() as u64)
        };
        for (c, cohort) in plain.cohorts.iter().enumerate() {
            let sizes = groups.groups.iter().map(|g| g.cohorts[c].size);
            if sizes.sum::<u64>() != cohort.size {
                return Err(format!("groups of {cohort:?}: {groups:?}\n{json}"));
            }
            for (n, cell) in cohort.retention.iter().enumerate().take(4) {
                let counts = groups
                    .groups
                    .iter()
                    .map(|g| g.cohorts[c].retention[n].count);
                if counts.sum::<u64>() != cell.count {
                    return Err(format!("groups of {cell:?}: {groups:?}\n{json}"));
                }
                let mut wanted = vec![
                    (Who::Cohort, cohort.size, None),
                    (
                        Who::ReturnedInStartPeriod,
                        cohort.returned_in_start_period,
                        None,
                    ),
                    (Who::Eligible, cell.eligible, None),
                    (Who::Retained, cell.count, None),
                    (Who::NotRetained, cell.eligible - cell.count, None),
                    (Who::ReturnedSoFar, cell.partial_count, None),
                ];
                for (g, group) in groups.groups.iter().enumerate() {
                    wanted.push((Who::Retained, group.cohorts[c].retention[n].count, Some(g)));
                }
                for (who, count, group) in wanted {
                    let found = people(cohort.period, n, who, group)?;
                    // A date that a clock shows twice, or skips, may share its first instant with a neighbour.
                    let twins = plain.cohorts.iter().filter(|o| o.period == cohort.period);
                    if found != count && twins.count() == 1 {
                        return Err(format!("{found} are {who:?} {group:?} of {cell:?}\n{json}"));
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_whole_cohort_does_not_depend_on_how_wide_the_range_is() {
    let wider = (case(), 0..40 * DAY, 0..40 * DAY);
    agree(LAWS, &wider, |((history, table), before, after)| {
        // A segment is relative to the range, so only everybody is the same in both.
        let table = Retention {
            segment: "all".to_owned(),
            ..table.clone()
        };
        let (from, to) = table.range.span();
        let range = Range {
            start: Bound::At(from - before),
            end: Bound::At(to + after),
            timezone: table.range.timezone.clone(),
        };
        let wide = Retention {
            range,
            ..table.clone()
        };
        let cohorts = |table: &Retention| -> Result<Vec<Value>, String> {
            let answer =
                serde_json::to_value(ask_engine(history, table)?).map_err(|e| e.to_string())?;
            Ok(answer["cohorts"].as_array().cloned().unwrap_or_default())
        };
        let all = cohorts(&wide)?;
        for cohort in cohorts(&table)?.iter().filter(|c| c["partial"] == false) {
            if !all.contains(cohort) {
                return Err(format!(
                    "{cohort}\nis not among\n{all:?}\nquestion: {}",
                    table.json()
                ));
            }
        }
        Ok(())
    });
}
