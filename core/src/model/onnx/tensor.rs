//! Tensors: numbers or texts in a shape, row-major.

use std::sync::Arc;

use super::super::limit::{MOST_VALUES, MOST_WORK, malformed, too_large, unscorable, unsupported};
use super::wire::RawTensor;
use crate::error::Result;

/// What the elements of a tensor are. All but texts are held as 64-bit numbers, and rounded to what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Single,
    Double,
    Integer,
    Truth,
    Text,
}

impl Kind {
    /// The kind of a number of `TensorProto.DataType`.
    pub(super) fn of(number: i64) -> Result<Self> {
        Ok(match number {
            1 => Self::Single,
            11 => Self::Double,
            2 | 3 | 4 | 5 | 6 | 7 | 12 | 13 => Self::Integer,
            9 => Self::Truth,
            8 => Self::Text,
            other => return Err(unsupported(format!("tensors of the data type {other}"))),
        })
    }

    /// The kind of what is computed of two.
    pub(super) fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Double, _) | (_, Self::Double) => Self::Double,
            (Self::Single, _) | (_, Self::Single) => Self::Single,
            _ => Self::Integer,
        }
    }
}

/// The elements of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Numbers(Vec<f64>),
    Texts(Vec<Arc<str>>),
}

/// A tensor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
    pub(super) data: Data,
}

/// How much a graph may still make of a batch of rows.
#[derive(Debug)]
pub(super) struct Budget {
    values: usize,
    work: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            values: MOST_VALUES,
            work: MOST_WORK,
        }
    }

    /// Takes so many values, before they are made.
    pub(super) fn values(&mut self, count: usize) -> Result<()> {
        let left = self.values.checked_sub(count);
        self.values = left.ok_or_else(|| too_large("it makes too many values of its rows"))?;
        Ok(())
    }

    /// Takes so many multiplications.
    pub(super) fn work(&mut self, count: usize) -> Result<()> {
        let left = self.work.checked_sub(count);
        self.work = left.ok_or_else(|| too_large("it takes too many multiplications"))?;
        Ok(())
    }
}

/// How many elements a shape has.
pub(super) fn count(shape: &[usize]) -> Result<usize> {
    let product = shape
        .iter()
        .try_fold(1_usize, |n, side| n.checked_mul(*side));
    product.ok_or_else(|| too_large("a tensor has too many elements"))
}

/// What does not fit together.
pub(super) fn shapes(operator: &str) -> crate::error::Error {
    unscorable(format!(
        "the shapes given to the operator `{operator}` do not fit"
    ))
}

impl Tensor {
    /// Numbers in a shape that they fill, rounded to their kind.
    pub(super) fn numbers(kind: Kind, shape: Vec<usize>, mut values: Vec<f64>) -> Self {
        if kind == Kind::Single {
            for value in &mut values {
                *value = f64::from(*value as f32);
            }
        }
        Self {
            kind,
            shape,
            data: Data::Numbers(values),
        }
    }

    pub(super) fn texts(shape: Vec<usize>, values: Vec<Arc<str>>) -> Self {
        Self {
            kind: Kind::Text,
            shape,
            data: Data::Texts(values),
        }
    }

    /// A tensor of a file.
    ///
    /// # Errors
    /// `malformed_model` where it has not the elements that its shape says; `unsupported_model` for other kinds.
    pub(super) fn stored(raw: &RawTensor) -> Result<Self> {
        if raw.elsewhere {
            return Err(unsupported("tensors in other files"));
        }
        let kind = Kind::of(raw.kind)?;
        let side = |n: &i64| usize::try_from(*n).map_err(|_| malformed("a side is negative"));
        let shape: Vec<usize> = raw.shape.iter().map(side).collect::<Result<_>>()?;
        let data = match kind {
            Kind::Text => Data::Texts(raw.texts.iter().map(|t| Arc::from(t.as_str())).collect()),
            _ if !raw.raw.is_empty() => Data::Numbers(unpack(raw)?),
            Kind::Single => Data::Numbers(raw.singles.clone()),
            Kind::Double => Data::Numbers(raw.doubles.clone()),
            _ => Data::Numbers(raw.integers.iter().map(|n| *n as f64).collect()),
        };
        let tensor = Self { kind, shape, data };
        if tensor.len() != count(&tensor.shape)? {
            return Err(malformed(
                "a tensor has not as many elements as its shape says",
            ));
        }
        Ok(tensor)
    }

    pub(super) fn len(&self) -> usize {
        match &self.data {
            Data::Numbers(values) => values.len(),
            Data::Texts(values) => values.len(),
        }
    }

    /// Its numbers.
    pub(super) fn values(&self) -> Result<&[f64]> {
        match &self.data {
            Data::Numbers(values) => Ok(values),
            Data::Texts(_) => Err(unscorable("a text is where a number belongs")),
        }
    }

    /// The same elements in another shape.
    pub(super) fn shaped(&self, shape: Vec<usize>) -> Result<Self> {
        if count(&shape)? != self.len() {
            return Err(shapes("Reshape"));
        }
        Ok(Self {
            shape,
            ..self.clone()
        })
    }

    /// Rows and columns: the first side, and all others together; a row where there is but one side.
    pub(super) fn table(&self) -> (usize, usize) {
        match self.shape.as_slice() {
            [] => (1, 1),
            [columns] => (1, *columns),
            [rows, ..] if *rows == 0 => (0, 0),
            [rows, ..] => (*rows, self.len() / rows),
        }
    }

    /// The elements at these places, in a shape that they fill.
    pub(super) fn picked(&self, shape: Vec<usize>, places: &[usize]) -> Result<Self> {
        let wrong = || shapes("Gather");
        let data = match &self.data {
            Data::Numbers(values) => {
                let pick = places.iter().map(|p| values.get(*p).copied());
                Data::Numbers(pick.collect::<Option<_>>().ok_or_else(wrong)?)
            }
            Data::Texts(values) => {
                let pick = places.iter().map(|p| values.get(*p).cloned());
                Data::Texts(pick.collect::<Option<_>>().ok_or_else(wrong)?)
            }
        };
        Ok(Self {
            kind: self.kind,
            shape,
            data,
        })
    }
}

/// The numbers of little-endian bytes.
fn unpack(raw: &RawTensor) -> Result<Vec<f64>> {
    fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Result<Vec<f64>> {
        let (chunks, rest) = bytes.as_chunks::<N>();
        if !rest.is_empty() {
            return Err(malformed("a tensor ends within an element"));
        }
        Ok(chunks.iter().map(|chunk| read(*chunk)).collect())
    }
    let bytes = raw.raw.as_slice();
    match raw.kind {
        1 => each(bytes, |b| f64::from(f32::from_le_bytes(b))),
        11 => each(bytes, f64::from_le_bytes),
        7 => each(bytes, |b| i64::from_le_bytes(b) as f64),
        13 => each(bytes, |b| u64::from_le_bytes(b) as f64),
        6 => each(bytes, |b| f64::from(i32::from_le_bytes(b))),
        12 => each(bytes, |b| f64::from(u32::from_le_bytes(b))),
        5 => each(bytes, |b| f64::from(i16::from_le_bytes(b))),
        4 => each(bytes, |b| f64::from(u16::from_le_bytes(b))),
        3 => each(bytes, |b: [u8; 1]| f64::from(i8::from_le_bytes(b))),
        _ => each(bytes, |[b]: [u8; 1]| f64::from(b)),
    }
}
