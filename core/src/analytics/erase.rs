//! People who are to be forgotten.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::PoisonError;

use serde::Serialize;

use super::Analytics;
use crate::access::{Permission, Principal};
use crate::audit::Act;
use crate::cohort;
use crate::error::{Error, Result};
use crate::metadata::{change, people};
use crate::timeline::{Columns, Timelines};
use crate::warehouse::Erasure;

/// What was erased of the users asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasureReport {
    /// How many of the ids were known.
    pub users: u64,
    /// How many were not, or no longer.
    pub unknown: u64,
    /// Events that counted for them, from whichever device.
    pub events: u64,
    /// Rows of profiles, aliases, merges and the platform's other tables.
    pub records: u64,
    /// Refused events that had been kept aside.
    pub held: u64,
    /// Cohorts whose lists named them.
    pub cohorts: u64,
    /// What was shared with them, told to them, or theirs beside the events; dashboards of theirs belong to nobody from now on.
    pub kept: u64,
    /// Files beside the store that hold events and cannot be read, such as damaged pieces of its log: nobody knows whose they are.
    pub set_aside: Vec<PathBuf>,
}

/// So many users can be erased at once.
const MOST: usize = 10_000;

impl Analytics {
    /// Takes everything of users away, for good and before it returns: their events, also those of devices that were
    /// theirs, and all that profiles, aliases, merges, cohorts and other tables say of them, and what is kept for feedback. Whoever was merged with one of them
    /// is the same person and goes too.
    ///
    /// Beside the events, what was shared with them and told to them goes, and dashboards of theirs belong to nobody; the record of who
    /// did what stays whole, and names them only where they did something here themselves.
    ///
    /// Answers change as if these users had never been, and saved timelines are removed before anything else. What the engine
    /// no longer needs may stay in unused pages of its file until they are written over.
    ///
    /// # Errors
    /// `validation_failed` for an empty id or more than 10,000; `not_erased` where saved timelines cannot be removed, and then
    /// nothing is; `not_forgotten` where all is erased but the log, and erasing once more will do; a store opened only to read;
    /// `forbidden` for a principal who may not erase; `cancelled` or `timed_out` before anything is erased.
    pub fn erase(&self, who: &Principal, ids: &[&str]) -> Result<ErasureReport> {
        // The record says that people were erased, by whom and when, and never who they were.
        let act = Act::new("people.erase", "");
        self.changed(who, Permission::ErasePeople, &act, || {
            self.erase_granted(ids)
        })
    }

    fn erase_granted(&self, ids: &[&str]) -> Result<ErasureReport> {
        let ids: BTreeSet<&str> = ids.iter().copied().collect();
        if ids.contains("") || ids.len() > MOST {
            return Err(Error::field(
                "userIds",
                "invalid_length",
                format!("must be at most {MOST} ids, none of them empty"),
            ));
        }
        let ids: Vec<&str> = ids.into_iter().collect();
        // Nobody brings back meanwhile what was kept aside; and from here on nothing changes but this.
        let _alone = self.intake.alone(&*self.warehouse)?;
        let mut load = self.warehouse.load()?;
        let keys = self.warehouse.user_keys(&ids)?;
        let mut report = ErasureReport {
            users: keys.len() as u64,
            unknown: (ids.len() - keys.len()) as u64,
            ..ErasureReport::default()
        };
        let timelines = self.timelines()?;
        let (mut users, mut rows) = (BTreeSet::new(), BTreeSet::new());
        for key in keys.values() {
            let (theirs, events) = timelines.person(*key);
            users.extend(theirs);
            rows.extend(events.iter().copied());
        }
        drop(timelines);
        // From here on it is done whole: what is forgotten of them cannot be brought back.
        self.stop().check()?;
        let users: Vec<u32> = users.into_iter().collect();
        let rows: Vec<u32> = rows.into_iter().collect();
        let names = self.warehouse.user_ids(&users)?;
        let mut names: HashSet<&str> = names.iter().map(String::as_str).collect();
        let cohorts = self.without(&names)?;
        names.extend(&ids);
        let erased = load.erase(&Erasure {
            ids: &ids,
            users: &users,
            rows: &rows,
            cohorts: &cohorts,
        })?;
        self.forget_exports()?;
        report.kept = change(&*self.metadata()?, |s| people::forget(s, &names))?;
        self.forget_series(&names)?;
        self.intake.forget_parked(&names)?;
        if keys.is_empty() && erased.held == 0 {
            // Nothing of them is in the store; what was erased before may still be in the log.
            drop(load);
        } else {
            // Nobody reads or saves timelines of before from now until the change is made.
            let _one = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
            Timelines::forget(&*self.warehouse)?;
            load.commit()?;
            self.saved.store(0, std::sync::atomic::Ordering::Relaxed);
            *self.columns.lock().unwrap_or_else(PoisonError::into_inner) = Columns::default();
        }
        self.intake.forget(&*self.warehouse, self.now())?;
        // One that began in between has read what is gone.
        self.forget_exports()?;
        self.timelines()?;
        report.events = erased.events;
        report.records = erased.records;
        report.held = erased.held;
        report.cohorts = cohorts.len() as u64;
        report.set_aside = self.intake.beside();
        Ok(report)
    }

    /// The cohorts that name any of these ids, with definitions that do not.
    fn without(&self, ids: &HashSet<&str>) -> Result<Vec<(String, String)>> {
        let mut changed = Vec::new();
        for cohort in self.cohorts(&Principal::owner())? {
            let left = cohort::without(&cohort.definition, ids);
            if left != cohort.definition {
                changed.push((cohort.name, left.to_string()));
            }
        }
        Ok(changed)
    }
}
