//! Runs whose outcome is known by hand.

use super::*;
use crate::query::Instant;

fn at(day: i64) -> Instant {
    Instant::saturating_from_micros(day * 86_400_000_000)
}

fn day(n: usize) -> String {
    n.to_string()
}

/// Chance in [0, 1) that is the same every time.
fn chance(state: &mut u64) -> f64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Close to a normal number: the sum of twelve.
fn normal(state: &mut u64) -> f64 {
    (0..12).map(|_| chance(state)).sum::<f64>() - 6.0
}

/// The quantiles of a normal distribution of this deviation around 0, at those of the grid.
fn quantiles(deviation: f64) -> Vec<Option<f64>> {
    let z = [
        -2.5758, -2.3263, -1.9600, -1.6449, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6449, 1.9600,
        2.3263, 2.5758,
    ];
    z.iter().map(|z| Some(z * deviation)).collect()
}

/// What came, and when it was told.
type Came = Vec<(Instant, Vec<Actual>)>;

/// `days` runs, one a day, each of the next day: 0 with a deviation that may not be the one that comes.
fn daily(
    days: usize,
    told: f64,
    came: impl Fn(usize, &mut u64) -> f64,
) -> (Vec<(Instant, Run)>, Came) {
    let mut state = 88_172_645_463_325_252;
    let runs = (0..days).map(|i| {
        let run = Run {
            model: "m@1".to_owned(),
            grid: GRID.to_vec(),
            series: vec![Fan {
                id: "a".to_owned(),
                ds: vec![day(i + 1)],
                mean: vec![Some(0.0)],
                quantiles: vec![quantiles(told)],
                scale: Some(1.0),
            }],
            ..Run::default()
        };
        (at(i as i64), run)
    });
    let runs = runs.collect();
    let actuals = (0..days).map(|i| {
        let y = came(i, &mut state);
        let ds = day(i + 1);
        (
            at(i as i64 + 1),
            vec![Actual {
                id: "a".to_owned(),
                ds,
                y,
            }],
        )
    });
    (runs, actuals.collect())
}

fn asked() -> Feedback {
    Feedback {
        name: "n".to_owned(),
        runs: 1_000,
        ..Feedback::default()
    }
}

#[test]
fn what_came_is_joined_and_the_last_value_counts() {
    let run = |ds: &[&str]| Run {
        series: vec![Fan {
            id: "a".to_owned(),
            ds: ds.iter().map(|d| (*d).to_owned()).collect(),
            mean: ds.iter().map(|_| Some(10.0)).collect(),
            ..Fan::default()
        }],
        ..Run::default()
    };
    let told = |ds: &str, y: f64| Actual {
        id: "a".to_owned(),
        ds: ds.to_owned(),
        y,
    };
    let runs = [
        (at(0), run(&["2026-01-01", "2026-01-02"])),
        (at(1), run(&["2026-01-02", "2026-01-03"])),
    ];
    let actuals = [
        (at(1), vec![told("2026-01-01", 12.0)]),
        (
            at(2),
            vec![told("2026-01-01", 13.0), told("2026-01-02", 8.0)],
        ),
    ];
    let joined = join(&runs, &actuals);
    let seen: Vec<_> = joined
        .points
        .iter()
        .map(|p| (p.ds.as_str(), p.run, p.h, p.error()))
        .collect();
    assert_eq!(
        seen,
        [
            ("2026-01-01", 0, 1, -3.0),
            ("2026-01-02", 0, 2, 2.0),
            ("2026-01-02", 1, 1, 2.0)
        ]
    );
    assert_eq!((joined.waiting, joined.restated), (1, 1));
    let answer = answer(&asked(), &runs, &actuals, at(3));
    assert_eq!(answer.scores.n, 3);
    assert_eq!(answer.scores.bias, Some(1.0 / 3.0));
    assert_eq!(answer.scores.mae, Some(7.0 / 3.0));
    assert_eq!(answer.scores.wape, Some(7.0 / 29.0));
    assert!(answer.scores.coverage.is_empty() && answer.adapted.is_empty());
    assert_eq!(
        answer
            .by_horizon
            .iter()
            .map(|h| (h.h, h.scores.n))
            .collect::<Vec<_>>(),
        [(1, 2), (2, 1)]
    );
}

