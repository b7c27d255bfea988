//! Who is who (I5), event by event.

use super::History;

/// A moment at which a device is known to be a user, or is signed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The anonymous id.
    pub device: String,
    /// Who it is from then on; nobody after a sign-out.
    pub user: Option<String>,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// The user that an event of a device, and of no user, counts for.
pub fn of_device(device: &str, ts: i64, marks: &[Mark]) -> String {
    let mine = || marks.iter().filter(|m| m.device == device);
    let next = mine()
        .filter(|m| m.at >= ts)
        .min_by_key(|m| (m.at, m.user.clone()));
    let before = mine()
        .filter(|m| m.at < ts)
        .max_by_key(|m| (m.at, m.user.clone()));
    let known = next
        .and_then(|m| m.user.clone())
        .or_else(|| before.and_then(|m| m.user.clone()));
    known.unwrap_or_else(|| format!("device {device}"))
}

/// Replaces each user by the oldest of all those that merges make one with it.
pub fn merge(history: &mut History, merges: &[(String, String)]) {
    let first = |user: &str| {
        let mine = history
            .events
            .iter()
            .filter(|e| e.user.as_deref() == Some(user));
        mine.map(|e| e.ts).min().unwrap_or(i64::MAX)
    };
    let oldest = |user: &str| {
        let mut one = vec![user.to_owned()];
        loop {
            let more = merges
                .iter()
                .find_map(|(a, b)| match (one.contains(a), one.contains(b)) {
                    (true, false) => Some(b.clone()),
                    (false, true) => Some(a.clone()),
                    _ => None,
                });
            match more {
                Some(user) => one.push(user),
                None => break,
            }
        }
        one.into_iter()
            .min_by_key(|user| (first(user), user.clone()))
            .unwrap_or_default()
    };
    let events: Vec<Option<String>> = history
        .events
        .iter()
        .map(|e| e.user.as_deref().map(&oldest))
        .collect();
    let profiles: Vec<String> = history.profiles.iter().map(|p| oldest(&p.user)).collect();
    for (event, user) in history.events.iter_mut().zip(events) {
        event.user = user;
    }
    for (profile, user) in history.profiles.iter_mut().zip(profiles) {
        profile.user = user;
    }
}
