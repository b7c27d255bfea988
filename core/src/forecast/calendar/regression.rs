//! A ridge regression that large errors do not move (Hoerl and Kennard 1970; Huber 1964), by reweighted least squares: the b of least
//! Σ w_t (y_t − x_t b)² + Σ p_j b_j², with w_t = min(1, 1.345 σ / |y_t − x_t b|) and σ the robust deviation of the errors.

use crate::forecast::clean::median;

/// Errors beyond this many robust deviations count with less than their square.
const HUBER: f64 = 1.345;

/// The coefficients of `y` on the columns, each column with its own penalty. `None` where they cannot be found.
pub(crate) fn ridge(columns: &[Vec<f64>], y: &[f64], penalties: &[f64]) -> Option<Vec<f64>> {
    let k = columns.len();
    let mut weights = vec![1.0; y.len()];
    let mut found = Vec::new();
    for _ in 0..5 {
        let mut normal = vec![0.0; k * k];
        let mut right = vec![0.0; k];
        for (i, a) in columns.iter().enumerate() {
            for (j, b) in columns.iter().enumerate().take(i + 1) {
                let sum: f64 = a
                    .iter()
                    .zip(b)
                    .zip(&weights)
                    .map(|((a, b), w)| w * a * b)
                    .sum();
                for at in [i * k + j, j * k + i] {
                    if let Some(cell) = normal.get_mut(at) {
                        *cell = sum;
                    }
                }
            }
            // Where a column's days count less, so does its penalty: a holiday of large effect is no outlier.
            let plain: f64 = a.iter().map(|a| a * a).sum();
            if let (Some(cell), Some(p)) = (normal.get_mut(i * k + i), penalties.get(i)) {
                let counted = if plain > 0.0 { *cell / plain } else { 1.0 };
                *cell += p * counted.max(1e-6);
            }
            if let Some(right) = right.get_mut(i) {
                *right = a
                    .iter()
                    .zip(y)
                    .zip(&weights)
                    .map(|((a, y), w)| w * a * y)
                    .sum();
            }
        }
        found = solve(&mut normal, &mut right, k)?;
        let off: Vec<f64> = y
            .iter()
            .enumerate()
            .map(|(t, y)| {
                let fit: f64 = columns
                    .iter()
                    .zip(&found)
                    .filter_map(|(c, b)| Some(c.get(t)? * b))
                    .sum();
                (y - fit).abs()
            })
            .collect();
        let scale = 1.4826 * median(&mut off.clone());
        if scale <= 0.0 {
            break;
        }
        for (w, off) in weights.iter_mut().zip(&off) {
            *w = if *off > HUBER * scale {
                HUBER * scale / off
            } else {
                1.0
            };
        }
    }
    Some(found)
}

/// Solves a symmetric positive system by Cholesky's factors.
#[allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "a numerical kernel: matrix is k by k and right has k entries, checked at the start"
)]
fn solve(matrix: &mut [f64], right: &mut [f64], k: usize) -> Option<Vec<f64>> {
    if matrix.len() != k * k || right.len() != k {
        return None;
    }
    for i in 0..k {
        for j in 0..=i {
            let mut sum = matrix[i * k + j];
            for l in 0..j {
                sum -= matrix[i * k + l] * matrix[j * k + l];
            }
            if i == j {
                if sum.is_nan() || sum <= 1e-12 {
                    return None;
                }
                matrix[i * k + i] = sum.sqrt();
            } else {
                matrix[i * k + j] = sum / matrix[j * k + j];
            }
        }
    }
    for i in 0..k {
        let mut sum = right[i];
        for l in 0..i {
            sum -= matrix[i * k + l] * right[l];
        }
        right[i] = sum / matrix[i * k + i];
    }
    for i in (0..k).rev() {
        let mut sum = right[i];
        for l in i + 1..k {
            sum -= matrix[l * k + i] * right[l];
        }
        right[i] = sum / matrix[i * k + i];
    }
    let fine = right.iter().all(|b| b.is_finite());
    fine.then(|| right.to_vec())
}
