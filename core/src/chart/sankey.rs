//! How users move: places in columns, flows between them, and what is lost at each.

use super::Heading;
use super::canvas::{Anchor, Area, Canvas, MARGIN, Outline, Paint, Type};
use super::format::exact;
use super::theme::Role;

/// Places in columns from left to right, and how many go from one to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sankey {
    /// What stands above it.
    pub heading: Heading,
    /// What is counted, for example `sessions`.
    pub counted: String,
    /// The places, in any order.
    pub nodes: Vec<Node>,
    /// The flows between places of one column and the next.
    pub flows: Vec<Flow>,
}

/// One place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub label: String,
    /// Its column, from 0.
    pub column: usize,
    /// How many are there.
    pub count: u64,
    /// Whether it pools what has no place of its own.
    pub other: bool,
}

/// How many go from one place to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Where from: its place in `nodes`.
    pub from: usize,
    /// Where to.
    pub to: usize,
    /// How many.
    pub count: u64,
}

/// A place where it is drawn, and how much of its sides is taken.
struct Placed {
    area: Area,
    role: Role,
    taken_right: f64,
    taken_left: f64,
}

const NODE: f64 = 12.0;
const GAP: f64 = 20.0;
/// Half the length of what goes nowhere.
const STUB: f64 = 4.0;

