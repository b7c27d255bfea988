//! One person's life with the platform: when they come, whether they come back, and what is left of it in the tables.

use rayon::prelude::*;

use super::chance::Chance;
use super::places::{CURRENCIES, Currency, HOMES};
use super::rhythm::Rhythm;
use super::{DAY, HOUR, arrival};

/// The number of nobody, in events without a user.
pub(super) const NOBODY: u32 = u32::MAX;

/// One event as it is received.
#[derive(Clone, Copy)]
pub(super) struct Event {
    pub(super) received: i64,
    pub(super) ts: i64,
    pub(super) person: u32,
    /// Counts the person's events in the order of their times.
    pub(super) seq: u32,
    pub(super) session: u16,
    /// Which of the person's devices it came from.
    pub(super) device: u8,
    /// Whether the person was signed in.
    pub(super) known: bool,
    /// Whether the person was on the premium plan.
    pub(super) premium: bool,
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, Copy)]
pub(super) enum What {
    Page(&'static str, &'static str),
    SignUp,
    SignIn,
    Search {
        place: u8,
        lead: u16,
        travellers: u8,
    },
    ViewTrip {
        trip: u16,
    },
    Feature {
        name: &'static str,
        trip: u16,
    },
    StartBooking {
        trip: u16,
        travellers: u8,
    },
    CompleteBooking {
        booking: u16,
        trip: u16,
        travellers: u8,
        /// The day of departure, counted from 1970-01-01.
        service: i32,
    },
    Payment {
        booking: u16,
        amount: i64,
        refund: bool,
    },
    PaymentFailed {
        trip: u16,
    },
    CancelBooking {
        booking: u16,
        trip: u16,
    },
    Review {
        trip: u16,
        rating: u8,
    },
    Plan {
        premium: bool,
    },
    Error {
        status: u16,
        page: &'static str,
    },
}

/// A booking.
#[derive(Clone, Copy)]
pub(super) struct Booking {
    pub(super) at: i64,
    pub(super) person: u32,
    pub(super) number: u16,
    pub(super) trip: u16,
    pub(super) travellers: u8,
    pub(super) amount: i64,
    pub(super) service: i64,
    pub(super) cancelled: Option<i64>,
}

/// A payment, or a refund as a negative one.
#[derive(Clone, Copy)]
pub(super) struct Payment {
    pub(super) at: i64,
    pub(super) person: u32,
    pub(super) booking: u16,
    pub(super) amount: i64,
    pub(super) method: &'static str,
}

/// A review of a trip one has come back from.
#[derive(Clone, Copy)]
pub(super) struct Review {
    pub(super) at: i64,
    pub(super) person: u32,
    pub(super) booking: u16,
    pub(super) trip: u16,
    pub(super) rating: u8,
}

/// What is known of a member from a moment on.
#[derive(Clone, Copy)]
pub(super) struct Profile {
    pub(super) at: i64,
    pub(super) person: u32,
    pub(super) premium: bool,
}

/// All that happened.
#[derive(Default)]
pub(super) struct Story {
    pub(super) events: Vec<Event>,
    pub(super) bookings: Vec<Booking>,
    pub(super) payments: Vec<Payment>,
    pub(super) reviews: Vec<Review>,
    pub(super) profiles: Vec<Profile>,
}

impl Story {
    pub(super) fn append(&mut self, mut other: Self) {
        self.events.append(&mut other.events);
        self.bookings.append(&mut other.bookings);
        self.payments.append(&mut other.payments);
        self.reviews.append(&mut other.reviews);
        self.profiles.append(&mut other.profiles);
    }

    pub(super) fn sort(&mut self) {
        self.events.par_sort_unstable_by_key(arrival);
        self.bookings
            .sort_unstable_by_key(|b| (b.at, b.person, b.number));
        self.payments
            .sort_unstable_by_key(|p| (p.at, p.person, p.booking, p.amount));
        self.reviews
            .sort_unstable_by_key(|r| (r.at, r.person, r.booking));
        // Stable: two changes of one person at one instant stay in their order.
        self.profiles.sort_by_key(|p| (p.at, p.person));
    }
}

/// What does not change about a person.
#[derive(Clone, Copy)]
pub(super) struct Traits {
    pub(super) home: u8,
    /// `phone`, `desktop` or `tablet`, of the first device and of the other one.
    pub(super) devices: [&'static str; 2],
    /// When they became a member; nobody's id is known before.
    pub(super) member: Option<i64>,
}

impl Traits {
    pub(super) fn country(self) -> &'static str {
        HOMES.get(usize::from(self.home)).map_or("", |h| h.country)
    }

    pub(super) fn currency(self) -> &'static Currency {
        let [base, ..] = &CURRENCIES;
        let home = HOMES.get(usize::from(self.home));
        home.and_then(|h| CURRENCIES.get(usize::from(h.currency)))
            .unwrap_or(base)
    }
}

/// How attached somebody is to the platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Bond {
    #[default]
    Once,
    Casual,
    Regular,
    Devoted,
}

impl Bond {
    /// The mean time between two visits.
    fn gap(self) -> i64 {
        match self {
            Self::Once => 2 * DAY,
            Self::Casual => 8 * DAY,
            Self::Regular => 5 * DAY,
            Self::Devoted => 2 * DAY + DAY / 4,
        }
    }

