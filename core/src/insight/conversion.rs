//! The insight about conversion: how many go all the way, and where most of the others stop.

use super::{Data, Insight, InsightType};
use crate::error::Result;
use crate::funnel::{FunnelAnswer, FunnelStep, Order, Unit};
use crate::query::{Rate, Selector, Window};

/// Puts the answer of a funnel into words.
pub(crate) fn conversion_funnel(mut data: FunnelAnswer) -> Result<Insight> {
    Insight {
        insight_type: InsightType::ConversionFunnel,
        title: title(&data),
        description: describe(&data),
        confidence: (data.entered > 0).then_some(95),
        segment: data.segment,
        start_date: data.start_date,
        end_date: data.end_date,
        created_at: data.as_of,
        updated_at: data.as_of,
        timezone: data.timezone.clone(),
        stamp: std::mem::take(&mut data.stamp),
        data: Data::Funnel(Box::new(data)),
    }
    .stamped()
}

fn title(data: &FunnelAnswer) -> String {
    match (data.steps.first(), data.steps.last()) {
        (Some(first), Some(last)) if data.steps.len() > 1 => {
            format!(
                "Conversion from {} to {}",
                events(&first.event),
                events(&last.event)
            )
        }
        (Some(only), _) => format!("Users with {}", events(&only.event)),
        _ => "Conversion".to_owned(),
    }
}

fn describe(data: &FunnelAnswer) -> String {
    let Some(first) = data.steps.first() else {
        return String::new();
    };
    let entry = events(&first.event);
    if data.entered == 0 {
        return format!("No user began with {entry} in this range.");
    }
    let unit = |n| units(n, data.switches.unit, !data.hold_constant.is_empty());
    let entered = unit(data.entered);
    if data.steps.len() == 1 {
        return format!("{entered} had {entry} in this range.");
    }

    let steps = data.steps.len();
    let calendar = data.switches.calendar_days();
    let within = calendar.unwrap_or_else(|| length(data.window));
    let in_order = data.switches.order != Order::Any || data.switches.anchor_first;
    let began = if in_order {
        entry
    } else {
        "any of the steps".to_owned()
    };
    let who = match data.switches.unit {
        Unit::Users if data.hold_constant.is_empty() => "who",
        _ => "that",
    };
    let mut text = format!(
        "Of {entered} {who} began with {began}, {} ({}) did all {steps} steps within {within}.",
        count(data.converted),
        share(data.rate),
    );
    match biggest_loss(&data.steps).filter(|_| data.switches.order != Order::Any) {
        Some((from, to)) => text.push_str(&format!(
            " Most were lost between {} and {}: {} of {} ({}).",
            events(&from.event),
            events(&to.event),
            count(from.dropped),
            count(from.count),
            share(Rate::of(from.dropped, from.count)),
        )),
        None if data.converted == data.entered => text.push_str(" Nobody was lost on the way."),
        None => {}
    }
    if data.open > 0 {
        let verb = if data.open == 1 { "has" } else { "have" };
        text.push_str(&format!(
            " {} {verb} not converted but still can.",
            unit(data.open)
        ));
    }
    if let Some(sample) = &data.sample {
        text.push(' ');
        text.push_str(&sample.note());
    }
    if data.rate.small {
        text.push_str(" These are too few users to lean on.");
    }
    text
}

/// The step after which most users stopped, with the step after it; the earliest of equals.
fn biggest_loss(steps: &[FunnelStep]) -> Option<(&FunnelStep, &FunnelStep)> {
    let most = steps.iter().map(|s| s.dropped).max().filter(|n| *n > 0)?;
    let at = steps.iter().position(|s| s.dropped == most)?;
    // Who is lost has not reached the next step that must be there.
    let next = steps.iter().skip(at + 1).find(|s| !s.optional)?;
    Some((steps.get(at)?, next))
}

