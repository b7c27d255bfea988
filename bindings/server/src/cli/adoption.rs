//! `travelsense adoption`: which features users take up, in the terminal.

use travelsense::Principal;
use travelsense::adoption::AdoptionAnswer;

use super::Outcome;
use super::question::{Common, days};
use super::store::Store;
use super::table::{Table, count, duration, percent};

/// Shows which features users take up, how soon and how many of them
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  travelsense adoption --data demo --features map,share_trip --start QUARTER_AGO --end YESTERDAY

Features that are not given are those of the catalogue. The rate is of the users exposed to a feature in the range.")]
pub(super) struct Adoption {
    #[command(flatten)]
    store: Store,
    /// Names of features with commas between them, or a JSON list
    #[arg(long, value_name = "FEATURES")]
    features: Option<String>,
    /// The time from exposure in which the uses must be: 12h, 30d or seconds [default: 30d]
    #[arg(long, value_name = "LENGTH", allow_hyphen_values = true)]
    within: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Adoption {
    /// Asks and shows.
    pub(super) fn run(self) -> Outcome {
        let question = self
            .common
            .question(vec![("features", self.features), ("within", self.within)])?;
        let store = self.store.read()?;
        let answer = store.adoption_json(&Principal::owner(), &question)?;
        self.common.write(&answer, show)
    }
}

fn show(answer: &AdoptionAnswer) -> String {
    let mut text = format!(
        "{} active users of {}, within {} of exposure, {}\n\n",
        count(answer.active_users),
        answer.segment.name(),
        duration(Some(answer.within.micros() as f64 / 1e6)),
        days(&answer.timezone, answer.start_date, answer.end_date),
    );
    let head = [
        "Feature",
        "Exposed",
        "Adopters",
        "Rate",
        "Median time",
        "Users",
        "Uses",
    ];
    let mut table = Table::new(1, &head);
    for feature in &answer.features {
        table.row(vec![
            feature.feature.clone(),
            count(feature.exposed),
            count(feature.adopters),
            percent(feature.rate.value),
            duration(feature.kaplan_meier_median),
            count(feature.users),
            count(feature.uses),
        ]);
    }
    text.push_str(&table.render());
    text.push_str(&format!(
        "\n{} of {} active users used none of them.\n",
        count(answer.breadth.unused),
        count(answer.active_users),
    ));
    text
}
