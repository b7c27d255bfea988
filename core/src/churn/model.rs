//! A model of churn: learned at past cut-offs, used at a later one, judged where the later one is past too (S7).

use rayon::prelude::*;

use super::bgnbd::BgNbd;
use super::boosted::{Boosted, Known, Wide};
use super::calibration::Platt;
use super::features::{FEATURES, Figures, Row};
use super::fits::Fits;
use super::hazard::{Hazard, Sample};
use super::history::{Day, History};
use crate::learn::special::{logistic, logit};

/// Whose churn is asked for, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// Churned = no activity for so many days from the cut-off on.
    pub(super) horizon: u32,
    /// At a cut-off only users count who were active in so many days before it; all known ones without.
    pub(super) active_within: Option<u32>,
    /// How many attributes of users are known.
    pub(super) attributes: usize,
}

/// What was learned from the users at one cut-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lesson {
    /// How many days back the cut-off is.
    pub(super) cut: u32,
    /// How many users counted.
    pub(super) users: u64,
    /// How many of them churned.
    pub(super) churned: u64,
}

/// A model that has been learned.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) setting: Setting,
    scorer: Scorer,
    /// The cut-offs it was learned at, the newest first.
    pub(super) lessons: Vec<Lesson>,
}

#[derive(Clone, Debug)]
enum Scorer {
    /// The regression and what makes its scores probabilities.
    Hazard(Box<Hazard>, Platt),
    /// Trees, which won over the regression, and what makes theirs probabilities.
    Boosted(Box<Boosted>, Platt),
    /// One probability for all, where too few went or stayed to tell who.
    Base,
}

/// What a model says of a user.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Score {
    /// The key.
    pub(super) user: u32,
    /// Whether the user is of the segment asked for.
    pub(super) member: bool,
    /// The log odds of going away.
    pub(super) log_odds: f64,
    /// Their standard error.
    pub(super) error: f64,
    /// What is known of the user.
    pub(super) figures: Figures,
    /// The same as the regression sees it.
    pub(super) row: Row,
    /// What is known of the user's attributes.
    pub(super) known: Known,
}

impl Score {
    /// The probability of going away.
    pub(super) fn probability(&self) -> f64 {
        logistic(self.log_odds)
    }
}

/// A model learns at most at so many cut-offs, one horizon apart, each older one counting half as much as the one after it.
const CUTS: u32 = 4;
/// Of so many users at most, which is plenty for its few weights; evenly spaced in the order of `history::arrange`.
const USERS: usize = 25_000;
/// With fewer users than this the scaling is fitted on scores that a user's own samples had no part in.
const FEW: usize = 5_000;
/// So many users must have gone and as many stayed before it is learned who does.
const LEAST: usize = 10;

impl Setting {
    /// The days of a user strictly before a cut-off, where the user counts there.
    fn at<'a>(&self, history: &'a History, cut: u32) -> Option<&'a [Day]> {
        let days = history.before(cut);
        let last = days.last()?;
        let recent = |within| last.ago < cut.saturating_add(within);
        self.active_within.is_none_or(recent).then_some(days)
    }

    /// The users who count at a cut-off, in order.
    pub(super) fn counting<'a>(
        &'a self,
        histories: &'a [History],
        cut: u32,
    ) -> impl Iterator<Item = &'a History> {
        histories.iter().filter(move |h| self.at(h, cut).is_some())
    }

    /// Learns from what was known and came true before the cut-off so many days back; none where no user is to learn from.
    pub(super) fn learn(&self, fits: &Fits<'_>, cut: u32) -> Option<Model> {
        let (horizon, histories) = (self.horizon, fits.histories);
        let mut lessons = Vec::new();
        let mut samples: Vec<Wide> = Vec::new();
        for n in 0..CUTS {
            let Some(cut) = cut.checked_add((n + 1).saturating_mul(horizon)) else {
                break;
            };
            let mut lesson = Lesson {
                cut,
                users: 0,
                churned: 0,
            };
            for history in self.counting(histories, cut) {
                lesson.users += 1;
                lesson.churned += u64::from(!history.returns(cut, horizon));
            }
            if lesson.users == 0 {
                break;
            }
            lessons.push(lesson);
            let visits = fits.visits(cut);
            let weight = 0.5_f64.powi(n as i32);
            samples.par_extend(
                histories
                    .par_iter()
                    .enumerate()
                    .step_by(histories.len().div_ceil(USERS).max(1))
                    .filter_map(|(user, h)| {
                        let days = self.at(h, cut)?;
                        let figures = Figures::of(days, cut, horizon, visits.as_ref());
                        let sample = Sample {
                            user,
                            row: figures.row(days, cut, horizon),
                            churned: !h.returns(cut, horizon),
                            weight,
                        };
                        Some((sample, h.known(cut, self.attributes)))
                    }),
            );
        }
        lessons.first()?;
        let boosted = match self.attributes {
            0 => None,
            _ => boosted(&samples),
        };
        let samples: Vec<Sample> = samples.into_iter().map(|s| s.0).collect();
        let scorer = boosted.or_else(|| scorer(samples)).unwrap_or(Scorer::Base);
        Some(Model {
            setting: *self,
            scorer,
            lessons,
        })
    }
}

