//! Short calendars as bits of a word.

use super::{Calendar, NONE, SEVERAL, SLOT, Slot};

/// The buckets of a short calendar as bits of a word, found without a branch that depends on the instant.
#[derive(Clone, Debug)]
pub(crate) struct Bits<T = u64> {
    first: i64,
    /// The instant of the one change in each slot, and the bit before and after it.
    slots: Vec<(i64, T, T)>,
}

impl<T: Copy + Default> Bits<T> {
    /// The bit of the bucket of an instant, in microseconds; 0 outside the calendar.
    #[inline]
    pub(crate) fn of(&self, micros: i64) -> T {
        let slot = (micros.wrapping_sub(self.first) as u64 >> SLOT) as usize;
        self.slots
            .get(slot)
            .map_or_else(T::default, |s| if micros < s.0 { s.1 } else { s.2 })
    }
}

/// The same for days, by their number from 1970-01-01 on.
#[derive(Clone, Debug)]
pub(crate) struct DayBits<T> {
    /// The first day that has a bit.
    pub(crate) first: usize,
    bits: Vec<T>,
}

impl<T: Copy + Default> DayBits<T> {
    /// The bits of the buckets of a calendar; nothing where it has days before 1970, or buckets without a bit.
    pub(crate) fn new(calendar: &Calendar, bit: impl Fn(usize) -> Option<T>) -> Option<Self> {
        let (first, buckets) = calendar.by_day()?;
        Some(Self {
            first: usize::try_from(first).ok()?,
            bits: buckets.into_iter().map(bit).collect::<Option<_>>()?,
        })
    }

    /// The bit of a day; 0 outside the calendar.
    #[inline]
    pub(crate) fn of(&self, day: usize) -> T {
        let bit = self.bits.get(day.wrapping_sub(self.first));
        bit.copied().unwrap_or_default()
    }
}

impl Calendar {
    /// What `locate` tells, as bits; nothing for more than 64 buckets, or where a bucket is not one stretch of time.
    pub(crate) fn bits(&self) -> Option<Bits> {
        self.in_word(64, |bucket| 1_u64.checked_shl(bucket))
    }

    /// The same for up to 128 buckets.
    pub(crate) fn wide_bits(&self) -> Option<Bits<u128>> {
        self.in_word(128, |bucket| 1_u128.checked_shl(bucket))
    }

    fn in_word<T: Copy + Default>(
        &self,
        most: usize,
        bit: impl Fn(u32) -> Option<T>,
    ) -> Option<Bits<T>> {
        if self.buckets.len() > most || !self.is_regular() {
            return None;
        }
        let bit = |bucket: u32| match bucket {
            NONE => Some(T::default()),
            SEVERAL => None,
            bucket => bit(bucket),
        };
        let slot = |s: &Slot| Some((s.change, bit(s.before)?, bit(s.after)?));
        Some(Bits {
            first: *self.starts.first()?,
            slots: self.slots.iter().map(slot).collect::<Option<_>>()?,
        })
    }
}
