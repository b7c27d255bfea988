//! The insight about engagement: how many users come, how often, and when.

use super::conversion::{count, share, users};
use super::{Data, Insight, InsightType};
use crate::engagement::{EngagementAnswer, HeatMapHour, LifecyclePeriod, Stickiness};
use crate::error::Result;

/// Puts the answer of engagement into words.
pub(crate) fn engagement_patterns(mut data: EngagementAnswer) -> Result<Insight> {
    Insight {
        insight_type: InsightType::EngagementPatterns,
        title: "How often users come".to_owned(),
        description: describe(&data),
        confidence: (data.users > 0).then_some(95),
        segment: data.segment,
        start_date: data.start_date,
        end_date: data.end_date,
        created_at: data.as_of,
        updated_at: data.as_of,
        timezone: data.timezone.clone(),
        stamp: std::mem::take(&mut data.stamp),
        data: Data::Engagement(Box::new(data)),
    }
    .stamped()
}

fn describe(data: &EngagementAnswer) -> String {
    if data.users == 0 {
        return "No user was active in this range.".to_owned();
    }
    let verb = if data.users == 1 { "was" } else { "were" };
    let mut text = format!("{} {verb} active in this range", users(data.users));
    // The first period is judged whole: where the range cuts it, some are new in it before the range.
    let uncut = |l: &&Vec<LifecyclePeriod>| l.first().is_none_or(|p| p.start >= data.start_date);
    if let Some(lifecycle) = data.lifecycle.as_ref().filter(uncut) {
        let new = lifecycle.iter().map(|p| p.new).sum::<u64>();
        text.push_str(&format!(", {} for the first time ever", count(new)));
    }
    text.push('.');
    if let Some(stickiness) = &data.stickiness {
        text.push_str(&often(stickiness));
    }
    if let Some(sessions) = data.sessions.filter(|s| s.count > 0) {
        let each = sessions.events_per_session.median.unwrap_or_default();
        let noun = if sessions.count == 1 {
            "session"
        } else {
            "sessions"
        };
        text.push_str(&format!(
            " They had {} {noun}, of {each} {} at the median; {} ({}) ended after one event.",
            count(sessions.count),
            if each == 1.0 { "event" } else { "events" },
            count(sessions.bounces.k),
            share(sessions.bounces),
        ));
    }
    if let Some(peak) = data.heat_map.as_deref().and_then(peak) {
        text.push_str(&format!(
            " Most events happen on {} between {}:00 and {}:00 ({}).",
            capital(peak.weekday.name()),
            peak.hour,
            peak.hour + 1,
            data.timezone.name(),
        ));
    }
    if data.users < 30 {
        text.push_str(" These are too few users to lean on.");
    }
    text
}

fn often(stickiness: &Stickiness) -> String {
    let mut text = String::new();
    let once = stickiness.rows.first().filter(|_| stickiness.users > 0);
    if let Some(row) = once {
        text.push_str(&format!(
            " {} ({}) came on one day only.",
            count(row.exactly.k),
            share(row.exactly)
        ));
    }
    let month = &stickiness.dau_over_mau;
    if let Some(value) = month.value {
        text.push_str(&format!(
            " Of the {} of the last {} days, {:.1} came a day: {:.1} % (DAU/MAU).",
            users(month.users),
            month.days,
            month.mean_daily_users,
            value * 100.0
        ));
    }
    text
}

/// The hour with most events; the earliest of equals.
fn peak(hours: &[HeatMapHour]) -> Option<&HeatMapHour> {
    let most = hours.iter().map(|h| h.events).max().filter(|n| *n > 0)?;
    hours.iter().find(|h| h.events == most)
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{self, Permission, Principal};
    use crate::engagement::{self, Engagement};
    use crate::query::{Instant, Range};
    use crate::timeline::{Timelines, View};

    /// What is said of events (user, time) in the first week of 2024.
    fn said(events: &[(u32, &str)]) -> Insight {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let rows = events.iter().map(|(user, ts)| (*user, at(ts).micros(), 0));
        let timelines = Timelines::from_rows(vec!["open".to_owned()], rows).unwrap();
        let question = Engagement::new(Range::new("2024-01-05", "2024-01-06").unwrap());
        let scoped =
            access::grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
        let view = View::new(&timelines, at("2024-01-08T00:00:00Z"));
        engagement_patterns(engagement::answer(&scoped, &view).unwrap()).unwrap()
    }

    #[test]
    fn it_says_how_many_come_how_often_and_when() {
        let insight = said(&[
            (0, "2024-01-05T10:00:00Z"),
            (0, "2024-01-05T10:05:00Z"),
            (0, "2024-01-06T10:00:00Z"),
            (1, "2024-01-05T10:10:00Z"),
        ]);
        assert_eq!(insight.title, "How often users come");
        assert_eq!(
            insight.description,
            "2 users were active in this range, 2 for the first time ever. 1 (50.0 %, 95 % interval 9.5 to 90.5 %) came on \
             one day only. Of the 2 users of the last 30 days, 0.1 came a day: 5.0 % (DAU/MAU). They had 3 sessions, of 1 \
             event at the median; 2 (66.7 %, 95 % interval 20.8 to 93.9 %) ended after one event. Most events happen on \
             Friday between 10:00 and 11:00 (UTC). These are too few users to lean on."
        );
        assert_eq!(insight.confidence, Some(95));
    }

    #[test]
    fn it_says_so_where_nobody_came_and_is_confident_of_nothing() {
        let insight = said(&[(0, "2024-01-01T10:00:00Z")]);
        assert_eq!(insight.description, "No user was active in this range.");
        assert_eq!(insight.confidence, None);
    }
}
