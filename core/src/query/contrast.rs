//! Two shares compared (S1): their difference with its interval, how likely it is by chance, and what that is worth among many.

use serde::Serialize;

use super::Rate;

/// The share of units with something against the share of those without it.
///
/// The two sets must not overlap, and units are taken as independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contrast {
    /// Of the units that have it.
    pub with: Rate,
    /// Of the others.
    pub without: Rate,
    /// `with − without`; nothing where either is of nobody, like every figure below.
    pub difference: Option<f64>,
    /// The lower end of its 95 % interval: Newcombe's hybrid of the two Wilson intervals (R. G. Newcombe, 1998, method 10).
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The correlation of having it and succeeding, −1 to 1 (the phi coefficient); nothing where all or none succeed.
    pub correlation: Option<f64>,
    /// How likely a difference at least as large is if there is none, both directions counted: Pearson's χ² test where all
    /// four expected counts are at least 5 (W. G. Cochran, 1954), Fisher's exact test elsewhere.
    pub p_value: Option<f64>,
    /// The same where many are compared: called real below `q`, at most the share `q` of what is called so is chance
    /// (Y. Benjamini and Y. Hochberg, 1995).
    pub adjusted_p_value: Option<f64>,
}

impl Contrast {
    /// `with` and `without` are `(k, n)`: how many succeed, of how many. Alone, its p-value needs no adjustment.
    pub fn of(with: (u64, u64), without: (u64, u64)) -> Self {
        let (a, b) = (Rate::of(with.0, with.1), Rate::of(without.0, without.1));
        let interval = || {
            let (p, q) = (a.value?, b.value?);
            let difference = p - q;
            let low = difference - (p - a.low?).hypot(b.high? - q);
            let high = difference + (a.high? - p).hypot(q - b.low?);
            Some((difference, low.max(-1.0), high.min(1.0)))
        };
        let interval = interval();
        let p_value = interval.map(|_| p_value(with, without));
        Self {
            with: a,
            without: b,
            difference: interval.map(|i| i.0),
            low: interval.map(|i| i.1),
            high: interval.map(|i| i.2),
            correlation: correlation(with, without),
            p_value,
            adjusted_p_value: p_value,
        }
    }

    /// How strongly it separates, where both sets together are the same units: χ² but for a factor that all share. Exact for
    /// small counts, so that equals are equal.
    pub(crate) fn strength(&self) -> f64 {
        let rows = self.with.n as f64 * self.without.n as f64;
        let cross = cross((self.with.k, self.with.n), (self.without.k, self.without.n)) as f64;
        if rows > 0.0 {
            cross * cross / rows
        } else {
            0.0
        }
    }
}

/// Adjusts the p-values of contrasts that are looked at together.
pub(crate) fn adjust<'c>(together: impl IntoIterator<Item = &'c mut Contrast>) {
    let mut family: Vec<(f64, &mut Contrast)> = together
        .into_iter()
        .filter_map(|c| Some((c.p_value?, c)))
        .collect();
    family.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = family.len() as f64;
    let mut least = 1.0_f64;
    for (rank, (p, contrast)) in family.iter_mut().enumerate().rev() {
        least = least.min(*p * all / (rank + 1) as f64);
        contrast.adjusted_p_value = Some(least);
    }
}

/// `ad − bc` of the table of both sets.
fn cross(with: (u64, u64), without: (u64, u64)) -> i128 {
    let fails = |(k, n): (u64, u64)| i128::from(n - k.min(n));
    i128::from(with.0) * fails(without) - fails(with) * i128::from(without.0)
}

fn correlation(with: (u64, u64), without: (u64, u64)) -> Option<f64> {
    let n = with.1 + without.1;
    let succeed = with.0 + without.0;
    let margins = [with.1, without.1, succeed, n - succeed.min(n)];
    let product: f64 = margins.iter().map(|m| *m as f64).product();
    (product > 0.0).then(|| cross(with, without) as f64 / product.sqrt())
}

fn p_value(with: (u64, u64), without: (u64, u64)) -> f64 {
    let n = with.1 + without.1;
    let succeed = with.0 + without.0;
    let fail = n - succeed.min(n);
    let expected = with.1.min(without.1) as f64 * succeed.min(fail) as f64 / n as f64;
    match correlation(with, without) {
        None => 1.0,
        // Of one degree of freedom: P(χ² ≥ x) = erfc(√(x / 2)), and χ² = n · φ².
        Some(phi) if expected >= 5.0 => libm::erfc((n as f64 / 2.0).sqrt() * phi.abs()),
        Some(_) => exact(with, without, succeed),
    }
}

