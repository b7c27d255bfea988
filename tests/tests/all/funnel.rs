//! Funnels: the engine against the enumeration of every chain.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use travelsense::funnel::FunnelAnswer;
use travelsense::{Instant, funnel};
use travelsense_tests::oracle::History;
use travelsense_tests::oracle::funnel::Funnel;

use crate::cases::{CASES, LAWS, agree, same};
use crate::generate::{DAY, HOUR, NOW, SECOND, ask, scene, segment, selector, timelines};

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
                let steps = steps.clone();
                (
                    history,
                    Funnel {
                        steps,
                        window,
                        range,
                        segment,
                        strict_increase,
                        time_between,
                        as_of,
                    },
                )
            },
        )
    })
}

fn ask_engine(history: &History, funnel: &Funnel) -> Result<FunnelAnswer, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    let question =
        travelsense::Funnel::parse(&funnel.json(), &[], now).map_err(|e| e.to_string())?;
    let timelines = timelines(history, &funnel.range, funnel.as_of);
    ask(&timelines, funnel.as_of, &question, funnel::answer)
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_funnels() {
    agree(CASES, &case(), |(history, funnel)| {
        let answer = ask_engine(history, funnel)?;
        same(&funnel.answer(history), &answer, &funnel.json(), history)
    });
}

#[test]
fn new_and_returning_are_active_and_premium_and_free_are_all() {
    agree(LAWS, &case(), |(history, funnel)| {
        let of = |segment: &str| -> Result<[u64; 3], String> {
            let funnel = Funnel {
                segment: segment.to_owned(),
                ..funnel.clone()
            };
            let answer = ask_engine(history, &funnel)?;
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