/// Trees grow on so many samples at most.
const TREES: usize = 40_000;

/// Trees over samples, of which those of the newest cut-off come first, where they win over the regression.
fn boosted(samples: &[Wide]) -> Option<Scorer> {
    let thin = samples.len().div_ceil(TREES).max(1);
    let mut users: Vec<usize> = samples.iter().map(|s| s.0.user).collect();
    users.sort_unstable();
    users.dedup();
    // Whole users are left out, so that none is learned from that is judged.
    let kept = |s: &&Wide| {
        let place = users.binary_search(&s.0.user);
        place.is_ok_and(|place| place.is_multiple_of(thin))
    };
    let fewer: Vec<Wide> = samples.iter().filter(kept).cloned().collect();
    let newest = fewer.iter().take_while(|s| s.0.weight == 1.0).count();
    Boosted::wins(&fewer, newest).then(|| {
        let (trees, scored) = Boosted::fit(&fewer, newest);
        Scorer::Boosted(Box::new(trees), Platt::fit(&scored))
    })
}

/// The regression over samples, of which those of the newest cut-off come first, and its scaling by these.
fn scorer(samples: Vec<Sample>) -> Option<Scorer> {
    let gone = samples.iter().filter(|s| s.churned).count();
    if gone.min(samples.len() - gone) < LEAST {
        return None;
    }
    let newest = samples.iter().take_while(|s| s.weight == 1.0).count();
    let mut grouped = samples.clone();
    // Stable, so that the newer of a user's samples stay first.
    grouped.sort_by_key(|s| s.user);
    let hazard = Hazard::fit(&grouped)?;
    let newest = samples.get(..newest)?;
    let scored: Vec<(f64, bool)> = if newest.len() < FEW {
        const FOLDS: usize = 5;
        let folds: Option<Vec<Vec<(f64, bool)>>> = (0..FOLDS)
            .map(|fold| {
                let others: Vec<Sample> = grouped
                    .iter()
                    .filter(|s| s.user % FOLDS != fold)
                    .copied()
                    .collect();
                let hazard = Hazard::fit(&others)?;
                let own = newest.iter().filter(|s| s.user % FOLDS == fold);
                Some(own.map(|s| (hazard.score(&s.row), s.churned)).collect())
            })
            .collect();
        folds?.concat()
    } else {
        newest
            .iter()
            .map(|s| (hazard.score(&s.row), s.churned))
            .collect()
    };
    let platt = Platt::fit(&scored);
    Some(Scorer::Hazard(Box::new(hazard), platt))
}

