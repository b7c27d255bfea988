//! The Theta model of a series with a season (Assimakopoulos and Nikolopoulos 2000): the classical indices taken out before, put
//! back after. x_t = y_t / s_(t mod m), or y_t − s_(t mod m) where a value is not positive, and ŷ_(n+h) = x̂_(n+h) s_((n+h) mod m) or + s.

use super::season::{has_season, indices};
use super::theta::Theta;

/// A Theta model of what the season leaves.
#[derive(Debug, Clone)]
pub(crate) struct SeasonalTheta {
    pub(crate) theta: Theta,
    /// The indices of the cycle that starts with the series; empty without season.
    pub(crate) season: Vec<f64>,
    pub(crate) multiplicative: bool,
    plain: Vec<f64>,
}

impl SeasonalTheta {
    /// Fits the model; the season is taken out where its autocorrelation is significant.
    pub(crate) fn fit(y: &[f64], m: usize) -> Option<Self> {
        let positive = y.iter().all(|y| *y > 0.0);
        let found = if has_season(y, m) {
            let factors = positive.then(|| indices(y, m, true)).flatten();
            factors
                .map(|s| (s, true))
                .or_else(|| indices(y, m, false).map(|s| (s, false)))
        } else {
            None
        };
        let (season, multiplicative) = found.unwrap_or_default();
        let mut plain = y.to_vec();
        for (y, s) in plain.iter_mut().zip(season.iter().cycle()) {
            *y = if multiplicative { *y / s } else { *y - s };
        }
        let theta = Theta::fit(&plain)?;
        Some(Self {
            theta,
            season,
            multiplicative,
            plain,
        })
    }

    /// Puts the season back on values that start `t` periods after the series' first.
    fn put_back(&self, t: usize, out: &mut [f64], squared: bool) {
        if self.season.is_empty() {
            return;
        }
        let season = self.season.iter().cycle().skip(t % self.season.len());
        for (out, s) in out.iter_mut().zip(season) {
            match (self.multiplicative, squared) {
                (true, true) => *out *= s * s,
                (true, false) => *out *= s,
                (false, true) => {}
                (false, false) => *out += s,
            }
        }
    }

    /// The forecasts of the next periods.
    pub(crate) fn forecast(&self, out: &mut [f64]) {
        self.theta.forecast(out);
        self.put_back(self.plain.len(), out, false);
    }

    /// The variances of the forecasts of the next periods.
    pub(crate) fn variances(&self, out: &mut [f64]) {
        self.theta.variances(out);
        self.put_back(self.plain.len(), out, true);
    }

    /// The errors of forecasts from past origins with the parameters kept; see `Ets::origins`.
    pub(crate) fn origins(
        &self,
        first: usize,
        every: usize,
        horizon: usize,
        mut each: impl FnMut(usize, &[f64]),
    ) {
        let mut back = vec![0.0; horizon];
        self.theta
            .origins(&self.plain, first, every, horizon, |t, errors| {
                let Some(told) = back.get_mut(..errors.len()) else {
                    return;
                };
                told.copy_from_slice(errors);
                // An error of the plain series scales with the factor and does not move with a difference.
                if self.multiplicative {
                    self.put_back(t, told, false);
                }
                each(t, told);
            });
    }
}