    /// How often of 10,000 visits one is the last for long.
    fn leaves(self) -> u64 {
        match self {
            Self::Once => 8_000,
            Self::Casual => 2_100,
            Self::Regular => 800,
            Self::Devoted => 250,
        }
    }
}

/// A person while they live.
pub(super) struct Person<'a> {
    pub(super) rhythm: &'a Rhythm,
    pub(super) chance: Chance,
    pub(super) number: u32,
    pub(super) traits: Traits,
    pub(super) bond: Bond,
    pub(super) device: u8,
    pub(super) signed_in: bool,
    pub(super) premium: bool,
    pub(super) session: u16,
    /// The time of the event that is next.
    pub(super) clock: i64,
    /// Until when the device of this visit has no network.
    pub(super) offline: Option<i64>,
    pub(super) story: Story,
}

impl<'a> Person<'a> {
    pub(super) fn of(seed: u64, number: u32, rhythm: &'a Rhythm) -> Self {
        let mut chance = Chance::of(seed, u64::from(number));
        let home = rhythm.home(&mut chance) as u8;
        let first = chance.pick(&[(58, "phone"), (34, "desktop"), (8, "tablet")]);
        let other = if first == "phone" { "desktop" } else { "phone" };
        Self {
            rhythm,
            chance,
            number,
            traits: Traits {
                home,
                devices: [first, other],
                member: None,
            },
            bond: Bond::Once,
            device: 0,
            signed_in: false,
            premium: false,
            session: 0,
            clock: 0,
            offline: None,
            story: Story::default(),
        }
    }

    /// Lives through the whole demo.
    pub(super) fn live(mut self) -> (Traits, Story) {
        let home = usize::from(self.traits.home);
        let all = self.rhythm.all;
        let mut at = if self.chance.hits(2_600) {
            self.settled()
        } else {
            self.newcomer()
        };
        while at < all.to {
            self.visit(at);
            let mut gap = self.chance.wait(self.bond.gap());
            if self.chance.hits(self.bond.leaves()) {
                if !self.chance.hits(1_500) {
                    break;
                }
                gap += 14 * DAY + self.chance.wait(25 * DAY);
            }
            let next = self.rhythm.visit(home, self.clock + gap, &mut self.chance);
            // Two visits are at least two hours apart.
            at = next.max(self.clock + 2 * HOUR + self.chance.between(0, 10_800_000) * 1_000);
        }
        self.finish()
    }

    /// Somebody who came before the demo begins.
    fn settled(&mut self) -> i64 {
        let start = self.rhythm.all.from;
        self.bond = self.chance.pick(&[
            (8, Bond::Once),
            (34, Bond::Casual),
            (38, Bond::Regular),
            (20, Bond::Devoted),
        ]);
        if self.chance.hits(8_800) {
            let member = start - HOUR - self.chance.wait(260 * DAY) / 1_000 * 1_000;
            self.join(member);
            self.premium = false;
            if self.chance.hits(1_300) {
                self.plan(true, member + (start - member) / 2_000 * 1_000);
            }
            self.signed_in = true;
        }
        let wait = self.chance.wait(self.bond.gap());
        self.rhythm.visit(
            usize::from(self.traits.home),
            start + wait,
            &mut self.chance,
        )
    }

    /// Somebody who comes for the first time.
    fn newcomer(&mut self) -> i64 {
        let at = self
            .rhythm
            .arrival(usize::from(self.traits.home), &mut self.chance);
        // A campaign brings many who only look.
        let once = if self.rhythm.campaign.has(at) { 62 } else { 40 };
        self.bond = self.chance.pick(&[
            (once, Bond::Once),
            (32, Bond::Casual),
            (20, Bond::Regular),
            (8, Bond::Devoted),
        ]);
        at
    }

    /// Becomes a member.
    pub(super) fn join(&mut self, at: i64) {
        self.traits.member = Some(at);
        self.signed_in = true;
        self.story.profiles.push(Profile {
            at,
            person: self.number,
            premium: false,
        });
    }

    /// Changes the plan.
    pub(super) fn plan(&mut self, premium: bool, at: i64) {
        self.premium = premium;
        self.story.profiles.push(Profile {
            at,
            person: self.number,
            premium,
        });
    }

    /// Puts the events in order, sends some of them twice, and leaves out what lies after the end.
    fn finish(mut self) -> (Traits, Story) {
        let to = self.rhythm.all.to;
        let story = &mut self.story;
        story.events.retain(|e| e.ts < to);
        story.profiles.retain(|p| p.at < to);
        story.bookings.retain(|b| b.at < to);
        story.payments.retain(|p| p.at < to);
        story.reviews.retain(|r| r.at < to);
        for booking in &mut story.bookings {
            booking.cancelled = booking.cancelled.filter(|at| *at < to);
        }
        self.traits.member = self.traits.member.filter(|at| *at < to);
        // Stable: what happened at one instant keeps its order.
        story.events.sort_by_key(|e| e.ts);
        let mut copies = Vec::new();
        for (seq, event) in story.events.iter_mut().enumerate() {
            event.seq = seq as u32;
            if self.chance.hits(70) {
                let mean = if self.chance.hits(1_000) {
                    5 * HOUR
                } else {
                    HOUR / 40
                };
                let later = self.chance.wait(mean) / 1_000 * 1_000;
                copies.push(Event {
                    received: event.received + 1_000 + later,
                    ..*event
                });
            }
        }
        story.events.append(&mut copies);
        (self.traits, self.story)
    }
}
