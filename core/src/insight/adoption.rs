//! The insight about features: which are taken up, and which are not.

use super::conversion::{count, length, share, users};
use super::{Data, Insight, InsightType};
use crate::adoption::{AdoptionAnswer, FeatureAdoption};
use crate::error::Result;
use crate::query::Window;

/// Puts the answer of adoption into words.
pub(crate) fn feature_adoption(mut data: AdoptionAnswer) -> Result<Insight> {
    let exposed = data.features.iter().any(|f| f.exposed > 0);
    Insight {
        insight_type: InsightType::FeatureAdoption,
        title: "Which features users take up".to_owned(),
        description: describe(&data),
        confidence: exposed.then_some(95),
        segment: data.segment,
        start_date: data.start_date,
        end_date: data.end_date,
        created_at: data.as_of,
        updated_at: data.as_of,
        timezone: data.timezone.clone(),
        stamp: std::mem::take(&mut data.stamp),
        data: Data::Adoption(Box::new(data)),
    }
    .stamped()
}

fn describe(data: &AdoptionAnswer) -> String {
    if data.features.is_empty() {
        return "There are no features to look at: the catalogue names none.".to_owned();
    }
    let Some((most, least)) = ends(&data.features) else {
        return "No user was active in this range.".to_owned();
    };
    let often = match data.min_uses {
        1 => String::new(),
        n => format!(" at least {n} times"),
    };
    let mut text = format!(
        "Of {} exposed to `{}`, {} ({}) used it{often} within {}",
        users(most.exposed),
        most.feature,
        count(most.adopters),
        share(most.rate),
        length(data.within),
    );
    if most.feature == least.feature {
        text.push('.');
    } else {
        text.push_str(&format!(
            ", the most of {} features. `{}` is taken up least: by {} of {} ({}).",
            data.features.len(),
            least.feature,
            count(least.adopters),
            count(least.exposed),
            share(least.rate),
        ));
    }
    let half = most.kaplan_meier_median.and_then(|seconds| {
        // To the minute is as exact as a sentence needs to be.
        Window::from_micros((seconds / 60.0).round().max(1.0) as i64 * 60_000_000)
    });
    if let Some(half) = half {
        text.push_str(&format!(
            " Half of those exposed to `{}` use it within {}.",
            most.feature,
            length(half)
        ));
    }
    let unused = data.breadth.unused;
    text.push_str(&format!(
        " {} of {} active {} used no feature at all.",
        count(unused),
        count(data.active_users),
        if data.active_users == 1 {
            "user"
        } else {
            "users"
        }
    ));
    if most.rate.small || least.rate.small {
        text.push_str(" Some of these are too few users to lean on.");
    }
    text
}

/// The features with the highest and the lowest rate; the earliest of equals. Nothing where nobody is exposed to any.
fn ends(features: &[FeatureAdoption]) -> Option<(&FeatureAdoption, &FeatureAdoption)> {
    let mut rated = features
        .iter()
        .filter_map(|f| Some((f, f.rate.value?)))
        .collect::<Vec<_>>();
    rated.sort_by(|a, b| b.1.total_cmp(&a.1));
    let lowest = rated.last()?.1;
    let least = rated.iter().find(|(_, rate)| *rate == lowest)?;
    Some((rated.first()?.0, least.0))
}
