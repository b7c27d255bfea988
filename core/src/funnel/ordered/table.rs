//! Times of the rows of a step, of which the next that is early enough is found without trying those that are not.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: nodes are below the size of the tree, places below the number of rows"
)]

use super::NEVER;

/// Times by place, and of every stretch the least: a row that can still make it is found without trying those that cannot.
#[derive(Debug)]
pub(super) struct Table {
    /// A tree: the times begin in its middle, the node above two others has the lesser of them.
    least: Vec<i64>,
    rows: usize,
}

impl Table {
    pub(super) fn new(rows: usize) -> Self {
        Self {
            least: vec![NEVER; 2 * rows.next_power_of_two()],
            rows,
        }
    }

    pub(super) fn times(&self) -> &[i64] {
        let middle = self.least.len() / 2;
        &self.least[middle..middle + self.rows]
    }

    pub(super) fn times_mut(&mut self) -> &mut [i64] {
        let middle = self.least.len() / 2;
        &mut self.least[middle..middle + self.rows]
    }

    /// Fills the tree over the times.
    pub(super) fn grown(mut self) -> Self {
        for node in (1..self.least.len() / 2).rev() {
            self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]);
        }
        self
    }

    /// The first place from `from` on whose time is no later than a deadline; behind all rows where there is none.
    pub(super) fn next(&self, from: usize, deadline: i64) -> usize {
        let middle = self.least.len() / 2;
        if from >= self.rows {
            return self.rows;
        }
        let mut node = middle + from;
        while self.least[node] > deadline {
            // To the stretch on the right, which may be longer.
            while node & 1 == 1 {
                if node == 1 {
                    return self.rows;
                }
                node /= 2;
            }
            node += 1;
        }
        while node < middle {
            node *= 2;
            node += usize::from(self.least[node] > deadline);
        }
        // Behind the last row the tree is empty.
        (node - middle).min(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn the_next_place_in_time_is_the_one_a_scan_finds() {
        for rows in 0..20_usize {
            let mut table = Table::new(rows);
            for (i, time) in table.times_mut().iter_mut().enumerate() {
                *time = (i as i64 * 7 + 3) % 11;
            }
            let table = table.grown();
            for from in 0..rows + 2 {
                for deadline in -1..12 {
                    let scanned = (from..rows).find(|i| table.times()[*i] <= deadline);
                    assert_eq!(table.next(from, deadline), scanned.unwrap_or(rows));
                }
            }
        }
    }
}
