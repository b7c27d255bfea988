//! A funnel made ready for the pass: which rows fill which steps, exclude, break or hold.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: steps are at most 64, name keys are below the number of names, rows below the timeline's length"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use super::options::{ExclusionMode, Order, Selects, Unit, Universe};
use super::outcome::{TooComplex, WORK};
use super::question::{Funnel, MAX_STEPS};
use crate::error::Result;
use crate::query::{Calendar, Condition, Filter, Instant, Zone};
use crate::timeline::column::Reader;
use crate::timeline::{Judge, Meaning, Members, RowSet, Stop, Timeline, View};

/// Searches may try so many rows for each stored event.
const EACH: u64 = 1_000;

/// Which bits of 64 an event has: by its name where that decides, else by its row.
#[derive(Debug)]
struct Bits {
    names: Vec<u64>,
    rows: Vec<(u64, Meaning)>,
}

impl Bits {
    fn new<'c>(conditions: impl Iterator<Item = &'c Condition>, view: &View<'_>) -> Result<Self> {
        let mut bits = Self {
            names: vec![0; view.timelines.names().len()],
            rows: Vec::new(),
        };
        for (k, condition) in conditions.take(MAX_STEPS).enumerate() {
            // What the entry says is asked of each entry (C1).
            let meaning = view.meaning(&Condition {
                event: condition.event.clone(),
                filters: of_rows(&condition.filters),
            })?;
            if meaning.rows.is_some() {
                bits.rows.push((1 << k, meaning));
                continue;
            }
            for (name, mask) in bits.names.iter_mut().enumerate() {
                if meaning.names.as_ref().is_none_or(|means| means[name]) {
                    *mask |= 1 << k;
                }
            }
        }
        Ok(bits)
    }

    #[inline]
    fn of(&self, name: u16, row: u32) -> u64 {
        let mut mask = self.names[usize::from(name)];
        for (bit, meaning) in &self.rows {
            if meaning.holds(name, row) {
                mask |= bit;
            }
        }
        mask
    }
}

/// The filters that a row meets or not, whatever the entry.
fn of_rows(filters: &[Filter]) -> Vec<Filter> {
    let rows = filters.iter().filter(|f| !f.property.at_entry());
    rows.cloned().collect()
}

/// What an entry allows: the steps and the exclusions whose conditions as of an entry it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) steps: u64,
    pub(super) excluded: u64,
}

impl Allowed {
    pub(super) const ALL: Self = Self {
        steps: u64::MAX,
        excluded: u64::MAX,
    };
}

/// A filter of what is known of the user at the entry.
#[derive(Debug)]
struct EntryFilter<'a> {
    judge: Judge<'a>,
    /// What an entry that does not meet it lacks; nothing where it is no entry at all.
    lacks: Option<Allowed>,
}

/// One step's place in the chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) optional: bool,
    pub(super) min_gap: i64,
    pub(super) max_gap: Option<i64>,
    /// How many required steps there are up to and with it.
    pub(super) rank: usize,
}

/// A funnel made ready for the pass.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) question: &'a Funnel,
    pub(super) members: Members<'a>,
    pub(super) places: Vec<Place>,
    /// The steps that are not optional.
    pub(super) required: usize,
    /// For each exclusion the steps, from 0, that it lies between.
    pub(super) exclusions: Vec<(usize, usize)>,
    pub(super) removes: bool,
    pub(super) grace: i64,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) as_of: i64,
    /// The buckets of the trend.
    pub(super) calendar: Option<Calendar>,
    /// Whether the pass hands over every chain, and timelines with all their events.
    pub(super) whole: bool,
    steps: Bits,
    excluded: Bits,
    seen: Option<Meaning>,
    entry_filters: Vec<EntryFilter<'a>>,
    /// Whether each name breaks a strict order.
    walls: Vec<bool>,
    hold: Vec<Reader<'a>>,
    window: i64,
    all_steps: bool,
    zone: &'a Zone,
    stop: Stop<'a>,
    /// How many rows searches have tried, and how many they may.
    tried: AtomicU64,
    most: u64,
}

/// An event that matters to the search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) ts: i64,
    /// The steps it can fill: bit k is step k + 1.
    pub(super) mask: u64,
    /// The exclusions it means.
    pub(super) excluded: u64,
    /// Its place in the timeline.
    pub(super) at: u32,
}

/// The events among which one chain is looked for: those of a user, of a session, of a value held constant.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// The times of what breaks a strict order.
    pub(super) walls: Vec<i64>,
    session: u32,
}

impl Rows {
    /// The same rows as an entry allows them.
    pub(super) fn under(&self, allowed: Allowed) -> Self {
        let rows = self.rows.iter().map(|row| Row {
            mask: row.mask & allowed.steps,
            excluded: row.excluded & allowed.excluded,
            ..*row
        });
        Self {
            rows: rows.collect(),
            walls: self.walls.clone(),
            session: self.session,
        }
    }
}

