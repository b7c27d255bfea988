//! A value for some of the rows, found by row key in constant time.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: a set bit has a value at the place its block counts"
)]

/// Values by row key; of 64 rows one block tells which have a value and where the first of them stands.
#[derive(Clone, Debug)]
pub(crate) struct Sparse<T> {
    blocks: Vec<(u64, u32)>,
    values: Vec<T>,
}

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T> Sparse<T> {
    /// Adds a value; `false` where its row does not come after all rows before.
    pub(super) fn push(&mut self, row: u32, value: T) -> bool {
        let (block, bit) = ((row / 64) as usize, row % 64);
        match self.blocks.len() {
            len if block + 1 < len => return false,
            len if block < len && self.blocks[block].0 >> bit != 0 => return false,
            _ => self.blocks.resize(block + 1, (0, self.values.len() as u32)),
        }
        self.blocks[block].0 |= 1 << bit;
        self.values.push(value);
        true
    }

    /// The same rows with other values.
    pub(super) fn map<W>(self, to: impl Fn(T) -> W) -> Sparse<W> {
        Sparse {
            blocks: self.blocks,
            values: self.values.into_iter().map(to).collect(),
        }
    }

    /// The memory it takes, in bytes, beside what its values refer to.
    pub(super) fn bytes(&self) -> u64 {
        (size_of_val(self.blocks.as_slice()) + size_of_val(self.values.as_slice())) as u64
    }

    /// The value of a row.
    #[inline]
    pub(crate) fn get(&self, row: u32) -> Option<&T> {
        let (bits, first) = self.blocks.get((row / 64) as usize)?;
        let bit = row % 64;
        (bits >> bit & 1 == 1).then(|| {
            let before = (bits & ((1 << bit) - 1)).count_ones();
            &self.values[(first + before) as usize]
        })
    }

    /// The rows of a block of 64 that have a value, as bits, and their values in order.
    pub(super) fn block(&self, block: usize) -> (u64, &[T]) {
        match self.blocks.get(block) {
            Some((bits, first)) => {
                let first = *first as usize;
                (
                    *bits,
                    &self.values[first..first + bits.count_ones() as usize],
                )
            }
            None => (0, &[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sparse;

    #[test]
    fn values_are_found_by_row() {
        let mut sparse = Sparse::default();
        let rows = [0, 1, 63, 64, 200, 201, 6400];
        for row in rows {
            assert!(sparse.push(row, row * 10));
        }
        for row in 0..7000 {
            let held = rows.contains(&row).then_some(row * 10);
            assert_eq!(sparse.get(row).copied(), held);
        }
        for late in [0, 199, 201, 6400] {
            assert!(!sparse.push(late, 0), "{late}");
        }
    }
}
