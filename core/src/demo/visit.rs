//! What somebody does in one visit: searching, viewing, booking, paying; and what comes of it later.

use super::person::{Bond, Booking, Event, Payment, Person, Review, What};
use super::places::{PLACES, Trip, VARIANTS};
use super::{DAY, HOUR, MINUTE, SECOND};

/// What somebody comes for.
#[derive(Clone, Copy, Default)]
enum Wish {
    Plan,
    #[default]
    Browse,
    Read,
    Manage,
}

/// Whether somebody goes on or gives up.
type Goes<T = ()> = std::ops::ControlFlow<(), T>;

const ON: Goes = Goes::Continue(());

impl Person<'_> {
    /// One visit that begins at `at`.
    pub(super) fn visit(&mut self, at: i64) {
        self.begin(at);
        // Whoever gives up leaves; the visit is over either way.
        let _gave_up = self.stay();
        self.offline = None;
    }

    fn begin(&mut self, at: i64) {
        self.session = self.session.saturating_add(1);
        self.clock = at;
        self.device = 0;
        if self.traits.member.is_some() {
            // Another device is another anonymous id until they sign in there.
            if self.chance.hits(700) {
                self.device = 1;
                self.signed_in = false;
            } else if self.chance.hits(300) {
                self.signed_in = false;
            }
        }
        let phone = self.traits.devices.get(usize::from(self.device)) == Some(&"phone");
        if phone && self.chance.hits(220) {
            // On a plane, abroad, under ground: all of the visit arrives when there is a network again.
            let without = HOUR / 2 + self.chance.wait(7 * HOUR).min(60 * HOUR);
            self.offline = Some(at + without / 1_000 * 1_000);
        }
    }

    fn stay(&mut self) -> Goes {
        let source = if self.rhythm.campaign.has(self.clock) && self.chance.hits(4_500) {
            "summer_sale"
        } else {
            self.chance.pick(&[
                (38, "direct"),
                (30, "search"),
                (14, "email"),
                (10, "social"),
                (8, "partner"),
            ])
        };
        self.page("home", source)?;
        if self.traits.member.is_some() && !self.signed_in && self.chance.hits(6_000) {
            self.sign_in()?;
        }
        match self.chance.pick(&[
            (58, Wish::Plan),
            (24, Wish::Browse),
            (10, Wish::Read),
            (8, Wish::Manage),
        ]) {
            Wish::Plan => self.search()?,
            Wish::Browse => {
                for page in ["offers", "destination", "destination"] {
                    if self.chance.hits(8_500) {
                        self.page(page, "")?;
                    }
                }
                if self.chance.hits(1_300) {
                    let trip = self.trip();
                    self.look(trip)?;
                }
            }
            Wish::Read => {
                for _ in 0..self.chance.between(1, 4) {
                    self.page("guide", "")?;
                }
            }
            Wish::Manage => {
                self.page("account", "")?;
                if self.signed_in {
                    self.page("bookings", "")?;
                }
            }
        }
        if self.traits.member.is_none() && self.chance.hits(1_700) {
            self.sign_up()?;
        }
        self.consider_plan()
    }

    fn search(&mut self) -> Goes {
        let mut seen = None;
        for _ in 0..self.chance.pick(&[(44, 1), (34, 2), (22, 3)]) {
            let place = self.place();
            let lead = self
                .chance
                .pick(&[(10, 7), (22, 25), (30, 60), (26, 110), (12, 200)]);
            let travellers = self.travellers();
            self.step(
                What::Search {
                    place: place as u8,
                    lead,
                    travellers,
                },
                "search",
            )?;
            if self.chance.hits(1_000) {
                self.feature("map", place as u16 * VARIANTS)?;
            }
            if self.chance.hits(2_050) {
                for _ in 0..self.chance.pick(&[(60, 1), (27, 2), (13, 3)]) {
                    let trip = self.trip_in(place);
                    self.look(trip)?;
                    seen = Some((trip, lead, travellers));
                }
            }
        }
        match seen {
            Some((trip, lead, travellers)) if self.chance.hits(self.eager(1_500)) => {
                self.book(trip, lead, travellers)
            }
            _ => ON,
        }
    }

    fn look(&mut self, trip: u16) -> Goes {
        self.step(What::ViewTrip { trip }, "trip")?;
        if self.chance.hits(750) {
            self.feature("wishlist", trip)?;
        }
        let since = self.clock - self.rhythm.release;
        // A new feature is found little by little: in full use three weeks after its release.
        if since > 0
            && self
                .chance
                .hits((600 * since.min(21 * DAY) / (21 * DAY)) as u64)
        {
            self.feature("price_alert", trip)?;
        }
        if self.chance.hits(220) {
            self.feature("chat", trip)?;
        }
        ON
    }

    fn book(&mut self, trip: u16, lead: u16, travellers: u8) -> Goes {
        self.step(What::StartBooking { trip, travellers }, "booking")?;
        if !self.signed_in {
            if !self.chance.hits(8_000) {
                return ON;
            }
            if self.traits.member.is_some() {
                self.sign_in()?
            } else {
                self.sign_up()?
            }
            if !self.signed_in {
                return ON;
            }
        }
        if self.chance.hits(900) {
            self.feature("chat", trip)?;
        }
        if !self.chance.hits(self.eager(4_700)) {
            return ON;
        }
        if self.rhythm.outage.has(self.clock) && self.chance.hits(9_300) {
            self.record(What::PaymentFailed { trip });
            self.record(What::Error {
                status: 503,
                page: "payment",
            });
            return Goes::Break(());
        }
        if self.chance.hits(450) {
            self.record(What::PaymentFailed { trip });
            self.pause(MINUTE);
            if self.chance.hits(4_000) {
                return ON;
            }
        }
        self.complete(trip, lead, travellers);
        ON
    }

    /// A booking that succeeds, and what comes of it: a payment, perhaps a cancellation and a refund, perhaps a review.
    fn complete(&mut self, trip: u16, lead: u16, travellers: u8) {
        let Some(offer) = Trip::of(trip) else { return };
        let amount = offer.price_in(self.traits.currency(), travellers);
        let at = self.clock;
        let number = self.story.bookings.len() as u16;
        let service = (at.div_euclid(DAY) + self.chance.between(3, 2 + i64::from(lead) * 2)) * DAY;
        let method = self.chance.pick(&[
            (62, "card"),
            (20, "wallet"),
            (13, "transfer"),
            (5, "voucher"),
        ]);
        let mut booking = Booking {
            at,
            person: self.number,
            number,
            trip,
            travellers,
            amount,
            service,
            cancelled: None,
        };
        // Both are stamped with one time: the page sends them together, and only their order tells them apart.
        self.record(What::CompleteBooking {
            booking: number,
            trip,
            travellers,
            service: (service / DAY) as i32,
        });
        self.record(What::Payment {
            booking: number,
            amount,
            refund: false,
        });
        self.story.payments.push(Payment {
            at,
            person: self.number,
            booking: number,
            amount,
            method,
        });
        self.pause(20 * SECOND);

        let back = service + offer.nights() * DAY;
        let cancels = at + DAY / 2 + self.chance.wait(12 * DAY) / 1_000 * 1_000;
        let after = if cancels < service && self.chance.hits(800) {
            booking.cancelled = Some(cancels);
            Some(cancels)
        } else if self.chance.hits(3_500) {
            Some(back + 10 * HOUR + self.chance.wait(3 * DAY) / 1_000 * 1_000)
        } else {
            None
        };
        self.story.bookings.push(booking);
        if let Some(then) = after {
            self.return_for(then, booking, method);
        }
    }

    /// A short visit later on, to cancel or to review; the visit under way goes on afterwards.
    fn return_for(&mut self, then: i64, booking: Booking, method: &'static str) {
        let (clock, session, offline) = (self.clock, self.session, self.offline.take());
        let Booking {
            number,
            trip,
            amount,
            ..
        } = booking;
        // Its session has a number that no other visit has.
        self.session = 60_000_u16.saturating_add(number);
        self.clock = then;
        self.record(What::Page("bookings", "email"));
        self.pause(40 * SECOND);
        let at = self.clock;
        if booking.cancelled.is_some() {
            self.record(What::CancelBooking {
                booking: number,
                trip,
            });
            self.record(What::Payment {
                booking: number,
                amount: -amount,
                refund: true,
            });
            self.story.payments.push(Payment {
                at,
                person: self.number,
                booking: number,
                amount: -amount,
                method,
            });
            if let Some(last) = self.story.bookings.last_mut() {
                last.cancelled = Some(at);
            }
        } else {
            let rating = self
                .chance
                .pick(&[(44, 5), (31, 4), (13, 3), (7, 2), (5, 1)]);
            self.record(What::Review { trip, rating });
            self.story.reviews.push(Review {
                at,
                person: self.number,
                booking: number,
                trip,
                rating,
            });
        }
        (self.clock, self.session, self.offline) = (clock, session, offline);
    }

    fn consider_plan(&mut self) -> Goes {
        if !self.signed_in {
            return ON;
        }
        let upgrades = match self.bond {
            Bond::Once => 10,
            Bond::Casual => 50,
            Bond::Regular => 110,
            Bond::Devoted => 160,
        };
        let changes = if self.premium {
            self.chance.hits(45)
        } else {
            self.chance.hits(upgrades)
        };
        if changes {
            self.page("plans", "")?;
            let (premium, at) = (!self.premium, self.clock);
            self.plan(premium, at);
            self.record(What::Plan { premium });
        }
        ON
    }

    fn sign_in(&mut self) -> Goes {
        if !self.fails("sign_in")? {
            self.signed_in = true;
            self.record(What::SignIn);
            self.pause(15 * SECOND);
        }
        ON
    }

    fn sign_up(&mut self) -> Goes {
        if !self.fails("sign_up")? {
            self.join(self.clock);
            self.record(What::SignUp);
            self.pause(25 * SECOND);
        }
        ON
    }

    fn page(&mut self, page: &'static str, source: &'static str) -> Goes {
        self.step(What::Page(page, source), page)
    }

    fn feature(&mut self, name: &'static str, trip: u16) -> Goes {
        self.step(What::Feature { name, trip }, name)
    }

    /// Something done, unless it fails.
    fn step(&mut self, what: What, page: &'static str) -> Goes {
        if !self.fails(page)? {
            self.record(what);
            self.pause(35 * SECOND);
        }
        ON
    }

    /// Whether a step fails for good; an error that one gets past by trying again is only recorded.
    fn fails(&mut self, page: &'static str) -> Goes<bool> {
        let down = self.rhythm.outage.has(self.clock);
        if !self.chance.hits(if down { 4_800 } else { 55 }) {
            return Goes::Continue(false);
        }
        let status = if down {
            503
        } else {
            self.chance.pick(&[(5, 500), (3, 404), (2, 504)])
        };
        self.record(What::Error { status, page });
        self.pause(12 * SECOND);
        // During an outage most give up at once; otherwise hardly anybody does.
        if self.chance.hits(if down { 6_500 } else { 1_500 }) {
            return Goes::Break(());
        }
        Goes::Continue(down)
    }

    /// Stamps an event and sends it.
    fn record(&mut self, what: What) {
        let ts = self.clock;
        let network = self.offline.unwrap_or(ts).max(ts);
        let mut delay = 30_000 + self.chance.wait(500_000);
        if self.chance.hits(120) {
            delay += self.chance.wait(4 * MINUTE);
        }
        self.story.events.push(Event {
            received: network + delay,
            ts,
            person: self.number,
            seq: 0,
            session: self.session,
            device: self.device,
            known: self.signed_in,
            premium: self.premium,
            what,
        });
    }

    fn pause(&mut self, mean: i64) {
        self.clock += SECOND + self.chance.wait(mean) / 1_000 * 1_000;
    }

    /// How likely somebody books who would do so `share` times in 10,000 in an average month.
    fn eager(&self, share: u64) -> u64 {
        let season = match self.rhythm.month(usize::from(self.traits.home), self.clock) {
            1 => 118,
            2 | 6 => 108,
            3 | 5 => 102,
            8 | 12 => 86,
            9 | 10 => 92,
            _ => 97,
        };
        let plan = if self.premium { 150 } else { 100 };
        share * season * plan / 10_000
    }

    fn travellers(&mut self) -> u8 {
        self.chance
            .pick(&[(24, 1), (48, 2), (11, 3), (13, 4), (4, 5)])
    }

    /// Where one wants to go at that time of the year.
    fn place(&mut self) -> usize {
        let month = self.rhythm.month(usize::from(self.traits.home), self.clock);
        let weight = |at: usize| PLACES.get(at).map_or(0, |p| p.fame * p.kind.draw(month));
        let mut mark = self.chance.below((0..PLACES.len()).map(weight).sum());
        for at in 0..PLACES.len() {
            if mark < weight(at) {
                return at;
            }
            mark -= weight(at);
        }
        0
    }

    fn trip(&mut self) -> u16 {
        let place = self.place();
        self.trip_in(place)
    }

    fn trip_in(&mut self, place: usize) -> u16 {
        place as u16 * VARIANTS + self.chance.below(u64::from(VARIANTS)) as u16
    }
}