/// All filters of what is known of the user at the entry.
fn entry_filters<'a>(question: &'a Funnel, view: &View<'a>) -> Result<Vec<EntryFilter<'a>>> {
    let none = Allowed {
        steps: 0,
        excluded: 0,
    };
    let steps = question.steps.iter().take(MAX_STEPS).enumerate();
    let steps = steps.map(|(k, step)| {
        let lacks = Allowed {
            steps: 1 << k,
            ..none
        };
        (&step.condition.filters, Some(lacks))
    });
    let exclusions = question.exclusions.iter().take(64).enumerate();
    let exclusions = exclusions.map(|(x, exclusion)| {
        let lacks = Allowed {
            excluded: 1 << x,
            ..none
        };
        (&exclusion.condition.filters, Some(lacks))
    });
    let mut found = Vec::new();
    for (filters, lacks) in steps.chain(exclusions).chain([(&question.filters, None)]) {
        for filter in filters.iter().filter(|f| f.property.at_entry()) {
            let columns = view.columns;
            let reader = columns.reader_of_entry(&filter.property, view.as_of.micros())?;
            let judge = Judge::new(filter, reader);
            found.push(EntryFilter { judge, lacks });
        }
    }
    Ok(found)
}

impl<'a> Plan<'a> {
    pub(super) fn new(question: &'a Funnel, view: &View<'a>) -> Result<Self> {
        let span = question.range.span();
        let mut rank = 0;
        let places = question.steps.iter().take(MAX_STEPS).map(|step| {
            rank += usize::from(!step.optional);
            Place {
                optional: step.optional,
                min_gap: step.min_gap.map_or(0, |w| w.micros()),
                max_gap: step.max_gap.map(|w| w.micros()),
                rank,
            }
        });
        let places: Vec<Place> = places.collect();
        let seen = view.rows(&of_rows(&question.filters))?.map(|rows| Meaning {
            names: None,
            rows: Some(rows),
        });
        let wall = |name: &String| match &question.universe {
            Universe::All => true,
            Universe::Except(names) => !names.contains(name),
        };
        let walls = if question.order == Order::Strict {
            view.timelines.names().iter().map(wall).collect()
        } else {
            vec![false; view.timelines.names().len()]
        };
        let as_of = view.as_of.micros();
        let hold = question.hold_constant.iter();
        let calendar = question.trend.map(|period| {
            Calendar::new(
                &question.range.zone,
                period,
                question.week_start,
                span.from,
                span.to,
            )
        });
        Ok(Self {
            question,
            members: Members::new(question.segment, span, view),
            required: rank,
            places,
            exclusions: question
                .exclusions
                .iter()
                .take(64)
                .map(|x| (x.from - 1, x.to - 1))
                .collect(),
            removes: question.exclusion_mode == ExclusionMode::RemoveUser,
            grace: question.grace.micros(),
            from: span.from.micros(),
            to: span.to.micros(),
            as_of,
            calendar: calendar.transpose()?,
            whole: false,
            steps: Bits::new(question.steps.iter().map(|s| &s.condition), view)?,
            excluded: Bits::new(question.exclusions.iter().map(|x| &x.condition), view)?,
            seen,
            entry_filters: entry_filters(question, view)?,
            walls,
            hold: hold
                .map(|p| view.columns.reader(p, as_of))
                .collect::<Result<_>>()?,
            window: question.window.micros(),
            all_steps: question.selects == Selects::AllSteps,
            zone: &question.range.zone,
            stop: view.stop,
            tried: AtomicU64::new(0),
            most: WORK.max(view.timelines.events().saturating_mul(EACH)),
        })
    }

    /// Whether entries may differ in which steps can follow them (C1).
    pub(super) fn by_entry(&self) -> bool {
        !self.entry_filters.is_empty()
    }

    /// What an entry of a user at a time allows; nothing where it is none.
    pub(super) fn allowed(&self, user: u32, ts: i64) -> Option<Allowed> {
        let mut allowed = Allowed::ALL;
        for filter in &self.entry_filters {
            if !filter.judge.holds(user, ts, 0) {
                let lacks = filter.lacks?;
                allowed.steps &= !lacks.steps;
                allowed.excluded &= !lacks.excluded;
            }
        }
        Some(allowed)
    }

    /// An error where the question is given up.
    pub(super) fn go_on(&self) -> std::result::Result<(), TooComplex> {
        self.stop.check().map_err(|_| TooComplex)
    }

    /// Counts the rows that a search has tried; an error where all searches together, in whatever order, try too many.
    pub(super) fn tried(&self, rows: u64) -> std::result::Result<(), TooComplex> {
        let before = self.tried.fetch_add(rows, Ordering::Relaxed);
        if before.saturating_add(rows) > self.most {
            return Err(TooComplex);
        }
        Ok(())
    }

