//! Two shares compared, recomputed (S1): by whole numbers where tables are small, by integrating the normal curve elsewhere.

use serde_json::{Value, json};

use super::numbers::{rate, wilson};

/// `with` and `without` are how many succeeded, of how many; the p-value is not adjusted yet.
pub fn contrast(with: (u64, u64), without: (u64, u64)) -> Value {
    let ((p, l1, u1), (q, l2, u2)) = (wilson(with.0, with.1), wilson(without.0, without.1));
    let figures = || {
        let (p, l1, u1) = (p?, l1?, u1?);
        let (q, l2, u2) = (q?, l2?, u2?);
        let d = p - q;
        let low = d - ((p - l1).powi(2) + (u2 - q).powi(2)).sqrt();
        let high = d + ((u1 - p).powi(2) + (q - l2).powi(2)).sqrt();
        Some((d, low, high))
    };
    let figures = figures();
    let p_value = figures.map(|_| p_value(with, without));
    json!({
        "with": rate(with.0, with.1),
        "without": rate(without.0, without.1),
        "difference": figures.map(|f| f.0),
        "low": figures.map(|f| f.1),
        "high": figures.map(|f| f.2),
        "correlation": phi(with, without),
        "pValue": p_value,
        "adjustedPValue": p_value,
    })
}

/// The table: successes and failures with, and without.
fn table((a, n1): (u64, u64), (c, n2): (u64, u64)) -> [f64; 4] {
    [a as f64, (n1 - a) as f64, c as f64, (n2 - c) as f64]
}

/// Pearson's correlation of the two columns of noughts and ones.
fn phi(with: (u64, u64), without: (u64, u64)) -> Option<f64> {
    let [a, b, c, d] = table(with, without);
    let n = a + b + c + d;
    let (x, y) = ((a + b) / n, (a + c) / n);
    let variance = x * (1.0 - x) * y * (1.0 - y);
    (variance > 1e-15).then(|| (a / n - x * y) / variance.sqrt())
}

fn p_value(with: (u64, u64), without: (u64, u64)) -> f64 {
    let [a, b, c, d] = table(with, without);
    let n = a + b + c + d;
    let mut expected = Vec::new();
    for row in [a + b, c + d] {
        for column in [a + c, b + d] {
            expected.push(row * column / n);
        }
    }
    if expected.contains(&0.0) {
        return 1.0;
    }
    if expected.iter().all(|e| *e >= 5.0) {
        let squares = [a, b, c, d].into_iter().zip(&expected);
        let chi: f64 = squares.map(|(seen, e)| (seen - e).powi(2) / e).sum();
        return two_tails(chi.sqrt());
    }
    fisher(with, without)
}

/// The share of the normal curve beyond ±x, by Simpson's rule.
fn two_tails(x: f64) -> f64 {
    let steps = 20_000;
    let width = x / f64::from(steps);
    let curve = |i: i32| {
        let at = f64::from(i) * width;
        (-at * at / 2.0).exp()
    };
    let sum: f64 = (1..steps)
        .map(|i| curve(i) * if i % 2 == 1 { 4.0 } else { 2.0 })
        .sum();
    let inside = (curve(0) + sum + curve(steps)) * width / 3.0;
    1.0 - 2.0 * inside / (2.0 * std::f64::consts::PI).sqrt()
}

/// All ways to deal the successes that are no likelier than this one, of all ways.
fn fisher((a, n1): (u64, u64), (c, n2): (u64, u64)) -> f64 {
    let successes = a + c;
    let ways = |k: u64| choose(n1, k) * choose(n2, successes - k);
    let possible = successes.saturating_sub(n2)..=successes.min(n1);
    let mine = ways(a);
    let tail: u128 = possible.map(ways).filter(|w| *w <= mine).sum();
    tail as f64 / choose(n1 + n2, successes) as f64
}

fn choose(n: u64, k: u64) -> u128 {
    (0..u128::from(k)).fold(1, |ways, i| ways * (u128::from(n) - i) / (i + 1))
}

/// Adjusts p-values that are looked at together, by the definition of Benjamini and Hochberg: the least bound on the share of
/// chance among what is called real at which this one still is.
pub fn adjust<'v>(contrasts: impl IntoIterator<Item = &'v mut Value>) {
    let mut contrasts: Vec<&mut Value> = contrasts
        .into_iter()
        .filter(|c| c["pValue"].is_number())
        .collect();
    let p: Vec<f64> = contrasts
        .iter()
        .filter_map(|c| c["pValue"].as_f64())
        .collect();
    for (contrast, mine) in contrasts.iter_mut().zip(&p) {
        let at_least = p.iter().filter(|q| *q >= mine);
        let bound = |q: &f64| q * p.len() as f64 / p.iter().filter(|r| *r <= q).count() as f64;
        let least = at_least.map(bound).fold(1.0, f64::min);
        contrast["adjustedPValue"] = json!(least);
    }
}

/// How strongly it separates: for the order of factors of the same units.
pub fn strength(contrast: &Value) -> f64 {
    let n = |side: &str, field: &str| contrast[side][field].as_i64().unwrap_or(0);
    let (a, n1, c, n2) = (
        n("with", "k"),
        n("with", "n"),
        n("without", "k"),
        n("without", "n"),
    );
    let cross = (a * (n2 - c) - (n1 - a) * c) as f64;
    cross * cross / (n1 as f64 * n2 as f64)
}
