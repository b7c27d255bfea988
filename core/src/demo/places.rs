//! Where the demo's people live, where they travel to and what they pay with.

/// A currency, how many digits it has after the point, and roughly what one unit is worth in EUR (in hundred-millionths).
#[derive(Debug)]
pub(super) struct Currency {
    pub(super) code: &'static str,
    pub(super) digits: u32,
    pub(super) worth: i64,
    /// What the last digit of a price is rounded to, in minor units.
    pub(super) step: i64,
}

/// One euro in the unit of [`Currency::worth`].
pub(super) const EURO: i64 = 100_000_000;

/// The currencies; the first is the base.
pub(super) static CURRENCIES: [Currency; 9] = [
    Currency {
        code: "EUR",
        digits: 2,
        worth: EURO,
        step: 10,
    },
    Currency {
        code: "USD",
        digits: 2,
        worth: 92_340_000,
        step: 10,
    },
    Currency {
        code: "GBP",
        digits: 2,
        worth: 117_260_000,
        step: 5,
    },
    Currency {
        code: "JPY",
        digits: 0,
        worth: 613_400,
        step: 100,
    },
    Currency {
        code: "BRL",
        digits: 2,
        worth: 16_870_000,
        step: 10,
    },
    Currency {
        code: "INR",
        digits: 2,
        worth: 1_104_000,
        step: 100,
    },
    Currency {
        code: "AUD",
        digits: 2,
        worth: 60_450_000,
        step: 5,
    },
    Currency {
        code: "CHF",
        digits: 2,
        worth: 104_900_000,
        step: 5,
    },
    Currency {
        code: "KWD",
        digits: 3,
        worth: 300_120_000,
        step: 50,
    },
];

/// A home: zone, country, language, currency (its index) and how many of 100 people live there.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) zone: &'static str,
    pub(super) country: &'static str,
    pub(super) language: &'static str,
    pub(super) currency: u8,
    pub(super) share: u64,
}

/// The homes.
pub(super) static HOMES: [Home; 11] = [
    Home {
        zone: "Europe/Paris",
        country: "FR",
        language: "fr",
        currency: 0,
        share: 20,
    },
    Home {
        zone: "Europe/Berlin",
        country: "DE",
        language: "de",
        currency: 0,
        share: 18,
    },
    Home {
        zone: "Europe/London",
        country: "GB",
        language: "en",
        currency: 2,
        share: 14,
    },
    Home {
        zone: "Europe/Zurich",
        country: "CH",
        language: "de",
        currency: 7,
        share: 4,
    },
    Home {
        zone: "America/New_York",
        country: "US",
        language: "en",
        currency: 1,
        share: 13,
    },
    Home {
        zone: "America/Los_Angeles",
        country: "US",
        language: "en",
        currency: 1,
        share: 8,
    },
    Home {
        zone: "America/Sao_Paulo",
        country: "BR",
        language: "pt",
        currency: 4,
        share: 6,
    },
    Home {
        zone: "Asia/Tokyo",
        country: "JP",
        language: "ja",
        currency: 3,
        share: 7,
    },
    Home {
        zone: "Asia/Kolkata",
        country: "IN",
        language: "en",
        currency: 5,
        share: 5,
    },
    Home {
        zone: "Asia/Kuwait",
        country: "KW",
        language: "ar",
        currency: 8,
        share: 1,
    },
    Home {
        zone: "Australia/Sydney",
        country: "AU",
        language: "en",
        currency: 6,
        share: 4,
    },
];

/// What one goes there for; decides when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    City,
    Beach,
    Snow,
    Nature,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Beach => "beach",
            Self::Snow => "snow",
            Self::Nature => "nature",
        }
    }

    /// How much it draws people who plan in that month (1 to 12), about 100.
    pub(super) fn draw(self, month: i8) -> u64 {
        match (self, month) {
            (Self::City, 3..=5 | 9..=11) => 125,
            (Self::City, _) => 95,
            (Self::Beach, 2..=7) => 150,
            (Self::Beach, _) => 70,
            (Self::Snow, 10..=12 | 1) => 190,
            (Self::Snow, 2 | 9) => 90,
            (Self::Snow, _) => 25,
            (Self::Nature, 4..=8) => 130,
            (Self::Nature, _) => 80,
        }
    }
}

