//! The insight about engagement: how many users come, how often, and when.

use super::conversion::{count, share, users};
use super::{Data, Insight, InsightType};
use crate::engagement::{EngagementAnswer, HeatMapHour, Stickiness};
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
    if let Some(lifecycle) = &data.lifecycle {
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