    /// For each name the steps it can fill, where names alone decide.
    pub(super) fn masks_of_names(&self) -> Option<&[u64]> {
        (self.steps.rows.is_empty() && self.seen.is_none()).then_some(&self.steps.names)
    }

    /// The steps that an event can fill.
    #[inline]
    pub(super) fn steps_of(&self, name: u16, row: u32) -> u64 {
        match &self.seen {
            Some(seen) if !seen.holds(name, row) => 0,
            _ => self.steps.of(name, row),
        }
    }

    /// Where one step alone is decided by rows: the other steps by name, the names it has, it from 1, and its rows.
    #[inline]
    pub(super) fn one_step_by_row(&self) -> Option<(&[u64], &[bool], u16, &RowSet)> {
        match (&self.seen, &self.steps.rows[..]) {
            (None, [(bit, meaning)]) => Some((
                &self.steps.names,
                meaning.names.as_ref()?,
                bit.trailing_zeros() as u16 + 1,
                meaning.rows.as_ref()?,
            )),
            _ => None,
        }
    }

    /// Whether the funnel sees an event at all.
    #[inline]
    pub(super) fn sees(&self, name: u16, row: u32) -> bool {
        self.seen.as_ref().is_none_or(|seen| seen.holds(name, row))
    }

    /// The last instant at which a chain from an entry at `ts` may go on (F2).
    pub(super) fn deadline(&self, ts: i64) -> i64 {
        let deadline = match self.question.window_calendar_days {
            None => ts.saturating_add(self.window),
            Some(days) => {
                let at = Instant::saturating_from_micros(ts);
                self.zone.days_after(at, days).micros() - 1
            }
        };
        if self.all_steps {
            deadline.min(self.to - 1)
        } else {
            deadline
        }
    }

    /// No conversion takes longer than this.
    pub(super) fn longest(&self) -> i64 {
        match self.question.window_calendar_days {
            None => self.window.saturating_add(self.grace),
            Some(_) => i64::MAX,
        }
    }

    /// Whether a row may begin a chain.
    pub(super) fn enters(&self, row: &Row) -> bool {
        let begins = if self.question.order == Order::Any && !self.question.anchor_first {
            row.mask != 0
        } else {
            row.mask & 1 == 1
        };
        begins && self.from <= row.ts && row.ts < self.to
    }

    /// The units of one user: all its events that matter, by session and by the values held constant.
    pub(super) fn units(&self, timeline: &Timeline<'_>) -> Vec<Rows> {
        let mut units: Vec<Rows> = Vec::new();
        let sessions = self.question.unit == Unit::Sessions;
        let timeout = self.question.session_timeout.micros();
        let (mut session, mut before) = (0_u32, i64::MIN / 2);
        let mut held: Vec<u32> = Vec::new();
        let first = if self.all_steps {
            self.from
        } else {
            self.from - self.grace
        };
        let last = self.last();
        let mut found = std::collections::HashMap::<(u32, Vec<u32>), usize>::new();
        for i in 0..timeline.ts.len() {
            let (ts, name, row) = (timeline.ts[i], timeline.name[i], timeline.row[i]);
            if sessions {
                if ts - before > timeout {
                    session += 1;
                }
                before = ts;
            }
            if ts < first || ts > last {
                continue;
            }
            if self
                .seen
                .as_ref()
                .is_some_and(|seen| !seen.holds(name, row))
            {
                continue;
            }
            let mask = self.steps.of(name, row);
            let excluded = self.excluded.of(name, row);
            let wall = self.walls[usize::from(name)];
            if mask == 0 && excluded == 0 && !wall {
                continue;
            }
            held.clear();
            for reader in &self.hold {
                match reader.code(timeline.user, ts, row) {
                    Some(code) => held.push(code),
                    None => break,
                }
            }
            // A value that is not there equals none (F15).
            if held.len() < self.hold.len() {
                continue;
            }
            let unit = if self.hold.is_empty() {
                match units.last() {
                    Some(unit) if unit.session == session => units.len() - 1,
                    _ => units.len(),
                }
            } else {
                *found.entry((session, held.clone())).or_insert(units.len())
            };
            if unit == units.len() {
                units.push(Rows {
                    session,
                    ..Rows::default()
                });
            }
            let unit = &mut units[unit];
            if wall {
                unit.walls.push(ts);
            }
            if mask != 0 || excluded != 0 {
                unit.rows.push(Row {
                    ts,
                    mask,
                    excluded,
                    at: i as u32,
                });
            }
        }
        units
    }

    /// After this instant no event matters.
    fn last(&self) -> i64 {
        // An entry at the end of the range reaches furthest, but for a clock that is set back over midnight.
        match self.question.window_calendar_days {
            Some(_) if !self.all_steps => self
                .deadline(self.to - 1)
                .saturating_add(2 * 86_400_000_000),
            _ => self.deadline(self.to - 1),
        }
    }
}
