//! The codes of a property's values by row key, each as narrow as there are few of them: most properties have fewer than 256 values,
//! and a breakdown looks codes up all over memory.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: places are below the number of values, codes below the number of flags"
)]

use super::sparse::Sparse;

/// A code for some of the rows.
#[derive(Clone, Debug)]
pub(crate) enum Codes {
    Byte(Sparse<u8>),
    Short(Sparse<u16>),
    Word(Sparse<u32>),
}

impl Default for Codes {
    fn default() -> Self {
        Self::Byte(Sparse::default())
    }
}

impl Codes {
    /// Adds a code; `false` where its row does not come after all rows before.
    pub(super) fn push(&mut self, row: u32, code: u32) -> bool {
        loop {
            match self {
                Self::Byte(codes) => match u8::try_from(code) {
                    Ok(code) => return codes.push(row, code),
                    Err(_) => *self = Self::Short(std::mem::take(codes).widened()),
                },
                Self::Short(codes) => match u16::try_from(code) {
                    Ok(code) => return codes.push(row, code),
                    Err(_) => *self = Self::Word(std::mem::take(codes).widened()),
                },
                Self::Word(codes) => return codes.push(row, code),
            }
        }
    }

    /// Adds what was gathered of later rows.
    pub(super) fn extend(&mut self, gathered: &Gathered) {
        for (word, bits) in gathered.rows.iter().enumerate() {
            let mut left = *bits;
            while left != 0 {
                let place = word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                self.push(gathered.first + place as u32, gathered.codes.get(place));
            }
        }
    }

    /// The memory they take, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Byte(codes) => codes.bytes(),
            Self::Short(codes) => codes.bytes(),
            Self::Word(codes) => codes.bytes(),
        }
    }

    /// The code of a row.
    #[inline]
    pub(crate) fn get(&self, row: u32) -> Option<u32> {
        match self {
            Self::Byte(codes) => codes.get(row).map(|code| u32::from(*code)),
            Self::Short(codes) => codes.get(row).map(|code| u32::from(*code)),
            Self::Word(codes) => codes.get(row).copied(),
        }
    }

    /// Which of 64 rows have a code that is flagged, and which have none, as `absent` says.
    #[inline]
    pub(super) fn flagged(&self, block: usize, flags: &[bool], absent: bool) -> u64 {
        match self {
            Self::Byte(codes) => codes.flagged(block, flags, absent),
            Self::Short(codes) => codes.flagged(block, flags, absent),
            Self::Word(codes) => codes.flagged(block, flags, absent),
        }
    }
}

impl<T: Copy + Into<u32>> Sparse<T> {
    fn widened<W: From<T>>(self) -> Sparse<W> {
        self.map(W::from)
    }

    fn flagged(&self, block: usize, flags: &[bool], absent: bool) -> u64 {
        let (bits, codes) = self.block(block);
        let mut met = if absent { !bits } else { 0 };
        let mut left = bits;
        for code in codes {
            let bit = left & left.wrapping_neg();
            left ^= bit;
            met |= if flags[(*code).into() as usize] {
                bit
            } else {
                0
            };
        }
        met
    }
}

/// Codes of rows that come in any order.
#[derive(Debug)]
pub(super) struct Gathered {
    first: u32,
    /// One bit for each row that has a code.
    rows: Vec<u64>,
    codes: Dense,
}

/// A code for each row, whether it has one or not.
#[derive(Debug)]
enum Dense {
    Byte(Vec<u8>),
    Short(Vec<u16>),
    Word(Vec<u32>),
}

impl Gathered {
    /// Of the rows from `first` up to `end`.
    pub(super) fn of(first: u32, end: u32) -> Self {
        let rows = end.saturating_sub(first) as usize;
        Self {
            first,
            rows: vec![0; rows.div_ceil(64)],
            codes: Dense::Byte(vec![0; rows]),
        }
    }

    /// Adds the code of a row among them; later rows wait for the next time.
    pub(super) fn put(&mut self, row: u32, code: u32) {
        let Some(place) = row.checked_sub(self.first).map(|place| place as usize) else {
            return;
        };
        if place < self.codes.len() {
            self.rows[place / 64] |= 1 << (place % 64);
            self.codes.put(place, code);
        }
    }
}

impl Dense {
    fn len(&self) -> usize {
        match self {
            Self::Byte(codes) => codes.len(),
            Self::Short(codes) => codes.len(),
            Self::Word(codes) => codes.len(),
        }
    }

    fn put(&mut self, place: usize, code: u32) {
        loop {
            match self {
                Self::Byte(codes) => match u8::try_from(code) {
                    Ok(code) => return codes[place] = code,
                    Err(_) => *self = Self::Short(codes.iter().map(|c| u16::from(*c)).collect()),
                },
                Self::Short(codes) => match u16::try_from(code) {
                    Ok(code) => return codes[place] = code,
                    Err(_) => *self = Self::Word(codes.iter().map(|c| u32::from(*c)).collect()),
                },
                Self::Word(codes) => return codes[place] = code,
            }
        }
    }

    fn get(&self, place: usize) -> u32 {
        match self {
            Self::Byte(codes) => u32::from(codes[place]),
            Self::Short(codes) => u32::from(codes[place]),
            Self::Word(codes) => codes[place],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_any_width_are_found_by_row() {
        for most in [200_u32, 300, 70_000] {
            let code = |row: u32| row * 7919 % most;
            let has = |row: u32| row % 3 != 1;
            let mut codes = Codes::default();
            for row in (0..1_000).filter(|row| has(*row)) {
                assert!(codes.push(row, code(row)));
            }
            let mut gathered = Gathered::of(1_000, 100_000);
            for row in (1_000..100_000).rev().filter(|row| has(*row)) {
                gathered.put(row, code(row));
            }
            codes.extend(&gathered);
            let flags: Vec<bool> = (0..most).map(|code| code % 2 == 0).collect();
            for row in 0..100_000 {
                assert_eq!(
                    codes.get(row),
                    has(row).then(|| code(row)),
                    "{row} of {most}"
                );
            }
            for block in 0..100_000 / 64 {
                for absent in [false, true] {
                    let met = codes.flagged(block as usize, &flags, absent);
                    for bit in 0..64 {
                        let row = block * 64 + bit;
                        let flagged = if has(row) { code(row) % 2 == 0 } else { absent };
                        assert_eq!(met >> bit & 1 == 1, flagged);
                    }
                }
            }
            assert!(!codes.push(99_998, 0));
        }
    }
}
