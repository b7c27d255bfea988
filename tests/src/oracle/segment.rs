//! Who belongs to a segment, relative to `[from, to)`.

use super::History;

/// The seven segments of the specification.
pub const SEGMENTS: [&str; 7] = [
    "all",
    "new",
    "returning",
    "active",
    "inactive",
    "premium",
    "free",
];

/// Whether a user belongs to a segment; what is later than `as_of` is not seen.
pub fn member(
    history: &History,
    user: &str,
    segment: &str,
    from: i64,
    to: i64,
    as_of: i64,
) -> bool {
    let times: Vec<i64> = history
        .visible(as_of)
        .iter()
        .filter(|e| e.user.as_deref() == Some(user))
        .map(|e| e.ts)
        .collect();
    let profiles: Vec<i64> = history
        .profiles
        .iter()
        .filter(|p| p.user == user && p.at <= as_of)
        .map(|p| p.at)
        .collect();

    let active = times.iter().any(|t| (from..to).contains(t));
    let event_before = times.iter().any(|t| *t < from);
    let known_before = event_before || profiles.iter().any(|t| *t < from);
    let known = times.iter().chain(&profiles).any(|t| *t < to);
    let first = times.iter().min();
    let premium = plan(history, user, to, as_of)
        .is_some_and(|plan| history.premium_plans.iter().any(|p| p == plan));
    match segment {
        "all" => known,
        "new" => first.is_some_and(|t| (from..to).contains(t)),
        "returning" => event_before && active,
        "active" => active,
        "inactive" => known_before && !active,
        "premium" => known && premium,
        "free" => known && !premium,
        other => panic!("`{other}` is no segment"),
    }
}

/// The plan of the last profile written before `to`.
fn plan<'a>(history: &'a History, user: &str, to: i64, as_of: i64) -> Option<&'a str> {
    history
        .profiles
        .iter()
        .filter(|p| p.user == user && p.at < to && p.at <= as_of)
        .max_by_key(|p| p.at)
        .and_then(|p| p.plan.as_deref())
}
