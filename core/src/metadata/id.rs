//! Ids of 24 hexadecimal digits, as MongoDB's ObjectIds are written.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, Result};
use crate::query::Instant;

/// An id: four bytes of the second it was made in, so that ids sort by age, and eight of chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 12]);

impl ObjectId {
    /// The id of something made at an instant, with eight bytes that nobody can guess.
    pub fn new(at: Instant, chance: [u8; 8]) -> Self {
        // The second as 32 bits, as MongoDB counts it; it begins anew in 2106.
        let second = at.micros().div_euclid(1_000_000) as u32;
        let mut bytes = [0; 12];
        let all = second.to_be_bytes().into_iter().chain(chance);
        for (byte, value) in bytes.iter_mut().zip(all) {
            *byte = value;
        }
        Self(bytes)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ObjectId {
    type Err = Error;

    /// Reads 24 hexadecimal digits of either case.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::field(
                "id",
                "invalid_id",
                "must be an ObjectId: 24 hexadecimal digits",
            )
        };
        if text.len() != 24 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| wrong())?;
        let mut id = Self::default();
        for (byte, value) in
            id.0.iter_mut()
                .zip(number.to_be_bytes().into_iter().skip(4))
        {
            *byte = value;
        }
        Ok(id)
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_begins_with_its_second_and_is_read_as_it_is_written() {
        let at: Instant = "2026-01-01T00:00:00Z".parse().unwrap();
        let id = ObjectId::new(at, [1, 2, 3, 4, 5, 6, 7, 255]);
        assert_eq!(id.to_string(), "6955b90001020304050607ff");
        assert_eq!("6955B90001020304050607FF".parse::<ObjectId>().unwrap(), id);
        assert!(
            id < ObjectId::new(
                Instant::from_micros(at.micros() + 1_000_000).unwrap(),
                [0; 8]
            )
        );
    }

    #[test]
    fn what_is_not_24_hexadecimal_digits_is_no_id() {
        for text in [
            "",
            "6955b90001020304050607f",
            "6955b90001020304050607fff",
            "6955b90001020304050607fg",
            "+955b90001020304050607ff",
            " 955b90001020304050607ff",
            "６955b90001020304050607f",
        ] {
            let error = text.parse::<ObjectId>().unwrap_err();
            assert_eq!(error.field_errors()[0].code, "invalid_id", "{text}");
        }
    }
}