impl Sankey {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let top = canvas.heading(&self.heading);
        let columns = self.nodes.iter().map(|n| n.column + 1).max().unwrap_or(0);
        if columns == 0 {
            canvas.text(MARGIN, top + 14.0, "Nothing to show", Type::SMALL);
            return;
        }
        let height = (canvas.width() * 0.5).clamp(180.0, 460.0);
        let per_column = |c: usize| self.nodes.iter().filter(move |n| n.column == c);
        // One scale for all columns, so that heights can be compared.
        let unit = (0..columns)
            .filter_map(|c| {
                let sum: u64 = per_column(c).map(|n| n.count).sum();
                let gaps = GAP * (per_column(c).count() as f64 - 1.0);
                (sum > 0).then(|| (height - gaps).max(20.0) / sum as f64)
            })
            .fold(f64::INFINITY, f64::min);
        let unit = if unit.is_finite() { unit } else { 0.0 };
        let step = if columns > 1 {
            (canvas.inner() - NODE - 110.0) / (columns as f64 - 1.0)
        } else {
            canvas.inner()
        };
        let mut placed = self.place(columns, unit, (top, step));
        self.flow(canvas, &mut placed, unit);
        for (node, place) in self.nodes.iter().zip(&placed) {
            let said = format!(
                "{}: {} {}",
                node.label,
                exact(node.count as f64),
                self.counted
            );
            canvas.titled(&said, |canvas| {
                canvas.rect(place.area, 1.5, Paint::fill(place.role));
                let room = if node.column + 1 == columns {
                    92.0
                } else {
                    step - NODE - 46.0
                };
                let x = place.area.right() + 2.0 * STUB + 4.0;
                let middle = place.area.y + place.area.height / 2.0;
                let name = Type::BODY.bold();
                let count = exact(node.count as f64);
                if place.area.height >= 26.0 {
                    canvas.text(x, middle - 2.0, &name.fit(&node.label, room), name);
                    canvas.text(x, middle + 12.0, &count, Type::SMALL);
                } else {
                    let label = name.fit(
                        &node.label,
                        (room - Type::SMALL.width(&count) - 6.0).max(30.0),
                    );
                    canvas.text(x, middle + 4.0, &label, name);
                    let after = x + name.width(&label) + 6.0;
                    canvas.text(after, middle + 4.0, &count, Type::SMALL.at(Anchor::Start));
                }
            });
        }
        let lowest = placed.iter().map(|p| p.area.bottom());
        canvas.reach(lowest.fold(top + 40.0, f64::max) + 4.0);
    }

    /// Where the places stand: most above, what is pooled last.
    fn place(&self, columns: usize, unit: f64, (top, step): (f64, f64)) -> Vec<Placed> {
        let mut placed: Vec<Placed> = self
            .nodes
            .iter()
            .map(|_| Placed {
                area: Area {
                    x: 0.0,
                    y: 0.0,
                    width: NODE,
                    height: 0.0,
                },
                role: Role::Other,
                taken_right: 0.0,
                taken_left: 0.0,
            })
            .collect();
        let colours = self.colours();
        for column in 0..columns {
            let mut order: Vec<(usize, &Node)> = self
                .nodes
                .iter()
                .enumerate()
                .filter(|(_, n)| n.column == column)
                .collect();
            order.sort_by_key(|(i, n)| (n.other, std::cmp::Reverse(n.count), *i));
            let mut y = top;
            for (i, node) in order {
                let Some(place) = placed.get_mut(i) else {
                    continue;
                };
                place.area.x = MARGIN + step * column as f64;
                place.area.y = y;
                place.area.height = (unit * node.count as f64).max(1.0);
                if !node.other {
                    let colour = colours.iter().position(|name| *name == node.label);
                    place.role = match colour {
                        Some(n) if n < 8 => Role::Series(n),
                        _ => Role::Other,
                    };
                }
                y = place.area.bottom() + GAP;
            }
        }
        placed
    }

    /// The names with colours of their own: the same name has the same colour in every column.
    fn colours(&self) -> Vec<&str> {
        let mut names: Vec<(&str, u64)> = Vec::new();
        for node in self.nodes.iter().filter(|n| !n.other) {
            match names.iter_mut().find(|(name, _)| *name == node.label) {
                Some((_, count)) => *count = (*count).max(node.count),
                None => names.push((&node.label, node.count)),
            }
        }
        names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        names.into_iter().map(|n| n.0).collect()
    }

    /// Draws the flows, and behind each place what goes nowhere as a stub that fades, so that the sums stay exact.
    fn flow(&self, canvas: &mut Canvas, placed: &mut [Placed], unit: f64) {
        let mut order: Vec<&Flow> = self.flows.iter().collect();
        let height = |placed: &[Placed], i: usize| placed.get(i).map_or(0.0, |p| p.area.y);
        order.sort_by(|a, b| {
            let key = |f: &Flow| (height(placed, f.from), height(placed, f.to));
            let ((a1, a2), (b1, b2)) = (key(a), key(b));
            a1.total_cmp(&b1).then(a2.total_cmp(&b2))
        });
        for flow in order {
            let thick = unit * flow.count as f64;
            let Some(from) = placed.get_mut(flow.from) else {
                continue;
            };
            let start = (from.area.right(), from.area.y + from.taken_right);
            from.taken_right += thick;
            let role = from.role;
            let Some(to) = placed.get_mut(flow.to) else {
                continue;
            };
            let end = (to.area.x, to.area.y + to.taken_left);
            to.taken_left += thick;
            let names = (self.nodes.get(flow.from), self.nodes.get(flow.to));
            let name = |n: Option<&Node>| n.map_or_else(String::new, |n| n.label.clone());
            let (from, to) = (name(names.0), name(names.1));
            let count = exact(flow.count as f64);
            let said = format!("{from} to {to}: {count} {}", self.counted);
            let mut outline = Outline::default();
            outline.to(start.0, start.1);
            outline.flow(start, end);
            outline.to(end.0, end.1 + thick);
            outline.flow((end.0, end.1 + thick), (start.0, start.1 + thick));
            outline.close();
            canvas.titled(&said, |canvas| {
                canvas.path(&outline, Paint::fill(role).opacity(0.28));
            });
        }
        let last = self.nodes.iter().map(|n| n.column).max().unwrap_or(0);
        for (node, place) in self.nodes.iter().zip(placed.iter()) {
            let lost = place.area.height - place.taken_right;
            if node.column == last || lost < 0.5 || place.area.height <= 1.0 {
                continue;
            }
            let count = node.count as f64 - place.taken_right / unit.max(f64::MIN_POSITIVE);
            let said = format!("{}: {} go no further", node.label, exact(count.round()));
            canvas.titled(&said, |canvas| {
                for (part, fade) in [(0.0, 0.4), (1.0, 0.2)] {
                    let shape = Area {
                        x: place.area.right() + STUB * part,
                        y: place.area.bottom() - lost,
                        width: STUB,
                        height: lost,
                    };
                    canvas.rect(shape, 0.0, Paint::fill(Role::Other).opacity(fade));
                }
            });
        }
    }
}
