//! A smooth function of a few numbers, minimised.
#![expect(
    clippy::indexing_slicing,
    reason = "a numerical kernel over arrays of one fixed length"
)]

/// How far it looks from 0 in every direction: parameters are logarithms, and e^±9 bounds those of every likelihood here.
const FAR: f64 = 9.0;

/// Where `f`, which gives a value and a gradient, is least within e^±9: BFGS with backtracking (Nocedal and Wright, 2006, chapter
/// 6), each step cut at the bounds.
pub(super) fn minimise<const N: usize>(
    start: [f64; N],
    f: impl Fn(&[f64; N]) -> (f64, [f64; N]),
) -> [f64; N] {
    const STEPS: usize = 300;
    /// A step that promises less than this of the value is none: likelihoods here are means over customers, of which a billionth is far
    /// below what parameters are known to, and along a flat valley smaller steps go on for hundreds of evaluations.
    const LEAST: f64 = 1e-10;
    let mut at = start;
    let (mut value, mut slope) = f(&at);
    let mut inverse = identity::<N>();
    for _ in 0..STEPS {
        let mut direction = [0.0; N];
        for i in 0..N {
            for j in 0..N {
                direction[i] -= inverse[i][j] * slope[j];
            }
            // A bound that the function falls towards is left alone.
            if (at[i] >= FAR && slope[i] < 0.0) || (at[i] <= -FAR && slope[i] > 0.0) {
                direction[i] = 0.0;
            }
        }
        let mut falling: f64 = (0..N).map(|i| direction[i] * slope[i]).sum();
        if falling >= 0.0 {
            inverse = identity();
            for i in 0..N {
                let out = (at[i] >= FAR && slope[i] < 0.0) || (at[i] <= -FAR && slope[i] > 0.0);
                direction[i] = if out { 0.0 } else { -slope[i] };
            }
            falling = (0..N).map(|i| direction[i] * slope[i]).sum();
        }
        let longest = direction.iter().fold(0.0, |m: f64, d| m.max(d.abs()));
        if longest == 0.0 || falling.abs() < LEAST * (1.0 + value.abs()) {
            break;
        }
        let mut step = (1.0 / longest).min(1.0);
        let mut found = None;
        for _ in 0..40 {
            let mut next = at;
            for i in 0..N {
                next[i] = (at[i] + step * direction[i]).clamp(-FAR, FAR);
            }
            let (v, g) = f(&next);
            if v.is_finite() && v <= value + 1e-4 * step * falling {
                found = Some((next, v, g));
                break;
            }
            step *= 0.5;
        }
        let Some((next, v, g)) = found else { break };
        let (mut s, mut y) = ([0.0; N], [0.0; N]);
        for i in 0..N {
            s[i] = next[i] - at[i];
            y[i] = g[i] - slope[i];
        }
        (at, value, slope) = (next, v, g);
        update(&mut inverse, &s, &y);
    }
    at
}

fn identity<const N: usize>() -> [[f64; N]; N] {
    let mut one = [[0.0; N]; N];
    for (i, row) in one.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    one
}

/// The inverse of the curvature, from a step and what it did to the gradient.
fn update<const N: usize>(inverse: &mut [[f64; N]; N], s: &[f64; N], y: &[f64; N]) {
    let sy: f64 = (0..N).map(|i| s[i] * y[i]).sum();
    if sy <= 1e-12 {
        return;
    }
    let mut hy = [0.0; N];
    for i in 0..N {
        for j in 0..N {
            hy[i] += inverse[i][j] * y[j];
        }
    }
    let yhy: f64 = (0..N).map(|i| y[i] * hy[i]).sum();
    for i in 0..N {
        for j in 0..N {
            inverse[i][j] +=
                (1.0 + yhy / sy) * s[i] * s[j] / sy - (hy[i] * s[j] + s[i] * hy[j]) / sy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_of_rosenbrock_is_walked_to_its_end() {
        let f = |p: &[f64; 2]| {
            let (a, b) = (1.0 - p[0], p[1] - p[0] * p[0]);
            (
                a * a + 100.0 * b * b,
                [-2.0 * a - 400.0 * p[0] * b, 200.0 * b],
            )
        };
        let [x, y] = minimise([-1.2, 1.0], f);
        assert!((x - 1.0).abs() < 1e-5 && (y - 1.0).abs() < 1e-5, "{x} {y}");
    }

    #[test]
    fn what_falls_for_ever_ends_at_the_bound() {
        assert_eq!(minimise([0.0], |p: &[f64; 1]| (-p[0], [-1.0])), [FAR]);
    }
}
