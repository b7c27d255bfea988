//! How good probabilities are, held against what came true.

use rayon::prelude::*;

/// A probability and whether it came true.
pub(super) type Judged = (f64, bool);

/// The chance that of two users, one who went and one who stayed, the one who went had the higher score; a half for equal scores.
/// None where there is no such pair. Scores ascend.
fn auc(ascending: &[Judged], weight: impl Fn(usize) -> f64) -> Option<f64> {
    let (mut stayed, mut gone, mut won) = (0.0, 0.0, 0.0);
    let mut i = 0;
    for equal in ascending.chunk_by(|a, b| a.0 == b.0) {
        let (mut gone_here, mut stayed_here) = (0.0, 0.0);
        for (_, churned) in equal {
            let weight = weight(i);
            i += 1;
            if *churned {
                gone_here += weight;
            } else {
                stayed_here += weight;
            }
        }
        won += gone_here * (stayed + stayed_here / 2.0);
        gone += gone_here;
        stayed += stayed_here;
    }
    (gone > 0.0 && stayed > 0.0).then(|| won / (gone * stayed))
}

/// Probabilities in ascending order, equal ones by what came true, so that nothing depends on the order of users.
pub(super) fn ascending(mut judged: Vec<Judged>) -> Vec<Judged> {
    judged.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    judged
}

/// The area under the ROC curve, with the central 95 % of 200 bootstrap samples, in which each user counts a Poisson(1) number of
/// times (the seed is fixed); none where nobody went or nobody stayed.
pub(super) fn auc_with_interval(ascending: &[Judged]) -> Option<[f64; 3]> {
    const SAMPLES: u64 = 200;
    let value = auc(ascending, |_| 1.0)?;
    let mut drawn: Vec<f64> = (0..SAMPLES)
        .into_par_iter()
        .filter_map(|sample| {
            let seed = mix(sample);
            auc(ascending, |i| poisson(mix(seed ^ i as u64)))
        })
        .collect();
    drawn.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * drawn.len().saturating_sub(1) as f64).round();
        drawn.get(place as usize).copied().unwrap_or(value)
    };
    Some([value, at(0.025).min(value), at(0.975).max(value)])
}

/// SplitMix64 (Steele, Lea and Flood, 2014): 64 bits that look random, from a counter.
fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A Poisson number with mean 1 for 64 random bits: how many of its cumulative probabilities they reach.
fn poisson(bits: u64) -> f64 {
    const REACHED: [f64; 9] = [
        0.367_879_441_171_442_33,
        0.735_758_882_342_884_7,
        0.919_698_602_928_605_8,
        0.981_011_843_123_846_2,
        0.996_340_153_172_656_3,
        0.999_405_815_182_418_3,
        0.999_916_758_850_711_9,
        0.999_989_750_803_325_3,
        0.999_998_874_797_402,
    ];
    let uniform = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    REACHED
        .iter()
        .take_while(|reached| uniform >= **reached)
        .count() as f64
}

/// The mean squared distance of probabilities and what came true; 0 for nobody.
pub(super) fn brier(judged: &[Judged]) -> f64 {
    mean(judged, |p, came| (p - came) * (p - came))
}

/// The mean of minus the logarithm of what probability was given to what came true.
pub(super) fn log_loss(judged: &[Judged]) -> f64 {
    mean(judged, |p, came| {
        let given = if came > 0.5 { p } else { 1.0 - p };
        -libm::log(given.max(1e-15))
    })
}

fn mean(judged: &[Judged], loss: impl Fn(f64, f64) -> f64) -> f64 {
    let sum: f64 = judged
        .iter()
        .map(|(p, came)| loss(*p, f64::from(u8::from(*came))))
        .sum();
    sum / judged.len().max(1) as f64
}

/// Users whose probabilities lie within one tenth of [0, 1].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bin {
    pub(super) users: u64,
    /// The sum of their probabilities.
    pub(super) expected: f64,
    /// How many of them it came true for.
    pub(super) came: u64,
}

