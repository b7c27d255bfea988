//! A series as it lies in time: on its grid, with what it seems to count and the times ahead.

use super::grid::Grid;
use super::interval::Kind;
use super::series::{Options, Series};

/// Times further from 1970 are taken for this one: the ends of the calendar are 9,999 years away.
const FAR: i64 = 200_000_000_000_000_000;

/// A series on its grid, and the times of the periods ahead.
pub(super) struct Laid {
    pub(super) grid: Grid,
    pub(super) kind: Kind,
    /// The times of its periods.
    pub(super) times: Vec<i64>,
    pub(super) ahead: Vec<i64>,
    /// Rows after the time as of which it is seen.
    pub(super) future: usize,
    /// Whether the last period was not over and left out.
    pub(super) partial: bool,
}

impl Laid {
    /// Its periods: times and values, not a number where missing.
    pub(super) fn history(&self) -> Vec<(i64, f64)> {
        self.times
            .iter()
            .copied()
            .zip(self.grid.y.iter().copied())
            .collect()
    }

    /// Its seasons in periods, those of the options where they are given.
    pub(super) fn seasons(&self, options: &Options) -> Vec<usize> {
        let given = options.seasons.clone();
        given.unwrap_or_else(|| self.grid.seasons())
    }
}

/// Lays a series out.
pub(super) fn lay(series: &Series, options: &Options) -> Laid {
    // What is no number, or too large to be squared, is missing; its period is there all the same.
    let number = |y: &f64| if y.abs() < 1e150 { *y } else { f64::NAN };
    let far = if options.integers { i64::MAX / 2 } else { FAR };
    let times = series.times.iter().map(|t| (*t).clamp(-far, far));
    let mut rows: Vec<(i64, f64)> = times.zip(series.values.iter().map(number)).collect();
    let all = rows.len();
    if let Some(as_of) = options.as_of {
        rows.retain(|(t, _)| *t <= as_of);
    }
    let future = all - rows.len();
    // Nothing was there yet: what lies ahead begins then.
    if let (true, Some(as_of)) = (rows.is_empty(), options.as_of) {
        rows.push((as_of.clamp(-far, far), f64::NAN));
    }
    let kind = options.kind.unwrap_or_else(|| infer(&rows));
    let additive = matches!(kind, Kind::Count | Kind::Amount);
    let mut grid = Grid::new(
        &mut rows,
        options.integers,
        options.frequency,
        options.gaps,
        additive,
    );
    let partial = options
        .as_of
        .map_or(grid.unfinished, |as_of| grid.is_partial(as_of));
    if partial {
        grid.y.pop();
    }
    let times = grid.times.get(..grid.y.len()).unwrap_or_default().to_vec();
    let mut ahead = grid.next(options.horizon);
    if partial {
        ahead.rotate_right(1);
        if let (Some(first), Some(last)) = (ahead.first_mut(), grid.times.last()) {
            *first = *last;
        }
    }
    Laid {
        grid,
        kind,
        times,
        ahead,
        future,
        partial,
    }
}

/// What values seem to be: whole and not negative, not negative, or anything.
fn infer(rows: &[(i64, f64)]) -> Kind {
    let mut known = rows.iter().map(|r| r.1).filter(|y| y.is_finite());
    if known.clone().any(|y| y < 0.0) {
        Kind::Value
    } else if known.all(|y| y.fract() == 0.0) {
        Kind::Count
    } else {
        Kind::Amount
    }
}
