//! How good the model is: learned one horizon earlier, and held against what came true since.

use serde::Serialize;

use super::fits::Fits;
use super::history::DAY;
use super::measure::{
    Judged, ascending, auc_with_interval, bins, brier, calibration_error, lift, log_loss,
};
use super::model::Setting;
use crate::query::{Instant, Rate};

/// How good probabilities were that were given at a cut-off one horizon before `asOf`, by a model that had seen nothing of what
/// followed (S7).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    /// The cut-off.
    pub cut_off: Instant,
    /// How many of the users who counted there churned.
    pub churned: Rate,
    /// The area under the ROC curve; null where all or none churned.
    pub auc: Option<Auc>,
    /// The Brier score: the mean squared distance of probabilities and what came true.
    pub brier: f64,
    /// The same, had everyone been given the share that churned one horizon earlier.
    pub brier_of_base_rate: f64,
    /// The mean of minus the logarithm of the probability given to what came true.
    pub log_loss: f64,
    /// The expected calibration error: how far, on average over users, the mean probability of their tenth is from the share that churned.
    pub calibration_error: f64,
    /// How many times as often the tenth of users with the highest risk churned as all did; null where none churned.
    pub lift_at_ten_percent: Option<f64>,
    /// The tenths that hold users.
    pub calibration: Vec<CalibrationBin>,
}

/// An area under the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Auc {
    /// The chance that a user who churned had the higher risk of the two, against one who did not.
    pub value: f64,
    /// The lower end of its 95 % interval, from 200 bootstrap samples of users.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Users whose probabilities were within one tenth of [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CalibrationBin {
    /// Where the tenth begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// The mean probability given.
    pub predicted: f64,
    /// The share that churned.
    pub observed: Rate,
}

/// Judges a model learned for the cut-off one horizon back; none where nobody is to learn from or to judge by.
pub(super) fn judge(setting: Setting, fits: &Fits<'_>, as_of: Instant) -> Option<Quality> {
    let cut = setting.horizon;
    let model = setting.learn(fits, cut)?;
    let histories = fits.histories;
    let visits = fits.visits(cut);
    let scores = model.scores(histories, cut, visits.as_ref());
    let judged: Vec<Judged> = setting
        .counting(histories, cut)
        .zip(&scores)
        .map(|(history, score)| (score.probability(), !history.returns(cut, setting.horizon)))
        .collect();
    let judged = ascending(judged);
    let base = model.lessons.first()?;
    let base = base.churned as f64 / base.users as f64;
    let same: Vec<Judged> = judged.iter().map(|(_, came)| (base, *came)).collect();
    let bins = bins(&judged);
    let churned = judged.iter().filter(|j| j.1).count() as u64;
    Some(Quality {
        cut_off: back(as_of, cut),
        churned: Rate::of(churned, judged.len() as u64),
        auc: auc_with_interval(&judged).map(|[value, low, high]| Auc { value, low, high }),
        brier: brier(&judged),
        brier_of_base_rate: brier(&same),
        log_loss: log_loss(&judged),
        calibration_error: calibration_error(&bins),
        lift_at_ten_percent: lift(&judged),
        calibration: (0..10)
            .zip(bins)
            .filter(|(_, bin)| bin.users > 0)
            .map(|(tenth, bin)| CalibrationBin {
                from: f64::from(tenth) / 10.0,
                to: f64::from(tenth + 1) / 10.0,
                predicted: bin.expected / bin.users as f64,
                observed: Rate::of(bin.came, bin.users),
            })
            .collect(),
    })
}

/// So many days before an instant.
pub(super) fn back(as_of: Instant, days: u32) -> Instant {
    Instant::saturating_from_micros(as_of.micros().saturating_sub(i64::from(days) * DAY))
}
