//! Who is of a cohort: as of the question, and at the time of every event (C1).

/// The members of a cohort, user by user.
#[derive(Clone, Debug, Default)]
pub struct Membership {
    /// Who is as of the question, one bit each.
    now: Vec<u64>,
    /// When users begin and cease to be, in the order of (user, time), as the times of their events show it; before the first
    /// nobody is.
    changes: Vec<(u32, i64, bool)>,
}

impl Membership {
    /// The members as of the question, and when users begin and cease to be members where that is asked.
    pub(crate) fn new(users: Vec<u32>, mut changes: Vec<(u32, i64, bool)>) -> Self {
        let mut now = Vec::new();
        for user in users {
            let word = (user / 64) as usize;
            if now.len() <= word {
                now.resize(word + 1, 0);
            }
            if let Some(bits) = now.get_mut(word) {
                *bits |= 1 << (user % 64);
            }
        }
        changes.sort_unstable();
        Self { now, changes }
    }

    /// Whether a user is of it as of the question.
    #[inline]
    pub(crate) fn hold(&self, user: u32) -> bool {
        let word = self.now.get((user / 64) as usize);
        word.copied().unwrap_or_default() >> (user % 64) & 1 == 1
    }

    /// Whether a user is of it at the time of one of their events.
    pub(crate) fn hold_at(&self, user: u32, ts: i64) -> bool {
        let after = self.changes.partition_point(|c| (c.0, c.1) <= (user, ts));
        let last = after
            .checked_sub(1)
            .and_then(|before| self.changes.get(before));
        last.is_some_and(|(whose, _, inside)| *whose == user && *inside)
    }
}
