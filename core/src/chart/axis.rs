//! Scales of values: where ticks stand, and the light lines to read along.

use super::canvas::{Anchor, Area, Canvas, Paint, Type};
use super::format::Unit;
use super::theme::Role;

/// A range of values over a length of pixels.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
}

impl Scale {
    /// Round values around `low` to `high`, about `most` ticks of them; zero belongs to it where `zero` says so.
    pub(super) fn of(
        values: impl Iterator<Item = f64>,
        zero: bool,
        unit: &Unit,
        most: usize,
    ) -> Self {
        let finite = values.filter(|v| v.is_finite());
        let (mut low, mut high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if zero {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if high - low <= f64::EPSILON * high.abs().max(low.abs()) {
            // A level line stands in the middle of something.
            let half = if high == 0.0 { 1.0 } else { high.abs() / 2.0 };
            (low, high) = if zero && high == 0.0 {
                (0.0, 1.0)
            } else {
                (low - half, high + half)
            };
        }
        let step = step((high - low) / most.max(1) as f64, unit);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        // An end that would leave more than half a step empty is cut; no tick stands there then.
        let lowest = if low - first * step > step / 2.0 {
            low - step / 4.0
        } else {
            first * step
        };
        let highest = if last * step - high > step / 2.0 {
            high + step / 4.0
        } else {
            last * step
        };
        // Counted from a whole number of steps, so that the ticks gather no error on their way.
        let ticks = (0..=(last - first).min(1_000.0) as u32).map(|i| (first + f64::from(i)) * step);
        Self {
            low: lowest,
            high: highest,
            ticks: ticks.filter(|t| (lowest..=highest).contains(t)).collect(),
        }
    }

    /// How far along a value is, from 0 to 1.
    pub(super) fn part(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The height of a value within an area, its low end below.
    pub(super) fn y(&self, area: Area, value: f64) -> f64 {
        area.bottom() - self.part(value) * area.height
    }

    /// The room that labels of its ticks need.
    pub(super) fn label_width(&self, unit: &Unit) -> f64 {
        let widths = self
            .ticks
            .iter()
            .map(|t| Type::SMALL.width(&unit.short(*t)));
        widths.fold(0.0, f64::max)
    }

    /// Draws a line at each tick with its label to the left of the area; the line at zero is darker.
    pub(super) fn rows(&self, canvas: &mut Canvas, area: Area, unit: &Unit) {
        for tick in &self.ticks {
            let y = self.y(area, *tick);
            let role = if *tick == 0.0 {
                Role::Other
            } else {
                Role::Grid
            };
            canvas.line((area.x, y), (area.right(), y), Paint::stroke(role, 1.0));
            let label = unit.short(*tick);
            canvas.text(area.x - 8.0, y + 4.0, &label, Type::SMALL.at(Anchor::End));
        }
    }
}

/// The round number of steps that is at least `rough`: 1, 2, 2.5 or 5 with zeros; lengths of time in their own units.
fn step(rough: f64, unit: &Unit) -> f64 {
    if *unit == Unit::Seconds && rough > 1.0 {
        const LENGTHS: [f64; 19] = [
            2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
            7_200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0, 604_800.0,
        ];
        if let Some(length) = LENGTHS.iter().find(|l| **l >= rough) {
            return *length;
        }
        return 86_400.0 * step(rough / 86_400.0, &Unit::Number);
    }
    let magnitude = 10f64.powf(rough.log10().floor());
    let multiples = [1.0, 2.0, 2.5, 5.0, 10.0];
    // A shade below, or rounding would leave out a step that fits exactly.
    let fitting = multiples
        .iter()
        .find(|m| **m * magnitude >= rough * 0.999_999);
    fitting.unwrap_or(&10.0) * magnitude
}

/// The heights of labels that want to stand at `wanted`, at least `gap` apart, within an area, as near as can be to their places.
pub(super) fn apart(wanted: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    let at = |i: usize| wanted.get(i).copied().unwrap_or_default();
    order.sort_by(|a, b| at(*a).total_cmp(&at(*b)).then(a.cmp(b)));
    // Labels that touch become a block, which stands around the middle of where its labels want to be.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for i in &order {
        let (mut centre, mut size) = (at(*i), 1);
        while let Some((above, count)) = blocks.last().copied() {
            if centre - above >= gap * (size + count) as f64 / 2.0 {
                break;
            }
            centre = (centre * size as f64 + above * count as f64) / (size + count) as f64;
            size += count;
            blocks.pop();
        }
        let half = gap * (size as f64 - 1.0) / 2.0;
        let centre = centre.min(bottom - half).max(top + half);
        blocks.push((centre, size));
    }
    let placed = blocks.iter().flat_map(|(centre, size)| {
        let first = centre - gap * (*size as f64 - 1.0) / 2.0;
        (0..*size).map(move |k| first + gap * k as f64)
    });
    let mut heights = vec![0.0; wanted.len()];
    for (i, y) in order.iter().zip(placed) {
        if let Some(height) = heights.get_mut(*i) {
            *height = y;
        }
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(low: f64, high: f64) -> Vec<f64> {
        Scale::of([low, high].into_iter(), true, &Unit::Number, 5).ticks
    }

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        assert_eq!(ticks(0.0, 97.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(-3.0, 4.0), [-4.0, -2.0, 0.0, 2.0, 4.0]);
        // A cut end.
        assert_eq!(ticks(-2.2, 4.0), [-2.0, 0.0, 2.0, 4.0]);
        assert_eq!(
            ticks(0.0, 0.0),
            [0.0, 0.2, 0.4, 0.600_000_000_000_000_1, 0.8, 1.0]
        );
        let level = Scale::of([7.0, 7.0].into_iter(), false, &Unit::Number, 5);
        assert!(level.low < 7.0 && level.high > 7.0);
        let nothing = Scale::of(std::iter::empty(), false, &Unit::Number, 5);
        assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
    }

    #[test]
    fn lengths_of_time_have_ticks_of_their_own() {
        let scale = Scale::of([0.0, 5.0 * 3_600.0].into_iter(), true, &Unit::Seconds, 5);
        assert_eq!(
            scale.ticks,
            [0.0, 3_600.0, 7_200.0, 10_800.0, 14_400.0, 18_000.0]
        );
    }

    #[test]
    fn labels_keep_their_distance_and_their_order() {
        let placed = apart(&[50.0, 52.0, 49.0, 10.0], 14.0, 0.0, 100.0);
        let mut sorted = placed.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|w| w[1] - w[0] >= 13.999));
        assert!(placed[2] < placed[0] && placed[0] < placed[1] && placed[3] < placed[2]);
        let low = apart(&[99.0, 100.0], 14.0, 0.0, 100.0);
        assert_eq!(low, [86.0, 100.0]);
    }
}