/// So many of what a funnel counts; `held` where properties are held constant.
pub(super) fn units(n: u64, unit: Unit, held: bool) -> String {
    let (one, many) = match unit {
        Unit::Users if held => ("pair of user and value", "pairs of user and value"),
        Unit::Users => ("user", "users"),
        Unit::Sessions => ("session", "sessions"),
        Unit::Totals => ("attempt", "attempts"),
    };
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

pub(super) fn share(rate: Rate) -> String {
    let percent = |x: Option<f64>| format!("{:.1}", x.unwrap_or_default() * 100.0);
    format!(
        "{} %, 95 % interval {} to {} %",
        percent(rate.value),
        percent(rate.low),
        percent(rate.high)
    )
}

pub(super) fn events(selector: &Selector) -> String {
    match selector {
        Selector::Any => "any event".to_owned(),
        Selector::Event(name) => format!("`{name}`"),
        Selector::AnyOf(names) => names
            .iter()
            .map(|n| format!("`{n}`"))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

pub(super) fn users(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "user" } else { "users" })
}

/// A number with its thousands set apart: `1,234,567`.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A window in the largest unit that divides it.
pub(super) fn length(window: Window) -> String {
    let units = [
        (86_400_000_000, "day"),
        (3_600_000_000, "hour"),
        (60_000_000, "minute"),
        (1_000_000, "second"),
    ];
    let micros = window.micros();
    for (unit, name) in units {
        if micros > 0 && micros % unit == 0 {
            let n = micros / unit;
            return if n == 1 {
                format!("1 {name}")
            } else {
                format!("{} {name}s", count(n.unsigned_abs()))
            };
        }
    }
    format!("{} seconds", micros as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::funnel::{
        Entries, Entry, ExclusionMode, Matured, Order, Selects, Switches, TimeToConvert, Timed,
        Unit,
    };
    use crate::query::answer::{self, Versions};
    use crate::query::{Preset, Quantiles, Segment, Zone};

    fn answer(counts: &[u64], open: u64) -> FunnelAnswer {
        let names = ["search", "view_trip", "start_booking", "complete_booking"];
        let entered = counts[0];
        let converted = *counts.last().unwrap();
        let steps = counts
            .iter()
            .enumerate()
            .map(|(k, count)| FunnelStep {
                step: k + 1,
                event: names[k].into(),
                filters: Vec::new(),
                optional: false,
                min_gap: None,
                max_gap: None,
                count: *count,
                estimate: None,
                rate: Rate::of(*count, entered),
                rate_from_previous: Rate::of(*count, if k == 0 { entered } else { counts[k - 1] }),
                dropped: counts.get(k + 1).map_or(0, |next| count - next),
                time_from_previous: Quantiles::default(),
                time_from_entry: Quantiles::default(),
            })
            .collect();
        FunnelAnswer {
            stamp: answer::stamp(&0, Versions::new(0, [0, 0], 0)).unwrap(),
            steps,
            entered,
            converted,
            open,
            rate: Rate::of(converted, entered),
            matured: Matured {
                entered,
                converted,
                rate: Rate::of(converted, entered),
            },
            time_to_convert: TimeToConvert {
                from_step: 1,
                to_step: counts.len(),
                seconds: Quantiles::default(),
                histogram: Vec::new(),
            },
            unattributed_events: 0,
            window: Window::days(14),
            start_date: "2026-01-01T00:00:00Z".parse().unwrap(),
            end_date: "2026-02-01T00:00:00Z".parse().unwrap(),
            timezone: Zone::default(),
            segment: Segment::All,
            as_of: "2026-03-01T00:00:00Z".parse().unwrap(),
            users: None,
            kaplan_meier_median: None,
            revenue: None,
            breakdown: None,
            trend: None,
            exclusions: Vec::new(),
            filters: Vec::new(),
            hold_constant: Vec::new(),
            preset: Preset::Exact,
            warnings: Vec::new(),
            sample: None,
            switches: Switches {
                order: Order::Ordered,
                grace: Window::seconds(0),
                strict_increase: false,
                entry: Entry::Earliest,
                entries: Entries::Every,
                range: Selects::Entry,
                window_calendar_days: None,
                timed: Timed::Converters,
                anchor_first: false,
                universe: None,
                exclusion_mode: ExclusionMode::KillChain,
                unit: Unit::Users,
                totals: None,
                session_timeout: None,
            },
        }
    }

    #[test]
    fn it_says_how_many_convert_and_where_most_are_lost() {
        let insight = conversion_funnel(answer(&[1234, 900, 150, 123], 12)).unwrap();
        assert_eq!(
            insight.title,
            "Conversion from `search` to `complete_booking`"
        );
        assert_eq!(
            insight.description,
            "Of 1,234 users who began with `search`, 123 (10.0 %, 95 % interval 8.4 to 11.8 %) did all 4 steps within \
             14 days. Most were lost between `view_trip` and `start_booking`: 750 of 900 (83.3 %, 95 % interval 80.8 to \
             85.6 %). 12 users have not converted but still can."
        );
        assert_eq!(insight.confidence, Some(95));
        assert_eq!(insight.created_at, answer(&[1], 0).as_of);
    }

    #[test]
    fn it_speaks_of_what_was_counted_and_of_the_window_that_held() {
        let mut attempts = answer(&[2, 1], 0);
        attempts.switches.unit = Unit::Totals;
        attempts.switches.window_calendar_days = Some(3);
        let said = conversion_funnel(attempts).unwrap().description;
        assert!(
            said.starts_with("Of 2 attempts that began with `search`, 1 ("),
            "{said}"
        );
        assert!(said.contains("within 3 calendar days."), "{said}");
    }

    #[test]
    fn losses_lie_between_steps_that_must_be_there() {
        let mut optional = answer(&[10, 9, 3], 0);
        optional.steps[1].optional = true;
        optional.steps[0].dropped = 7;
        optional.steps[1].dropped = 0;
        let said = conversion_funnel(optional).unwrap().description;
        assert!(
            said.contains("between `search` and `start_booking`: 7 of 10"),
            "{said}"
        );
    }

    #[test]
    fn it_says_so_where_nobody_entered_and_is_confident_of_nothing() {
        let insight = conversion_funnel(answer(&[0, 0], 0)).unwrap();
        assert_eq!(
            insight.description,
            "No user began with `search` in this range."
        );
        assert_eq!(insight.confidence, None);
    }

    #[test]
    fn few_users_and_no_losses_are_said() {
        let insight = conversion_funnel(answer(&[3, 3], 0)).unwrap();
        assert!(
            insight
                .description
                .ends_with("Nobody was lost on the way. These are too few users to lean on.")
        );
    }

    #[test]
    fn the_id_follows_the_content() {
        let one = conversion_funnel(answer(&[10, 5], 0)).unwrap();
        assert_eq!(
            one.stamp,
            conversion_funnel(answer(&[10, 5], 0)).unwrap().stamp
        );
        assert_ne!(
            one.stamp,
            conversion_funnel(answer(&[10, 4], 0)).unwrap().stamp
        );
        assert_eq!(one.stamp.id.len(), 24);
    }

    #[test]
    fn windows_are_said_in_their_largest_unit() {
        let table = [
            (Window::days(1), "1 day"),
            (Window::seconds(5400), "90 minutes"),
            (Window::seconds(36_000), "10 hours"),
            (Window::seconds(0), "0 seconds"),
            (Window::from_micros(1_500_000).unwrap(), "1.5 seconds"),
        ];
        for (window, words) in table {
            assert_eq!(length(window), words);
        }
    }
}
