//! The bits that a pass keeps of a user: one word for up to 64 periods, a wide one for up to 128.

use std::fmt::Debug;
use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not, Shl, Shr, ShrAssign};

use crate::query::Calendar;
use crate::query::calendar::Bits;

/// A set of periods, or of columns.
pub(super) trait Register:
    Copy
    + Default
    + Eq
    + Debug
    + Send
    + Sync
    + BitAnd<Output = Self>
    + BitAndAssign
    + BitOr<Output = Self>
    + BitOrAssign
    + Not<Output = Self>
    + Shl<usize, Output = Self>
    + Shr<usize, Output = Self>
    + ShrAssign<usize>
    + 'static
{
    /// How many it can hold.
    const BITS: usize;
    /// The first alone.
    const ONE: Self;
    /// All.
    const ALL: Self;
    /// Its bytes, those of the first eight first.
    type Bytes: AsRef<[u8]>;

    /// The buckets of a calendar, where they are few enough and each is one stretch of time.
    fn calendar(calendar: &Calendar) -> Option<Bits<Self>>;

    /// The place of the first one; `BITS` where there is none.
    fn first(self) -> usize;

    /// How many places there are behind the last one.
    fn behind(self) -> usize;

    /// The next number.
    fn next(self) -> Self;

    /// Zero minus it: the first one and all places behind it, of which others change.
    fn negative(self) -> Self;

    /// Those from a place on.
    fn onward(place: usize) -> Self {
        if place < Self::BITS {
            Self::ALL << place
        } else {
            Self::default()
        }
    }

    /// Those up to the last one, all of them.
    fn up_to_last(self) -> Self {
        let behind = self.behind();
        if behind < Self::BITS {
            Self::ALL >> behind
        } else {
            Self::default()
        }
    }

    fn bytes(self) -> Self::Bytes;
}

macro_rules! register {
    ($word:ty, $calendar:ident) => {
        impl Register for $word {
            const BITS: usize = <$word>::BITS as usize;
            const ONE: Self = 1;
            const ALL: Self = <$word>::MAX;
            type Bytes = [u8; size_of::<$word>()];

            fn calendar(calendar: &Calendar) -> Option<Bits<Self>> {
                calendar.$calendar()
            }

            #[inline]
            fn first(self) -> usize {
                self.trailing_zeros() as usize
            }

            #[inline]
            fn behind(self) -> usize {
                self.leading_zeros() as usize
            }

            #[inline]
            fn next(self) -> Self {
                self.wrapping_add(1)
            }

            #[inline]
            fn negative(self) -> Self {
                self.wrapping_neg()
            }

            #[inline]
            fn bytes(self) -> Self::Bytes {
                self.to_le_bytes()
            }
        }
    };
}

register!(u64, bits);
register!(u128, wide_bits);