/// The ten tenths of [0, 1].
pub(super) fn bins(judged: &[Judged]) -> [Bin; 10] {
    let mut bins = [Bin::default(); 10];
    for (p, came) in judged {
        let bin = ((p * 10.0) as usize).min(9);
        if let Some(bin) = bins.get_mut(bin) {
            bin.users += 1;
            bin.expected += p;
            bin.came += u64::from(*came);
        }
    }
    bins
}

/// The expected calibration error: how far, on average over users, the mean probability of their tenth is from the share it came true
/// for.
pub(super) fn calibration_error(bins: &[Bin]) -> f64 {
    let users: u64 = bins.iter().map(|b| b.users).sum();
    let off: f64 = bins
        .iter()
        .map(|b| (b.expected - b.came as f64).abs())
        .sum();
    off / users.max(1) as f64
}

/// How many times as often it came true for the tenth with the highest probabilities as for all, equal ones shared out evenly; none where it
/// came true for nobody.
pub(super) fn lift(ascending: &[Judged]) -> Option<f64> {
    let all = ascending.iter().filter(|j| j.1).count() as f64;
    let n = ascending.len() as f64;
    let mut left = n / 10.0;
    let mut caught = 0.0;
    for equal in ascending.chunk_by(|a, b| a.0 == b.0).rev() {
        let came = equal.iter().filter(|j| j.1).count() as f64;
        let taken = left.min(equal.len() as f64);
        caught += came * taken / equal.len() as f64;
        left -= taken;
        if left <= 0.0 {
            break;
        }
    }
    (all > 0.0).then(|| caught / (n / 10.0) / (all / n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Vec<Judged> {
        ascending(vec![
            (0.9, true),
            (0.4, false),
            (0.4, true),
            (0.1, false),
            (0.8, false),
        ])
    }

    #[test]
    fn area_and_errors_equal_what_is_counted_by_hand() {
        // Pairs: 0.9 beats 0.4, 0.1 and 0.8; the 0.4 who went ties with one, beats one, loses to one: 4.5 of 6.
        let [auc, low, high] = auc_with_interval(&example()).unwrap();
        assert_eq!(auc, 0.75);
        assert!(low <= auc && auc <= high && low >= 0.0 && high <= 1.0);
        let expected = (0.01 + 0.16 + 0.36 + 0.01 + 0.64) / 5.0;
        assert!((brier(&example()) - expected).abs() < 1e-12);
        assert!(
            (calibration_error(&bins(&example())) - (0.1 + 0.2 + 0.1 + 0.8) / 5.0).abs() < 1e-12
        );
        assert!((lift(&example()).unwrap() - 2.5).abs() < 1e-12);
        assert_eq!(auc_with_interval(&[(0.3, true), (0.5, true)]), None);
        assert_eq!(lift(&[(0.3, false)]), None);
    }

    #[test]
    fn the_interval_of_the_area_is_as_wide_as_its_known_standard_error() {
        // Hanley and McNeil (1982): for exponential scores the standard error follows from the area; here it is close.
        let judged: Vec<Judged> = (0..2_000_u64)
            .map(|i| {
                let u = (mix(i) >> 11) as f64 / (1_u64 << 53) as f64;
                let came = i % 4 == 0;
                (if came { u.sqrt() } else { u }, came)
            })
            .collect();
        let [a, low, high] = auc_with_interval(&ascending(judged)).unwrap();
        let (q1, q2) = (a / (2.0 - a), 2.0 * a * a / (1.0 + a));
        let (n, m) = (500.0, 1_500.0);
        let variance =
            (a * (1.0 - a) + (n - 1.0) * (q1 - a * a) + (m - 1.0) * (q2 - a * a)) / (n * m);
        let ratio = (high - low) / (2.0 * 1.96 * variance.sqrt());
        assert!((0.85..1.15).contains(&ratio), "{ratio}");
    }

    #[test]
    fn poisson_numbers_have_mean_and_variance_1() {
        let drawn: Vec<f64> = (0..100_000).map(|i| poisson(mix(i))).collect();
        let mean = drawn.iter().sum::<f64>() / 1e5;
        let variance = drawn.iter().map(|k| (k - mean) * (k - mean)).sum::<f64>() / 1e5;
        assert!(
            (mean - 1.0).abs() < 0.02 && (variance - 1.0).abs() < 0.03,
            "{mean} {variance}"
        );
    }
}
