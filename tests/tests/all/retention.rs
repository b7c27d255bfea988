//! Retention: the engine against every pair of a start and a return.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use travelsense::retention::RetentionAnswer;
use travelsense::{Instant, retention};
use travelsense_tests::oracle::History;
use travelsense_tests::oracle::calendar::{Period, WEEKDAYS};
use travelsense_tests::oracle::retention::Retention;

use crate::cases::{CASES, LAWS, agree, same};
use crate::generate::{DAY, HOUR, NOW, ask, scene, segment, selector, timelines};
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
        any::<bool>(),
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
                recurring,
                segment,
                day,
                periods,
            )| {
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
                        recurring,
                        segment,
                        week_start,
                        periods,
                        as_of,
                    },
                )
            },
        )
}

fn ask_engine(history: &History, table: &Retention) -> Result<RetentionAnswer, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    let question = travelsense::Retention::parse(&table.json(), now).map_err(|e| e.to_string())?;
    let timelines = timelines(history, &table.range, table.as_of);
    ask(&timelines, table.as_of, &question, retention::answer)
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_retention_tables() {
    agree(CASES, &case(), |(history, table)| {
        let answer = ask_engine(history, table)?;
        same(&table.answer(history), &answer, &table.json(), history)
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
