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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{self, Permission, Principal};
    use crate::adoption::{self, Adoption};
    use crate::query::{Instant, Range};
    use crate::timeline::{Timelines, View};

    /// What is said of events (user, day of January 2024, name) and of these features.
    fn said(features: &[&str], events: &[(u32, i64, u16)]) -> Insight {
        let day = 86_400_000_000;
        let first: Instant = "2024-01-01T00:00:00Z".parse().unwrap();
        let rows = events
            .iter()
            .map(|(user, n, name)| (*user, first.micros() + (n - 1) * day, *name));
        let names = ["map", "chat", "open"].map(str::to_owned).to_vec();
        let timelines = Timelines::from_rows(names, rows).unwrap();
        let range = Range::new("2024-01-01", "2024-01-31").unwrap();
        let question = Adoption::new(features.iter().copied(), range);
        let scoped =
            access::grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
        let view = View::new(&timelines, "2024-06-01T00:00:00Z".parse().unwrap());
        feature_adoption(adoption::answer(&scoped, &view).unwrap()).unwrap()
    }

    #[test]
    fn it_says_which_feature_is_taken_up_most_and_which_least() {
        let insight = said(
            &["chat", "map"],
            &[(0, 1, 2), (0, 3, 0), (1, 1, 2), (1, 4, 0)],
        );
        assert_eq!(insight.title, "Which features users take up");
        assert_eq!(
            insight.description,
            "Of 2 users exposed to `map`, 2 (100.0 %, 95 % interval 34.2 to 100.0 %) used it within 30 days, the most of 2 \
             features. `chat` is taken up least: by 0 of 2 (0.0 %, 95 % interval 0.0 to 65.8 %). Half of those exposed to \
             `map` use it within 2 days. 0 of 2 active users used no feature at all. Some of these are too few users to \
             lean on."
        );
        assert_eq!(insight.confidence, Some(95));
    }

    #[test]
    fn it_says_so_where_there_are_no_features_or_no_users() {
        let nobody = said(&["map"], &[]);
        assert_eq!(nobody.description, "No user was active in this range.");
        assert_eq!(nobody.confidence, None);
        let nothing = said(&[], &[(0, 1, 2)]);
        assert_eq!(
            nothing.description,
            "There are no features to look at: the catalogue names none."
        );
    }
}
