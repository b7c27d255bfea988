//! The specification's seven segments of users.

use serde::Serialize;

/// A set of users, relative to the asked range `[from, to)`.
///
/// Identities: new + returning = active; premium + free = all; active ∩ inactive = ∅.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Everyone with an event before `to`.
    #[default]
    All,
    /// First event ever in the range.
    New,
    /// First event before the range, and active in it.
    Returning,
    /// At least one event in the range.
    Active,
    /// Known before the range, no event in it.
    Inactive,
    /// On one of the catalogue's premium plans as of `to`.
    Premium,
    /// Every other known user.
    Free,
}

/// All segments under the names the specification gives them.
pub(crate) const SEGMENTS: [(&str, Segment); 7] = [
    ("all", Segment::All),
    ("new", Segment::New),
    ("returning", Segment::Returning),
    ("active", Segment::Active),
    ("inactive", Segment::Inactive),
    ("premium", Segment::Premium),
    ("free", Segment::Free),
];

impl Segment {
    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        SEGMENTS.iter().find(|s| s.1 == self).map_or("all", |s| s.0)
    }
}
