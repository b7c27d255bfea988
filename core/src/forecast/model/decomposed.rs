//! STL and MSTL (Cleveland et al. 1990; Bandara, Hyndman and Bergmeir 2021), for a season of more than 24 periods or several
//! seasons: the seasons taken out by loess, the rest forecast without season, the last cycle of each season put back.
//!
//! y_t = x_t + Σ s_m,t over the seasons m, also of logarithms, and ŷ_(n+h) = x̂_(n+h) + Σ s_m,n+h−mk with k = ⌈h/m⌉.

use stlrs::Mstl;

/// A series taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Decomposed {
    /// The series without its seasons, on the scale of the decomposition.
    pub(crate) plain: Vec<f64>,
    /// The last cycle of each season, and how long it is.
    seasons: Vec<Vec<f64>>,
    /// Whether the parts were found on the logarithms.
    pub(crate) logarithmic: bool,
}

impl Decomposed {
    /// Takes a series apart by the seasons that it holds twice; `None` if it holds none of them.
    pub(crate) fn new(y: &[f64], seasons: &[usize], logarithmic: bool) -> Option<Self> {
        let held = seasons
            .iter()
            .copied()
            .filter(|m| *m > 1 && y.len() > 2 * m);
        let held: Vec<usize> = held.collect();
        if held.is_empty() || (logarithmic && y.iter().any(|y| *y <= 0.0)) {
            return None;
        }
        let mut plain: Vec<f64> = if logarithmic {
            y.iter().map(|y| y.ln()).collect()
        } else {
            y.to_vec()
        };
        let parts = Mstl::params().fit(&plain, &held).ok()?;
        let mut last = Vec::with_capacity(held.len());
        for (part, m) in parts.seasonal().iter().zip(&held) {
            for (y, s) in plain.iter_mut().zip(part) {
                *y -= s;
            }
            last.push(part.get(part.len().saturating_sub(*m)..)?.to_vec());
        }
        let fine = plain.iter().all(|y| y.is_finite());
        fine.then_some(Self {
            plain,
            seasons: last,
            logarithmic,
        })
    }

    /// Puts the seasons back on forecasts of the next periods of the plain series.
    pub(crate) fn put_back(&self, out: &mut [f64]) {
        for season in &self.seasons {
            for (out, s) in out.iter_mut().zip(season.iter().cycle()) {
                *out += s;
            }
        }
        if self.logarithmic {
            for out in out {
                *out = out.exp();
            }
        }
    }
}