#[test]
fn a_score_without_a_time_is_joined_with_the_first_outcome_told_since() {
    let run = |p: f64| Run {
        measure: Measure::Probability,
        series: vec![Fan {
            id: "u".to_owned(),
            ds: vec![String::new()],
            mean: vec![Some(p)],
            ..Fan::default()
        }],
        ..Run::default()
    };
    let told = |y: f64| {
        vec![Actual {
            id: "u".to_owned(),
            ds: String::new(),
            y,
        }]
    };
    let runs = [(at(0), run(0.2)), (at(10), run(0.7)), (at(20), run(0.9))];
    let joined = join(&runs, &[(at(5), told(0.0)), (at(15), told(1.0))]);
    let seen: Vec<_> = joined.points.iter().map(|p| (p.mean, p.y)).collect();
    assert_eq!(seen, [(0.2, 0.0), (0.7, 1.0)]);
    assert_eq!(joined.waiting, 1);
}

#[test]
fn probabilities_are_scored() {
    let fan = |i: usize, p: f64| Fan {
        id: i.to_string(),
        ds: vec![String::new()],
        mean: vec![Some(p)],
        ..Fan::default()
    };
    let p = [0.1, 0.4, 0.35, 0.8];
    let run = Run {
        measure: Measure::Probability,
        series: p.iter().enumerate().map(|(i, p)| fan(i, *p)).collect(),
        ..Run::default()
    };
    let y = [0.0, 0.0, 1.0, 1.0];
    let told = y.iter().enumerate().map(|(i, y)| Actual {
        id: i.to_string(),
        ds: String::new(),
        y: *y,
    });
    let answer = answer(&asked(), &[(at(0), run)], &[(at(1), told.collect())], at(2));
    let chances = answer.probabilities.unwrap();
    // scikit-learn's example of roc_auc_score.
    assert_eq!(chances.auc, Some(0.75));
    let brier = (0.1_f64.powi(2) + 0.4_f64.powi(2) + 0.65_f64.powi(2) + 0.2_f64.powi(2)) / 4.0;
    assert!((chances.brier - brier).abs() < 1e-12);
    let loss = -(0.9_f64.ln() + 0.6_f64.ln() + 0.35_f64.ln() + 0.8_f64.ln()) / 4.0;
    assert!((chances.log_loss - loss).abs() < 1e-12);
}

#[test]
fn intervals_that_are_right_are_left_and_drift_is_not_seen_where_none_is() {
    let (runs, actuals) = daily(400, 1.0, |_, s| normal(s));
    let answer = answer(&asked(), &runs, &actuals, at(500));
    for covered in &answer.scores.coverage {
        let held = covered.held.value.unwrap();
        assert!((held - covered.level / 100.0).abs() < 0.05, "{covered:?}");
    }
    assert!(!answer.advice.refit, "{:?}", answer.advice);
    assert!(answer.drift.ratio < 1.0);
    let used = answer
        .adapted
        .iter()
        .find(|a| a.level == 95.0)
        .unwrap()
        .used;
    assert!((92.0..98.0).contains(&used), "{used}");
}

#[test]
fn intervals_that_are_too_narrow_learn_to_hold_what_they_say() {
    let (runs, actuals) = daily(400, 0.6, |_, s| normal(s));
    let joined = join(&runs, &actuals);
    let learned = adapted(80.0, &joined.points);
    assert!(learned.used > 94.0, "{learned:?}");
    // What it learned on the first half holds on the second.
    let (first, second) = joined.points.split_at(200);
    let used = adapted(80.0, first).used;
    let held = second
        .iter()
        .filter(|p| score::held(p, used) == Some(true))
        .count();
    assert!((0.72..0.90).contains(&(held as f64 / 200.0)), "{held}");
    let answer = answer(&asked(), &runs, &actuals, at(500));
    assert!(
        answer.advice.reasons.iter().any(|r| r.contains("held")),
        "{:?}",
        answer.advice
    );
}

#[test]
fn a_change_of_the_level_is_found_soon() {
    let (runs, actuals) = daily(300, 1.0, |i, s| {
        normal(s) + if i >= 200 { 1.5 } else { 0.0 }
    });
    let answer = answer(&asked(), &runs, &actuals, at(500));
    assert!(answer.drift.above.ratio >= 0.5 && answer.drift.above.since.is_some());
    assert!(answer.drift.below.since.is_none());
    let first = |until: usize| {
        let part = super::answer(&asked(), &runs[..until], &actuals[..until], at(500));
        part.drift.above.since
    };
    assert_eq!(first(200), None);
    assert!(first(225).is_some());
    assert!(answer.advice.refit);
}

