//! The BG/NBD models of days of activity, by cut-off.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::bgnbd::BgNbd;
use super::features::visits;
use super::history::History;

/// The histories of all users, and the models of those known at cut-offs. Each is fitted once: to learn for today and for a horizon ago
/// asks for most of them twice.
#[derive(Debug)]
pub(super) struct Fits<'a> {
    pub(super) histories: &'a [History],
    models: RefCell<BTreeMap<u32, Option<BgNbd>>>,
}

impl<'a> Fits<'a> {
    pub(super) fn of(histories: &'a [History]) -> Self {
        Self {
            histories,
            models: RefCell::default(),
        }
    }

    /// The model of all users known at a cut-off: of those active lately alone it would learn that nobody stays away.
    pub(super) fn visits(&self, cut: u32) -> Option<BgNbd> {
        if let Some(model) = self.models.borrow().get(&cut) {
            return *model;
        }
        let known = self.histories.iter().map(|h| h.before(cut));
        let known = known.filter(|days| !days.is_empty());
        let model = BgNbd::fit(known.map(|days| visits(days, cut)));
        self.models.borrow_mut().insert(cut, model);
        model
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::Day;
    use super::*;

    #[test]
    fn a_model_is_fitted_once_and_of_nothing_from_the_cut_off_on() {
        let histories: Vec<History> = (0..60_u32)
            .map(|user| {
                let every = 1 + user % 7;
                let days = (0..20).map(|k| 100_u32.saturating_sub(every * k).max(user % 11));
                let mut days: Vec<u32> = days.collect();
                days.dedup();
                let day = |ago| Day {
                    ago,
                    events: 1,
                    amount: 0.0,
                };
                History {
                    user,
                    member: true,
                    days: days.into_iter().map(day).collect(),
                    said: Vec::new(),
                }
            })
            .collect();
        let fits = Fits::of(&histories);
        let once = fits.visits(30);
        assert!(once.is_some());
        assert_eq!(fits.models.borrow().len(), 1);
        assert_eq!(fits.visits(30), once);
        assert_eq!(fits.models.borrow().len(), 1);
        let mut cut = histories.clone();
        for history in &mut cut {
            history.days.retain(|d| d.ago >= 30);
        }
        assert_eq!(Fits::of(&cut).visits(30), once);
    }
}
