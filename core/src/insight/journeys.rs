//! The insight about journeys: where users begin, which way they take most, and where they leave.

use super::conversion::{count, share, users};
use super::{Data, Insight, InsightType};
use crate::error::Result;
use crate::journey::{JourneyAnswer, Node};
use crate::query::Rate;

/// Puts the answer of a journey into words.
pub(crate) fn user_journeys(mut data: JourneyAnswer) -> Result<Insight> {
    Insight {
        insight_type: InsightType::UserJourneys,
        title: "Ways that users take".to_owned(),
        description: describe(&data),
        confidence: (data.paths > 0).then_some(95),
        segment: data.segment,
        start_date: data.start_date,
        end_date: data.end_date,
        created_at: data.as_of,
        updated_at: data.as_of,
        timezone: data.timezone.clone(),
        stamp: std::mem::take(&mut data.stamp),
        data: Data::Journey(Box::new(data)),
    }
    .stamped()
}

fn describe(data: &JourneyAnswer) -> String {
    if data.paths == 0 {
        return "No user was active in this range.".to_owned();
    }
    let noun = if data.paths == 1 {
        "session"
    } else {
        "sessions"
    };
    let mut text = format!("{} had {} {noun}.", users(data.users), count(data.paths));
    let first = data.sankey.as_ref().and_then(|s| s.columns.first());
    let nodes = first.into_iter().flat_map(|column| &column.nodes);
    let alone = nodes.rev().filter(|node| node.node != Node::Other);
    if let Some(node) = alone.max_by_key(|node| node.paths) {
        text.push_str(&format!(
            " Most sessions begin with {}: {} ({}).",
            name(&node.node),
            count(node.paths),
            share(node.share)
        ));
    }
    let sequences = data.sequences.as_ref();
    if let Some(way) = sequences.and_then(|s| s.top.first()) {
        let nodes: Vec<String> = way.nodes.iter().map(name).collect();
        text.push_str(&format!(
            " The way taken most is {}: {} by {} ({} of all ways of {} steps).",
            nodes.join(" → "),
            times(way.occurrences),
            users(way.users),
            share(way.share),
            nodes.len()
        ));
    }
    // Where not all nodes are listed, another might be left more often.
    let listed = data.nodes.as_ref().filter(|nodes| !nodes.truncated);
    let most = listed.and_then(|nodes| nodes.top.iter().rev().max_by_key(|node| node.ends));
    if let Some(node) = most.filter(|node| node.ends > 0) {
        text.push_str(&format!(
            " Most sessions end after {}: {} ({}).",
            name(&node.node),
            count(node.ends),
            share(Rate::of(node.ends, data.paths))
        ));
    }
    let back = data.loops.as_ref().and_then(|loops| loops.top.first());
    if let Some(back) = back.filter(|l| l.returns > 0) {
        text.push_str(&format!(
            " Users come back most often to {}: {}.",
            name(&back.node),
            times(back.returns)
        ));
    }
    if data.paths < 30 {
        text.push_str(" These are too few sessions to lean on.");
    }
    text
}

fn name(node: &Node) -> String {
    format!("`{}`", node.label())
}

fn times(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "time" } else { "times" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Permission, Principal, grant};
    use crate::journey::{self, Journey, Unit};
    use crate::query::Range;
    use crate::timeline::{Timelines, View};

    fn insight(paths: &[&[u16]]) -> Insight {
        let start = 1_767_225_600_000_000;
        let names = ["search", "view_trip", "book"].map(str::to_owned).to_vec();
        let rows = (0..).zip(paths).flat_map(|(user, path)| {
            let row = move |(i, name): (i64, &u16)| (user, start + i * 60_000_000, *name);
            (0..).zip(*path).map(row)
        });
        let timelines = Timelines::from_rows(names, rows).unwrap();
        let question = Journey {
            unit: Unit::Sessions,
            collapse: true,
            ..Journey::new(Range::new("2026-01-01", "2026-01-31").unwrap())
        };
        let view = View::new(&timelines, "2026-03-01T00:00:00Z".parse().unwrap());
        let question = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
        user_journeys(journey::answer(&question, &view).unwrap()).unwrap()
    }

    #[test]
    fn it_says_where_users_begin_which_way_they_take_and_where_they_leave() {
        let insight = insight(&[&[0, 0, 1, 0], &[0, 1, 0], &[1, 2]]);
        assert_eq!(
            insight.description,
            "3 users had 3 sessions. Most sessions begin with `search`: 2 (66.7 %, 95 % interval 20.8 to 93.9 %). The way taken most is `search` → `view_trip` → `search`: 2 times by 2 users (100.0 %, 95 % \
             interval 34.2 to 100.0 % of all ways of 3 steps). Most sessions end after `search`: 2 (66.7 %, 95 % interval \
             20.8 to 93.9 %). Users come back most often to `search`: 2 times. These are too few sessions to lean on."
        );
        assert_eq!(insight.confidence, Some(95));
    }

    #[test]
    fn it_says_so_where_nobody_was_there_and_is_confident_of_nothing() {
        let insight = insight(&[]);
        assert_eq!(insight.description, "No user was active in this range.");
        assert_eq!(insight.confidence, None);
    }
}
