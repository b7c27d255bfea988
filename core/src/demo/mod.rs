//! Demo data: a travel platform that behaves like a real one, from a seed.
//!
//! The same [`Demo`] gives the same bytes on every machine and with any number of threads: every person has a stream of
//! chance of their own, and nothing is computed in floating point.

use std::fmt;

use rayon::prelude::*;

use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;

mod chance;
mod events;
mod load;
mod ndjson;
mod person;
mod places;
mod rhythm;
mod rows;
mod server;
mod tables;
mod visit;

#[cfg(test)]
mod tests;

pub use load::OnLoad;
use person::{Event, Person, Story, Traits};
use rhythm::Rhythm;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Which platform to make up: by default 50,000 people over 90 days, about a million events.
///
/// Its people come and come back (weekly cohorts decay, some leave, some return), search, view trips, book and pay in
/// nine currencies, first anonymously and then signed in, on weekdays and Sundays of eleven home zones. There is growth,
/// a campaign of four days, an outage of two hours, a feature released mid-way; events arrive late, twice, out of order
/// and a few without any user.
///
/// ```
/// use travelsense::demo::{Demo, Table};
/// let end = "2026-03-01T12:00:00Z".parse()?;
/// let world = Demo { users: 100, days: 14, ..Demo::until(end) }.make()?;
/// assert!(world.count(Table::Events) > 500);
/// # Ok::<(), travelsense::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demo {
    /// What all chance depends on.
    pub seed: u64,
    /// How many people there are: members, and visitors who never become one.
    pub users: u32,
    /// How many days of events there are before `end`.
    pub days: u32,
    /// The present of the demo.
    pub end: Instant,
    /// How many hours of events there are after `end`; each is invisible until its time comes (G2), so that
    /// real-time figures live on without anybody sending events.
    pub live_hours: u32,
}

impl Demo {
    /// The default demo up to `end`: seed 1, 50,000 people, 90 days before it and 24 hours after.
    pub fn until(end: Instant) -> Self {
        Self {
            seed: 1,
            users: 50_000,
            days: 90,
            end,
            live_hours: 24,
        }
    }

    /// Makes all of it, in memory: about 100 MB for the default.
    ///
    /// # Errors
    /// `validation_failed` where there are no users or days, more than 10 million users, 3,660 days or 8,784 live hours,
    /// or where the range would leave the years 1970 to 2200.
    pub fn make(&self) -> Result<World> {
        self.check()?;
        let rhythm = Rhythm::of(self)?;
        let stories: Vec<(Traits, Story)> = (0..self.users)
            .into_par_iter()
            .map(|number| Person::of(self.seed, number, &rhythm).live())
            .collect();
        let mut world = World {
            demo: self.clone(),
            people: Vec::with_capacity(stories.len()),
            all: Story::default(),
            samples: server::performance(self.seed, &rhythm),
            rates: server::rates(self.seed, &rhythm),
        };
        world.all.events = server::nobody(self, &rhythm);
        for (traits, story) in stories {
            world.people.push(traits);
            world.all.append(story);
        }
        world.all.sort();
        Ok(world)
    }

    fn start(&self) -> i64 {
        // Clients stamp in milliseconds.
        (self.end.micros() - i64::from(self.days) * DAY).div_euclid(1_000) * 1_000
    }

    fn check(&self) -> Result<()> {
        let within = |field: &str, n: u32, low: u32, high: u32| {
            if (low..=high).contains(&n) {
                return Ok(());
            }
            Err(Error::field(
                field,
                "out_of_range",
                format!("must be between {low} and {high}, not {n}"),
            ))
        };
        within("users", self.users, 1, 10_000_000)?;
        within("days", self.days, 1, 3_660)?;
        within("liveHours", self.live_hours, 0, 8_784)?;
        // The year 2200; no client's clock says more, and no sum of times can overflow.
        if self.start() < 0 || self.end.micros() > 7_258_118_400_000_000 {
            return Err(Error::new(
                ErrorKind::Invalid,
                "demo_out_of_range",
                format!(
                    "the {} days before `{}` are not all in the years 1970 to 2200",
                    self.days, self.end
                ),
            ));
        }
        Ok(())
    }
}

/// The tables of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// What people did, in the order in which it was received.
    Events,
    /// Who the members are and on which plan, once for each change, by time.
    Profiles,
    /// What one unit of each currency was worth in EUR, day by day.
    Rates,
    /// The trips on offer.
    Trips,
    /// Bookings, by time.
    Bookings,
    /// Payments, and refunds as negative payments, by time.
    Payments,
    /// Reviews, by time.
    Reviews,
    /// How long requests took, by time.
    Performance,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Events,
        Self::Profiles,
        Self::Rates,
        Self::Trips,
        Self::Bookings,
        Self::Payments,
        Self::Reviews,
        Self::Performance,
    ];

    /// Its name in the warehouse.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Profiles => "profiles",
            Self::Rates => "rates",
            Self::Trips => "trips",
            Self::Bookings => "bookings",
            Self::Payments => "payments",
            Self::Reviews => "reviews",
            Self::Performance => "performance",
        }
    }
}

/// The platform that a [`Demo`] makes.
pub struct World {
    demo: Demo,
    people: Vec<Traits>,
    all: Story,
    samples: Vec<server::Sample>,
    rates: Vec<server::DailyRate>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("demo", &self.demo)
            .field("events", &self.all.events.len())
            .finish_non_exhaustive()
    }
}

impl World {
    /// What it was made from.
    pub fn demo(&self) -> &Demo {
        &self.demo
    }

    /// How many rows a table has.
    pub fn count(&self, table: Table) -> usize {
        match table {
            Table::Events => self.all.events.len(),
            Table::Profiles => self.all.profiles.len(),
            Table::Rates => self.rates.len(),
            Table::Trips => places::Trip::all().count(),
            Table::Bookings => self.all.bookings.len(),
            Table::Payments => self.all.payments.len(),
            Table::Reviews => self.all.reviews.len(),
            Table::Performance => self.samples.len(),
        }
    }
}

/// Orders events as they are received; no two are alike in all of this but a copy and its original received at once.
fn arrival(event: &Event) -> (i64, u32, u32) {
    (event.received, event.person, event.seq)
}
