//! Which users a segment means, judged from their own events.

use super::{Timeline, View};
use crate::query::{Segment, Span};

/// A segment over a span, ready to be asked user by user.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    segment: Segment,
    from: i64,
    to: i64,
    premium: &'a [u32],
}

impl<'a> Members<'a> {
    /// The members of a segment over a span, as a view sees them.
    pub fn new(segment: Segment, span: Span, view: &View<'a>) -> Self {
        Self {
            segment,
            from: span.from.micros(),
            to: span.to.micros(),
            premium: view.premium,
        }
    }

    /// Whether every user is a member.
    pub(crate) fn are_all(&self) -> bool {
        self.segment == Segment::All
    }

    /// Whether the user of this timeline, already cut at the instant the answer is as of, is a member.
    #[inline]
    pub fn hold(&self, timeline: &Timeline<'_>) -> bool {
        if self.segment == Segment::All {
            return true;
        }
        let Some(&first) = timeline.ts.first() else {
            return false;
        };
        let active = || {
            let before = timeline.ts.partition_point(|t| *t < self.from);
            timeline.ts.get(before).is_some_and(|t| *t < self.to)
        };
        match self.segment {
            Segment::All => true,
            Segment::New => self.from <= first && first < self.to,
            Segment::Returning => first < self.from && active(),
            Segment::Active => active(),
            Segment::Inactive => first < self.from && !active(),
            Segment::Premium => self.premium.binary_search(&timeline.user).is_ok(),
            Segment::Free => self.premium.binary_search(&timeline.user).is_err(),
        }
    }
}
