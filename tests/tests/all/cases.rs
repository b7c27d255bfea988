//! Runs an oracle and an engine over random cases: always the same ones, and shrunk to the smallest that differs.

use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde::Serialize;
use serde_json::Value;
use travelsense_tests::oracle::{History, compare, numbers};

/// How many random cases a word must agree on.
pub(crate) const CASES: u32 = 10_000;

/// On how many a law is tried that needs no oracle.
pub(crate) const LAWS: u32 = 2_000;

/// On how many words are tried that fit models to each case, which takes a hundred times as long.
pub(crate) const FITS: u32 = 120;

/// Runs `check` on so many cases; the seed is fixed, so that a failure can be repeated anywhere.
///
/// `TRAVELSENSE_SEED` and `TRAVELSENSE_CASES` look further: any text, and a number.
pub(crate) fn agree<S: Strategy>(
    cases: u32,
    strategy: &S,
    check: impl Fn(&S::Value) -> Result<(), String>,
) where
    S::Value: Debug,
{
    let outcome = runner(cases).run(strategy, |case| check(&case).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(TestError::Abort(reason)) => panic!("the cases could not be run: {reason}"),
    }
}

/// The same, with `together` cases at a time, where preparing them one by one would take long; `check` says which is wrong.
pub(crate) fn agree_together<S: Strategy>(
    cases: u32,
    together: u32,
    strategy: &S,
    check: impl Fn(&[S::Value]) -> Result<(), (usize, String)>,
) {
    let mut runner = runner(cases);
    let mut left = runner.config().cases;
    while left > 0 {
        let now = left.min(together);
        left -= now;
        let mut trees: Vec<S::Tree> = (0..now)
            .map(|_| strategy.new_tree(&mut runner).expect("a case"))
            .collect();
        let values: Vec<S::Value> = trees.iter().map(ValueTree::current).collect();
        if let Err((wrong, mut reason)) = check(&values) {
            let tree = &mut trees[wrong];
            let mut goes_on = tree.simplify();
            while goes_on {
                goes_on = match check(&[tree.current()]) {
                    Ok(()) => tree.complicate(),
                    Err((_, smaller)) => {
                        reason = smaller;
                        tree.simplify()
                    }
                };
            }
            panic!("{reason}");
        }
    }
}

fn runner(cases: u32) -> TestRunner {
    let mut seed = [7_u8; 32];
    for (place, byte) in seed
        .iter_mut()
        .zip(setting("TRAVELSENSE_SEED").unwrap_or_default().bytes())
    {
        *place = byte;
    }
    let config = Config {
        cases: setting("TRAVELSENSE_CASES")
            .and_then(|n| n.parse().ok())
            .unwrap_or(cases),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        // Where each try opens stores, a smaller case is not worth waiting for.
        max_shrink_time: 60_000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// What whoever runs the tests asks of them.
#[expect(
    clippy::disallowed_methods,
    reason = "the test binary has no other configuration"
)]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Compares an answer with the oracle's; a difference comes with all that is needed to repeat it by hand.
pub(crate) fn same(
    expected: &Value,
    actual: &impl Serialize,
    question: &Value,
    history: &History,
) -> Result<(), String> {
    let actual = serde_json::to_value(actual).map_err(|e| e.to_string())?;
    compare::same(expected, &actual).map_err(|differences| {
        let events = history.events.iter().map(|e| {
            let user = e.user.as_deref().unwrap_or("nobody");
            format!(
                "{user} {} {} {:?} {:?}\n",
                numbers::instant(e.ts),
                e.name,
                e.seq,
                e.id
            )
        });
        format!(
            "{differences}\nquestion: {question}\nevents:\n{}",
            events.collect::<String>()
        )
    })
}