#[test]
fn features_that_move_are_named() {
    let mut state = 7;
    let before: Vec<f64> = (0..2_000).map(|_| normal(&mut state)).collect();
    let same: Vec<f64> = (0..2_000).map(|_| normal(&mut state)).collect();
    let moved: Vec<f64> = same.iter().map(|x| x + 1.0).collect();
    let first = profile("x", &before, None);
    assert_eq!(first.edges.len(), 9);
    assert_eq!(first.counts.iter().sum::<u64>(), 2_000);
    let run = |x: &[f64]| Run {
        model: "m@1".to_owned(),
        profile: vec![profile("x", x, Some(&first))],
        ..Run::default()
    };
    let index = |x: &[f64]| {
        let runs = [(at(0), run(&before)), (at(1), run(x))];
        answer(&asked(), &runs, &[], at(2)).drift.features[0].psi
    };
    assert!(index(&same) < 0.02, "{}", index(&same));
    // For a shift by one deviation, the integral of the index is 1.
    assert!((0.7..1.1).contains(&index(&moved)), "{}", index(&moved));
    let missing = [vec![f64::NAN; 1_000], same[..1_000].to_vec()].concat();
    assert!(index(&missing) > 0.25);
}

#[test]
fn rows_hold_what_a_model_is_trained_on() {
    let run = Run {
        model: "m@2".to_owned(),
        series: ["a", "b"]
            .map(|id| Fan {
                id: id.to_owned(),
                ds: vec![String::new()],
                mean: vec![Some(0.5)],
                ..Fan::default()
            })
            .to_vec(),
        features: vec![("x".to_owned(), vec![1.into(), 2.into()])],
        ..Run::default()
    };
    let told = vec![Actual {
        id: "b".to_owned(),
        ds: String::new(),
        y: 1.0,
    }];
    let asked = Feedback {
        rows: true,
        ..asked()
    };
    let rows = answer(&asked, &[(at(0), run)], &[(at(1), told)], at(2))
        .rows
        .unwrap();
    assert_eq!((rows.unique_id, rows.y), (vec!["b".to_owned()], vec![1.0]));
    assert_eq!(rows.features["x"], serde_json::json!([2]));
}

#[test]
fn equal_probabilities_share_what_came() {
    use super::score::Probabilities;
    let point = |row: usize, mean: f64, came: bool| super::join::Point {
        run: 0,
        id: row.to_string(),
        row,
        ds: String::new(),
        h: 1,
        mean,
        grid: Vec::new().into(),
        quantiles: Vec::new(),
        scale: None,
        y: f64::from(u8::from(came)),
    };
    // Three of ten came of what was told as three of ten.
    let points: Vec<_> = (0..1_000).map(|i| point(i, 0.3, i % 10 < 3)).collect();
    let refs: Vec<_> = points.iter().collect();
    let found = Probabilities::of(&refs).unwrap();
    assert!(found.calibration_error < 1e-9, "{found:?}");
    let points: Vec<_> = (0..1_000).map(|i| point(i, 0.5, i % 10 < 3)).collect();
    let refs: Vec<_> = points.iter().collect();
    let found = Probabilities::of(&refs).unwrap();
    assert!((found.calibration_error - 0.2).abs() < 1e-9, "{found:?}");
}

#[test]
fn what_came_may_be_told_as_the_history_was_given() {
    use serde_json::json;
    for (given, kept) in [
        (json!("2025-01-11T00:00:00Z"), "2025-01-11"),
        (json!("2025-01-11T02:00:00Z"), "2025-01-11T02:00:00"),
        (json!("2025-01-11T00:00:00+02:00"), "2025-01-11"),
        (json!("2025-01-11T02:00:00"), "2025-01-11T02:00:00"),
        (json!("2025-01-11"), "2025-01-11"),
        (json!(7), "7"),
    ] {
        assert_eq!(super::ds(&given).unwrap(), kept, "{given}");
    }
    let body = json!({ "uniqueId": [1, 1.0, 1.5, "a"], "y": [1, 2, 3, 4] });
    let ids: Vec<_> = super::given::actuals(&body)
        .unwrap()
        .into_iter()
        .map(|a| a.id)
        .collect();
    assert_eq!(ids, ["1", "1", "1.5", "a"]);
}

#[test]
fn predictions_that_cannot_be_are_refused_by_name() {
    use serde_json::json;
    let refused =
        |body: serde_json::Value| super::given::predictions(&body).unwrap_err().to_string();
    let text = refused(json!({ "model": "m", "measure": "probability", "mean": [0.5, 1.5, -0.1] }));
    assert!(
        text.contains("mean[1]") && text.contains("mean[2]"),
        "{text}"
    );
    let text = refused(json!({ "model": "m", "mean": [3], "lower": [5], "upper": [1] }));
    assert!(text.contains("lower[0]"), "{text}");
}
