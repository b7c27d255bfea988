//! A column of a partition: in memory, or in a file that is mapped into it.

use std::ops::{Deref, Range};
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;

/// Values side by side.
#[derive(Clone, Debug)]
pub(super) enum Part<T> {
    /// In memory.
    Held(Vec<T>),
    /// In a mapped file, as bytes of this machine's order.
    Mapped(Arc<Mmap>, Range<usize>),
}

/// Gives memory back that mirrors these bytes of a mapped file; whoever looks at them again has them read again.
pub(super) fn release(map: &Mmap, bytes: &Range<usize>) {
    #[expect(unsafe_code, reason = "advice to the system on memory that it owns")]
    // SAFETY: the mapping is of a file and is never written to, so that what is dropped comes back as it was.
    // Where the system does not take the advice, memory stays in use, which is no harm.
    #[cfg(unix)]
    let _ = unsafe {
        map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, bytes.start, bytes.len())
    };
}

impl<T: Pod> Part<T> {
    /// Gives memory back where the values can be read again.
    pub(super) fn release(&self) {
        if let Self::Mapped(map, bytes) = self {
            release(map, bytes);
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self)
    }

    /// The values, where they are in memory and can be changed.
    pub(super) fn held(&mut self) -> Option<&mut Vec<T>> {
        match self {
            Self::Held(values) => Some(values),
            Self::Mapped(..) => None,
        }
    }
}

impl<T> From<Vec<T>> for Part<T> {
    fn from(values: Vec<T>) -> Self {
        Self::Held(values)
    }
}

impl<T: Pod> Deref for Part<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Held(values) => values,
            Self::Mapped(map, bytes) => map
                .get(bytes.clone())
                .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
                .unwrap_or_default(),
        }
    }
}