impl Model {
    /// What it is called.
    pub(super) fn name(&self) -> &'static str {
        match self.scorer {
            Scorer::Hazard(..) => "hazard",
            Scorer::Boosted(..) => "boosting",
            Scorer::Base => "base_rate",
        }
    }

    /// Scores all users who count at the cut-off so many days back, in the order of their histories; `visits` is the BG/NBD model of
    /// these users.
    pub(super) fn scores(
        &self,
        histories: &[History],
        cut: u32,
        visits: Option<&BgNbd>,
    ) -> Vec<Score> {
        histories
            .par_iter()
            .filter_map(|history| {
                let days = self.setting.at(history, cut)?;
                let figures = Figures::of(days, cut, self.setting.horizon, visits);
                let row = figures.row(days, cut, self.setting.horizon);
                let known = history.known(cut, self.setting.attributes);
                let (log_odds, error) = self.score(&row, &known);
                Some(Score {
                    user: history.user,
                    member: history.member,
                    log_odds,
                    error,
                    figures,
                    row,
                    known,
                })
            })
            .collect()
    }

    fn score(&self, row: &Row, known: &Known) -> (f64, f64) {
        match &self.scorer {
            Scorer::Boosted(trees, platt) => {
                let score = trees.score(row, known);
                let variance = platt.variance(score, trees.variance(row, known));
                (platt.log_odds(score), variance.sqrt())
            }
            Scorer::Hazard(hazard, platt) => {
                let score = hazard.score(row);
                let variance = platt.variance(score, hazard.variance(row));
                (platt.log_odds(score), variance.sqrt())
            }
            Scorer::Base => {
                let newest = self.lessons.first();
                let (n, k) = newest.map_or((0.0, 0.0), |l| (l.users as f64, l.churned as f64));
                // Jeffreys' prior: half a user more on either side, so that nothing is certain.
                let p = (k + 0.5) / (n + 1.0);
                (logit(p), (1.0 / ((n + 1.0) * p * (1.0 - p))).sqrt())
            }
        }
    }

    /// The log odds of the average user, whose features these are; of trees, those before anything is known of a user.
    pub(super) fn average(&self, row: &Row) -> f64 {
        match &self.scorer {
            Scorer::Boosted(trees, platt) => platt.log_odds(trees.base()),
            _ => self.score(row, &Known::new()).0,
        }
    }

    /// What each feature, and each attribute, adds to the log odds of a user over those of the average one.
    pub(super) fn contributions(&self, row: &Row, known: &Known, average: &Row) -> (Row, Vec<f64>) {
        match &self.scorer {
            Scorer::Hazard(hazard, platt) => {
                let added = hazard.contributions(row, average);
                (added.map(|added| platt.slope * added), Vec::new())
            }
            Scorer::Boosted(trees, platt) => {
                let (own, more) = trees.contributions(row, known);
                let scaled = more.into_iter().map(|added| platt.slope * added);
                (own.map(|added| platt.slope * added), scaled.collect())
            }
            Scorer::Base => ([0.0; FEATURES], Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::arrange;
    use super::*;

    /// Users who come every few days and stop at some time, by a fixed rule.
    fn people(n: u32) -> Vec<History> {
        let mut histories: Vec<History> = (0..n)
            .map(|user| {
                let spin = user.wrapping_mul(2_654_435_761) >> 7;
                let (every, first) = (1 + spin % 9, 120 + spin % 240);
                let stop = (spin / 11) % 300;
                let days_ago = (0..)
                    .map(|k| first.checked_sub(k * every))
                    .map_while(|ago| ago);
                let days = days_ago.filter(|ago| *ago >= stop || *ago == first);
                History {
                    user,
                    member: true,
                    days: days
                        .map(|ago| Day {
                            ago,
                            events: 1 + ago % 3,
                            amount: f64::from(ago % 5),
                        })
                        .collect(),
                    said: Vec::new(),
                }
            })
            .collect();
        arrange(&mut histories);
        histories
    }

    const SETTING: Setting = Setting {
        horizon: 30,
        active_within: None,
        attributes: 0,
    };

    fn scores(histories: &[History], cut: u32) -> Vec<(u32, u64)> {
        let fits = Fits::of(histories);
        let model = SETTING.learn(&fits, cut).unwrap();
        let visits = fits.visits(cut);
        let scores = model.scores(histories, cut, visits.as_ref());
        let mut scores: Vec<(u32, u64)> = scores
            .iter()
            .map(|s| (s.user, s.log_odds.to_bits()))
            .collect();
        scores.sort_unstable();
        scores
    }

    #[test]
    fn what_happens_from_the_cut_off_on_changes_no_score() {
        let histories = people(800);
        let cut = 60;
        let mut cut_short = histories.clone();
        for history in &mut cut_short {
            history.days.retain(|d| d.ago >= cut);
        }
        cut_short.retain(|h| !h.days.is_empty());
        arrange(&mut cut_short);
        assert_eq!(scores(&histories, cut), scores(&cut_short, cut));
        let mut more = histories.clone();
        for (ago, history) in more.iter_mut().enumerate() {
            history.days.retain(|d| d.ago >= cut);
            history.days.extend(
                (0..cut)
                    .rev()
                    .filter(|d| (*d as usize + ago).is_multiple_of(3))
                    .map(|ago| Day {
                        ago,
                        events: 9,
                        amount: 1e6,
                    }),
            );
        }
        more.retain(|h| h.days.first().is_some_and(|d| d.ago >= cut));
        arrange(&mut more);
        assert_eq!(scores(&histories, cut), scores(&more, cut));
    }

    #[test]
    fn who_stopped_is_told_from_who_did_not() {
        let histories = people(2_000);
        let fits = Fits::of(&histories);
        let model = SETTING.learn(&fits, 30).unwrap();
        assert_eq!(model.name(), "hazard");
        assert_eq!(model.lessons.len(), 4);
        let visits = fits.visits(30);
        let scores = model.scores(&histories, 30, visits.as_ref());
        let judged = SETTING
            .counting(&histories, 30)
            .zip(&scores)
            .map(|(h, s)| (s.probability(), !h.returns(30, 30)));
        let judged = super::super::measure::ascending(judged.collect());
        let [auc, ..] = super::super::measure::auc_with_interval(&judged).unwrap();
        assert!(auc > 0.9, "{auc}");
        assert!(scores.iter().all(|s| s.error.is_finite() && s.error > 0.0));
    }

    #[test]
    fn the_order_of_users_and_the_number_of_threads_change_no_bit() {
        let histories = people(6_000);
        let expected = scores(&histories, 0);
        let mut turned = histories;
        turned.reverse();
        arrange(&mut turned);
        assert_eq!(scores(&turned, 0), expected);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        assert_eq!(pool.install(|| scores(&turned, 0)), expected);
    }

    #[test]
    fn every_history_gets_probabilities_or_none_at_all() {
        let day = |ago| Day {
            ago,
            events: u32::MAX,
            amount: -1e300,
        };
        let users = |days_ago: &[&[u32]]| -> Vec<History> {
            let mut histories: Vec<History> = days_ago
                .iter()
                .zip(0..)
                .map(|(days_ago, user)| History {
                    user,
                    member: true,
                    days: days_ago.iter().map(|ago| day(*ago)).collect(),
                    said: Vec::new(),
                })
                .collect();
            arrange(&mut histories);
            histories
        };
        let all_gone = vec![&[400_u32, 300][..]; 300];
        let all_here: Vec<u32> = (0..400).rev().collect();
        let all_stay = vec![&all_here[..]; 300];
        let half: Vec<&[u32]> = (0..40)
            .map(|i| {
                if i % 2 == 0 {
                    &all_here[..]
                } else {
                    &[500][..]
                }
            })
            .collect();
        let table: [(&[&[u32]], bool); 8] = [
            (&[], false),
            (&[&[29]], false),
            (&[&[30]], true),
            (&[&[u32::MAX]], true),
            (&[&[u32::MAX, 31, 30, 0]], true),
            (&all_gone, true),
            (&all_stay, true),
            (&half, true),
        ];
        for (days_ago, some) in table {
            let histories = users(days_ago);
            let fits = Fits::of(&histories);
            let model = SETTING.learn(&fits, 0);
            assert_eq!(model.is_some(), some, "{} users", days_ago.len());
            let Some(model) = model else { continue };
            let visits = fits.visits(0);
            for score in model.scores(&histories, 0, visits.as_ref()) {
                let p = score.probability();
                assert!(p > 0.0 && p < 1.0 && score.error.is_finite(), "{score:?}");
            }
        }
        let few = Setting {
            active_within: Some(7),
            ..SETTING
        };
        assert!(few.learn(&Fits::of(&users(&all_gone)), 0).is_none());
    }
}