/// A destination, with the price in euro cents of its cheapest trip for one and how well it is known.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) city: &'static str,
    pub(super) country: &'static str,
    pub(super) kind: Kind,
    pub(super) price: i64,
    pub(super) fame: u64,
}

const fn place(
    city: &'static str,
    country: &'static str,
    kind: Kind,
    price: i64,
    fame: u64,
) -> Place {
    Place {
        city,
        country,
        kind,
        price,
        fame,
    }
}

/// The destinations.
pub(super) static PLACES: [Place; 24] = [
    place("Lisbon", "PT", Kind::City, 28_900, 12),
    place("Barcelona", "ES", Kind::City, 31_900, 14),
    place("Rome", "IT", Kind::City, 33_500, 13),
    place("Paris", "FR", Kind::City, 39_900, 13),
    place("London", "GB", Kind::City, 41_500, 10),
    place("Istanbul", "TR", Kind::City, 36_400, 7),
    place("Kyoto", "JP", Kind::City, 118_000, 6),
    place("New York", "US", Kind::City, 96_500, 8),
    place("Marrakesh", "MA", Kind::City, 38_200, 5),
    place("Crete", "GR", Kind::Beach, 52_900, 11),
    place("Mallorca", "ES", Kind::Beach, 48_700, 14),
    place("Antalya", "TR", Kind::Beach, 44_300, 9),
    place("Bali", "ID", Kind::Beach, 109_900, 8),
    place("Zanzibar", "TZ", Kind::Beach, 124_500, 3),
    place("Cancun", "MX", Kind::Beach, 113_000, 6),
    place("Innsbruck", "AT", Kind::Snow, 57_900, 6),
    place("Chamonix", "FR", Kind::Snow, 69_400, 5),
    place("Zermatt", "CH", Kind::Snow, 88_800, 4),
    place("Niseko", "JP", Kind::Snow, 129_000, 2),
    place("Reykjavik", "IS", Kind::Nature, 74_900, 5),
    place("Madeira", "PT", Kind::Nature, 55_600, 6),
    place("Queenstown", "NZ", Kind::Nature, 162_000, 2),
    place("Banff", "CA", Kind::Nature, 127_500, 3),
    place("Azores", "PT", Kind::Nature, 58_200, 4),
];

/// How many trips each destination has.
pub(super) const VARIANTS: u16 = 16;

/// One trip of the catalogue: a destination, a length and a standard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trip {
    pub(super) number: u16,
    pub(super) place: &'static Place,
}

impl Trip {
    /// The trip of that number, wrapped around.
    pub(super) fn of(number: u16) -> Option<Self> {
        let place = PLACES.get(usize::from(number / VARIANTS))?;
        Some(Self { number, place })
    }

    /// All trips.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..PLACES.len() as u16 * VARIANTS).filter_map(Self::of)
    }

    fn variant(self) -> i64 {
        i64::from(self.number % VARIANTS)
    }

    /// Its nights.
    pub(super) fn nights(self) -> i64 {
        2 + self.variant() % 4 * 3
    }

    /// Its standard.
    pub(super) fn standard(self) -> &'static str {
        match self.variant() / 4 {
            0 => "simple",
            1 => "comfort",
            2 => "superior",
            _ => "luxury",
        }
    }

    /// What it costs for one, in euro cents.
    pub(super) fn price(self) -> i64 {
        let longer = 100 + (self.nights() - 2) * 18;
        let better = 100 + self.variant() / 4 * 35;
        self.place.price * longer * better / 10_000 / 50 * 50
    }

    /// What it costs for so many, in minor units of a currency: list prices are not today's rate but round numbers.
    pub(super) fn price_in(self, currency: &Currency, travellers: u8) -> i64 {
        let scale = 10_i64.pow(currency.digits);
        let minor = i128::from(self.price()) * i128::from(EURO) * i128::from(scale)
            / (100 * i128::from(currency.worth));
        (minor as i64 / currency.step).max(1) * currency.step * i64::from(travellers)
    }
}

/// Minor units as exact decimal text, for example `-12.30`.
pub(super) fn decimal(minor: i64, digits: u32) -> String {
    if digits == 0 {
        return minor.to_string();
    }
    let scale = 10_u64.pow(digits);
    let (whole, part) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{whole}.{part:0width$}", width = digits as usize)
}