/// Fisher's exact test, both sides: the probability of all tables with these margins that are no likelier than this one.
///
/// Each table's likelihood follows from its neighbour's by a ratio; they are counted from the likeliest, so that none overflows.
/// Where the test is used there are few of them, at most about √(20 n).
fn exact(with: (u64, u64), without: (u64, u64), succeed: u64) -> f64 {
    let (n1, n2) = (with.1, without.1);
    let (least, most) = (succeed.saturating_sub(n2), succeed.min(n1));
    let mode = (u128::from(succeed + 1) * u128::from(n1 + 1) / u128::from(n1 + n2 + 2)) as u64;
    let mode = mode.clamp(least, most);
    // The likelihood of k + 1 over that of k.
    let ratio = |k: u64| {
        let up = (n1 - k) as f64 * (succeed - k) as f64;
        up / ((k + 1) as f64 * (n2 + k + 1 - succeed) as f64)
    };
    let mut likelihoods = vec![(mode, 1.0_f64)];
    let mut likelihood = 1.0;
    for k in mode..most {
        likelihood *= ratio(k);
        likelihoods.push((k + 1, likelihood));
    }
    likelihood = 1.0;
    for k in (least..mode).rev() {
        likelihood /= ratio(k);
        likelihoods.push((k, likelihood));
    }
    likelihoods.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let here = likelihoods
        .iter()
        .find(|l| l.0 == with.0)
        .map_or(1.0, |l| l.1);
    // Equally likely tables count, also where rounding makes them differ.
    let bound = here * (1.0 + 1e-7);
    let tail: f64 = likelihoods
        .iter()
        .map(|l| l.1)
        .filter(|l| *l <= bound)
        .sum();
    let all: f64 = likelihoods.iter().map(|l| l.1).sum();
    (tail / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: Option<f64>, expected: f64, within: f64) {
        let actual = actual.unwrap();
        assert!(
            (actual - expected).abs() < within,
            "{actual} is not {expected}"
        );
    }

    #[test]
    fn the_interval_equals_the_published_examples() {
        // Newcombe (1998, interval estimation for the difference), table II, method 10.
        for (with, without, low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((0, 10), (0, 20), -0.1611, 0.2775),
        ] {
            let contrast = Contrast::of(with, without);
            close(contrast.low, low, 5e-5);
            close(contrast.high, high, 5e-5);
        }
    }

    #[test]
    fn small_tables_are_tested_exactly() {
        // Fisher's lady tasting tea: 34 of 70 tables are no likelier than three right of four.
        close(Contrast::of((3, 4), (1, 4)).p_value, 34.0 / 70.0, 1e-15);
        close(Contrast::of((4, 4), (0, 4)).p_value, 2.0 / 70.0, 1e-15);
        // Counted by whole numbers: 3,731 of 1,352,078 tables are no likelier.
        let counted = 3_731.0 / 1_352_078.0;
        close(Contrast::of((1, 9), (11, 14)).p_value, counted, 1e-15);
        assert_eq!(Contrast::of((0, 5), (0, 9)).p_value, Some(1.0));
        assert_eq!(Contrast::of((0, 0), (3, 9)).p_value, None);
        assert_eq!(Contrast::of((0, 0), (3, 9)).difference, None);
    }

    #[test]
    fn large_tables_are_tested_by_chi_square() {
        // χ² = 150 · 1120² / (70 · 80 · 104 · 46) = 7.0234.
        close(Contrast::of((56, 70), (48, 80)).p_value, 0.008_045_08, 1e-8);
        close(
            Contrast::of((56, 70), (48, 80)).correlation,
            0.216_385_6,
            1e-6,
        );
        assert_eq!(Contrast::of((50, 100), (50, 100)).p_value, Some(1.0));
        let huge = Contrast::of((900_000_000, 2_000_000_000), (700_000_000, 2_000_000_000));
        assert_eq!(huge.p_value, Some(0.0));
    }

    #[test]
    fn many_are_adjusted_together() {
        // Benjamini and Hochberg (1995), their example of 15 hypotheses: 4 are rejected at 5 %.
        let given = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        let mut contrasts = given.map(|p| Contrast {
            p_value: Some(p),
            ..Contrast::of((1, 2), (1, 2))
        });
        adjust(&mut contrasts);
        let adjusted = contrasts.map(|c| c.adjusted_p_value.unwrap());
        assert_eq!(adjusted.iter().filter(|p| **p <= 0.05).count(), 4);
        close(Some(adjusted[0]), 0.0015, 1e-12);
        close(Some(adjusted[3]), 0.035_625, 1e-12);
        assert!(adjusted.is_sorted());
        close(Some(adjusted[14]), 1.0, 1e-12);
    }
}
