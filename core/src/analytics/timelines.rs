//! Timelines kept up to date, and questions asked over them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::Analytics;
use crate::access::{self, Permission, Principal};
use crate::cohort;
use crate::error::Result;
use crate::query::filter::{Moment, Property};
use crate::query::{Instant, Sample, Segment, Span};
use crate::timeline::{Columns, Course, Needs, Progress, Stop, Timelines, View};

/// From so many events on timelines are saved beside the file.
const SAVED_FROM: u64 = 500_000;

impl Analytics {
    /// Throws the timelines away and builds them anew from the stored events.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not import, since all events are read; `memory_limit`, or whatever reading the store raises;
    /// `cancelled` or `timed_out`, and then those of before stay.
    pub fn rebuild(&self, who: &Principal) -> Result<()> {
        access::grant(who, Permission::ImportEvents, ())?;
        let _one = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = self
            .pool
            .install(|| Timelines::build(&*self.warehouse, self.memory_limit, self.course()))?;
        *self
            .timelines
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(fresh));
        Ok(())
    }

    /// The timelines with everything stored so far. All who ask share what is built here, so that it goes on when one of them gives up.
    ///
    /// # Errors
    /// `memory_limit`, or whatever reading the store raises.
    pub fn timelines(&self) -> Result<Arc<Timelines>> {
        let head = self.warehouse.head()?;
        let current = || {
            let held = self
                .timelines
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            held.clone()
        };
        let fresh = |held: &Arc<Timelines>| held.head().version >= head.version;
        if let Some(held) = current().filter(fresh) {
            return Ok(held);
        }
        let _one = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = current();
        if held.is_none() {
            let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            let ahead = ahead.take();
            let saved = self
                .pool
                .install(|| Timelines::saved_ahead(&*self.warehouse, self.memory_limit, ahead))?;
            held = saved.map(Arc::new);
            let events = held.as_ref().map_or(0, |held| held.head().events);
            self.saved.store(events, Ordering::Relaxed);
        }
        let course = Course {
            stop: Stop::default(),
            ..self.course()
        };
        let built = match held {
            Some(held) if fresh(&held) => held,
            Some(held) => Arc::new(
                self.pool
                    .install(|| held.updated(&*self.warehouse, self.memory_limit, course))?,
            ),
            None => Arc::new(
                self.pool
                    .install(|| Timelines::build(&*self.warehouse, self.memory_limit, course))?,
            ),
        };
        // Small stores are built in no time; of large ones a copy may lack some of the latest events.
        let saved = self.saved.load(Ordering::Relaxed);
        if built.head().events.abs_diff(saved) > saved / 16 {
            self.save(&built)?;
        }
        *self
            .timelines
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&built));
        Ok(built)
    }

    /// Saves timelines beside the file, where they are large enough for it to pay.
    pub(super) fn save(&self, timelines: &Timelines) -> Result<()> {
        let events = timelines.head().events;
        if events >= SAVED_FROM && self.pool.install(|| timelines.save(&*self.warehouse))? {
            self.saved.store(events, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The properties, cohorts and amounts that a question needs, as of an instant.
    pub(super) fn columns(
        &self,
        timelines: &Timelines,
        needs: &Needs<'_>,
        as_of: Instant,
    ) -> Result<Columns> {
        if needs.properties.is_empty() && !needs.amounts {
            return Ok(Columns::default());
        }
        let named = |property: &&Property| matches!(property, Property::Cohort { .. });
        let cohorts = if needs.properties.iter().any(named) {
            self.definitions(&needs.properties)?
        } else {
            Vec::new()
        };
        let inner = cohorts.iter().flat_map(|(_, d)| d.properties());
        let wanted = needs.properties.iter().copied().chain(inner);
        // One at a time reads what is missing; what is known is shared.
        let mut columns = {
            let mut held = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
            held.load(
                &*self.warehouse,
                timelines.identity(),
                wanted.clone(),
                needs.amounts,
            )?;
            let share = self.memory_limit.map(|limit| limit / 8 * 3);
            held.keep_within(share, wanted, needs.amounts)?;
            held.clone()
        };
        for (name, definition) in &cohorts {
            let keys = self.warehouse.user_keys(&definition.ids())?;
            let view = View {
                columns: &columns,
                stop: self.stop(),
                ..View::new(timelines, as_of)
            };
            let changing = |p: &&Property| matches!(p, Property::Cohort { name: of, .. } if of == name && !p.fixed());
            let over_time = needs.properties.iter().any(changing);
            let members = self
                .pool
                .install(|| cohort::members(definition, &keys, &view, over_time))?;
            columns.add_cohort(name, members);
        }
        Ok(columns)
    }

    /// By user key, whether a sample has the user (S2).
    fn sampled(&self, sample: &Sample) -> Result<Vec<bool>> {
        let mut sampled = Vec::new();
        self.warehouse.users(&mut |key, id, anonymous| {
            let key = key as usize;
            if key >= sampled.len() {
                sampled.resize(key + 1, false);
            }
            if let Some(seen) = sampled.get_mut(key) {
                *seen = sample.holds(id, anonymous);
            }
        })?;
        Ok(sampled)
    }

    /// Answers over the timelines as of an instant, on the threads of this handle.
    pub(super) fn over<T: Send>(
        &self,
        as_of: Option<Instant>,
        segment: Segment,
        span: Span,
        needs: &Needs<'_>,
        answer: impl FnOnce(&View<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        if let Some(limit) = self.timeout {
            let limited = Self {
                timeout: None,
                ..self.within(limit)
            };
            return limited.over(as_of, segment, span, needs, answer);
        }
        let as_of = as_of.unwrap_or_else(|| self.now());
        self.stop().check()?;
        let timelines = self.timelines()?;
        self.stop().check()?;
        let plan = Property::User {
            name: "plan".to_owned(),
            at: Moment::AsOf,
        };
        let mut needs = needs.clone();
        let by_plan = matches!(segment, Segment::Premium | Segment::Free);
        if by_plan {
            needs.properties.push(&plan);
        }
        let columns = self.columns(&timelines, &needs, as_of)?;
        let premium = if by_plan {
            let before = span.to.micros().min(as_of.micros() + 1);
            columns.users_with("plan", before, &self.warehouse.catalogue()?.premium_plans)
        } else {
            Vec::new()
        };
        let sampled = needs.sample.map(|s| self.sampled(s));
        let sampled = sampled.transpose()?;
        let view = View {
            premium: &premium,
            sampled: sampled.as_deref(),
            columns: &columns,
            stop: self.stop(),
            progress: self.course().progress,
            ..View::new(&timelines, as_of)
        };
        view.stop.check()?;
        self.pool.install(|| answer(&view))
    }

    /// What long work hears and tells.
    pub(super) fn course(&self) -> Course<'_> {
        Course {
            stop: self.stop(),
            progress: self
                .progress
                .as_deref()
                .map(Progress::to)
                .unwrap_or_default(),
        }
    }

    pub(super) fn stop(&self) -> Stop<'_> {
        self.stop.as_deref().map(Stop::when).unwrap_or_default()
    }
}
