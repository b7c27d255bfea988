//! Minimisers of few parameters in a box, deterministic and without allocation.

/// The most parameters that are searched at once.
pub(crate) const MOST: usize = 4;

/// A point of the search; the entries after the number of parameters are 0.
pub(crate) type Point = [f64; MOST];

/// A box: the least and the greatest value of each parameter.
pub(crate) type Bounds = [(f64, f64); MOST];

/// The minimum of `loss` over a box from `start` by the simplex of Nelder and Mead (1965), points outside put on the border.
///
/// `dims` parameters are searched, at most [`MOST`]. A loss that is not a number counts as infinite.
#[allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "a numerical kernel: the simplex has dims + 1 <= MOST + 1 points of MOST entries"
)]
pub(crate) fn nelder_mead(
    dims: usize,
    start: Point,
    bounds: &Bounds,
    most_steps: usize,
    mut loss: impl FnMut(&Point) -> f64,
) -> (Point, f64) {
    let dims = dims.min(MOST);
    let mut value = |point: &Point| {
        let found = loss(point);
        if found.is_nan() { f64::INFINITY } else { found }
    };
    let inside = |mut point: Point| {
        for (p, &(low, high)) in point.iter_mut().zip(bounds).take(dims) {
            *p = p.clamp(low, high);
        }
        point
    };
    let start = inside(start);
    if dims == 0 {
        return (start, value(&start));
    }
    let mut simplex = [(start, f64::INFINITY); MOST + 1];
    simplex[0].1 = value(&start);
    for d in 0..dims {
        let (low, high) = bounds[d];
        let step = 0.25 * (high - low);
        let mut point = start;
        point[d] += if point[d] + step > high { -step } else { step };
        simplex[d + 1] = (inside(point), 0.0);
        simplex[d + 1].1 = value(&simplex[d + 1].0);
    }
    for _ in 0..most_steps {
        simplex[..=dims].sort_by(|a, b| a.1.total_cmp(&b.1));
        let (best, worst) = (simplex[0].1, simplex[dims].1);
        if worst - best <= 1e-6 * (best.abs() + 1e-9) {
            break;
        }
        let mut centre = [0.0; MOST];
        for (point, _) in &simplex[..dims] {
            for d in 0..dims {
                centre[d] += point[d] / dims as f64;
            }
        }
        let along = |scale: f64, from: &Point| {
            let mut point = [0.0; MOST];
            for d in 0..dims {
                point[d] = centre[d] + scale * (from[d] - centre[d]);
            }
            inside(point)
        };
        let last = simplex[dims].0;
        let mirrored = along(-1.0, &last);
        let at_mirrored = value(&mirrored);
        if at_mirrored < best {
            let further = along(-2.0, &last);
            let at_further = value(&further);
            simplex[dims] = if at_further < at_mirrored {
                (further, at_further)
            } else {
                (mirrored, at_mirrored)
            };
        } else if at_mirrored < simplex[dims - 1].1 {
            simplex[dims] = (mirrored, at_mirrored);
        } else {
            let (from, least) = if at_mirrored < worst {
                (mirrored, at_mirrored)
            } else {
                (last, worst)
            };
            let nearer = along(0.5, &from);
            let at_nearer = value(&nearer);
            if at_nearer < least {
                simplex[dims] = (nearer, at_nearer);
            } else {
                let best = simplex[0].0;
                for (point, at) in &mut simplex[1..=dims] {
                    for d in 0..dims {
                        point[d] = best[d] + 0.5 * (point[d] - best[d]);
                    }
                    *at = value(point);
                }
            }
        }
    }
    simplex[..=dims].sort_by(|a, b| a.1.total_cmp(&b.1));
    simplex[0]
}

/// The minimum of `loss` between two ends: a grid to find the valley, the golden section inside it.
pub(crate) fn golden(low: f64, high: f64, mut loss: impl FnMut(f64) -> f64) -> (f64, f64) {
    const GRID: u32 = 10;
    const RATIO: f64 = 0.618_033_988_749_894_9;
    let step = (high - low) / f64::from(GRID);
    let mut best = (low, f64::INFINITY);
    for i in 0..=GRID {
        let x = low + step * f64::from(i);
        let at = loss(x);
        if at < best.1 {
            best = (x, at);
        }
    }
    let (mut a, mut b) = ((best.0 - step).max(low), (best.0 + step).min(high));
    let (mut left, mut right) = (b - RATIO * (b - a), a + RATIO * (b - a));
    let (mut at_left, mut at_right) = (loss(left), loss(right));
    for _ in 0..14 {
        if at_left < at_right {
            b = right;
            (right, at_right) = (left, at_left);
            left = b - RATIO * (b - a);
            at_left = loss(left);
        } else {
            a = left;
            (left, at_left) = (right, at_right);
            right = a + RATIO * (b - a);
            at_right = loss(right);
        }
    }
    for found in [(left, at_left), (right, at_right)] {
        if found.1 < best.1 {
            best = found;
        }
    }
    best
}
