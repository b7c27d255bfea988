//! The insight about drop-off points: where most stop, what they do next, and what those have in common who go on.

use super::conversion::{count, events, share, units};
use super::{Data, Insight, InsightType};
use crate::error::Result;
use crate::funnel::{DropOffAnswer, DropOffStep, Factor, What};

/// Below this adjusted p-value a factor is spoken of.
const REAL: f64 = 0.05;

/// Puts the answer about drop-off points into words.
pub(crate) fn drop_off_points(mut data: DropOffAnswer) -> Result<Insight> {
    let lost = data.steps.iter().any(|s| s.matured.reached > 0);
    Insight {
        insight_type: InsightType::DropOffPoints,
        title: title(&data),
        description: describe(&data),
        confidence: lost.then_some(95),
        segment: data.segment,
        start_date: data.start_date,
        end_date: data.end_date,
        created_at: data.as_of,
        updated_at: data.as_of,
        timezone: data.timezone.clone(),
        stamp: std::mem::take(&mut data.stamp),
        data: Data::DropOff(Box::new(data)),
    }
    .stamped()
}

fn title(data: &DropOffAnswer) -> String {
    match worst(data) {
        Some(step) => format!("Most users stop after {}", events(&step.event)),
        None if data.conversion.entered == 0 => "Where users stop".to_owned(),
        None => "Nobody stops on the way".to_owned(),
    }
}

/// The step at which most stop whose window is over; the earliest of equals.
fn worst(data: &DropOffAnswer) -> Option<&DropOffStep> {
    let most = data.steps.iter().map(|s| s.matured.dropped).max();
    let most = most.filter(|n| *n > 0)?;
    data.steps.iter().find(|s| s.matured.dropped == most)
}

fn describe(data: &DropOffAnswer) -> String {
    let entered = data.conversion.entered;
    if entered == 0 {
        return "No user's window has passed in this range.".to_owned();
    }
    let Some(step) = worst(data) else {
        return format!(
            "Of {} whose window has passed, all went all the way.",
            units(entered, data.switches.unit, false)
        );
    };
    let matured = step.matured;
    let mut text = format!(
        "Of {} who did {}, {} ({}) went no further within their window.",
        units(matured.reached, data.switches.unit, false),
        events(&step.event),
        count(matured.dropped),
        share(matured.rate)
    );
    if let Some(next) = step.next.first() {
        text.push_str(&format!(
            " What they did next was most often `{}` ({} of them);",
            next.event,
            count(next.rate.k)
        ));
        text.push_str(&match step.exit.k {
            0 => " all of them did something.".to_owned(),
            n => format!(" {} did nothing more.", count(n)),
        });
    } else {
        text.push_str(" None of them did anything more.");
    }
    let real = |f: &&Factor| f.contrast.adjusted_p_value.is_some_and(|p| p < REAL);
    match step.factors.factors.iter().find(real) {
        Some(factor) => text.push_str(&separates(factor)),
        None if step.factors.tried > 0 => text.push_str(
            " Nothing that was tried separates them from those who went on beyond what chance would.",
        ),
        None => {}
    }
    if matured.rate.small {
        text.push_str(" These are too few users to lean on.");
    }
    text
}

fn separates(factor: &Factor) -> String {
    let contrast = &factor.contrast;
    let points = |x: Option<f64>| format!("{:.1}", x.unwrap_or_default() * 100.0);
    let had = match &factor.what {
        What::Event { event } => format!("Users with `{event}` on the way"),
        What::Value { .. } => format!("Users with {}", factor.label),
    };
    let often = if contrast.difference.is_some_and(|d| d < 0.0) {
        "less"
    } else {
        "more"
    };
    format!(
        " {had} went on {often} often: {} % of {} against {} % of {} without (difference {} points, 95 % interval {} to {}).",
        points(contrast.with.value),
        count(contrast.with.n),
        points(contrast.without.value),
        count(contrast.without.n),
        points(contrast.difference),
        points(contrast.low),
        points(contrast.high)
    )
}
