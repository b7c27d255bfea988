//! Random histories and questions in which ties, window edges and the odd nights of the calendar are frequent.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use travelsense::access::{self, Permission, Principal, Scoped};
use travelsense::timeline::{Columns, Timelines, View};
use travelsense::{Instant, Result};
use travelsense_tests::oracle::calendar::{first_showing, midnight, transitions, zone};
use travelsense_tests::oracle::engagement::said;
use travelsense_tests::oracle::question::{Bound, Range, Selector};
use travelsense_tests::oracle::{Event, History, Profile, segment};

/// The names events have.
pub(crate) const NAMES: [&str; 4] = ["A", "B", "C", "D"];

/// A second, an hour and a day, in microseconds.
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const HOUR: i64 = 3_600 * SECOND;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Later than anything a case holds.
pub(crate) const NOW: i64 = 2_000_000_000 * SECOND;

/// Nights on which something happens to the clocks, and one on which nothing does.
const NIGHTS: [(&str, &str); 18] = [
    ("UTC", "2024-02-29"),
    ("UTC", "2024-12-30"),
    ("Europe/Paris", "2024-03-31"),
    ("Europe/Paris", "2024-10-27"),
    ("America/New_York", "2024-03-10"),
    ("America/New_York", "2024-11-03"),
    ("Asia/Beirut", "2022-03-27"),
    ("Asia/Beirut", "2022-10-30"),
    ("Africa/Cairo", "2023-04-28"),
    ("Africa/Cairo", "2023-10-27"),
    ("America/Santiago", "2023-09-03"),
    ("America/Santiago", "2023-04-02"),
    ("Asia/Kathmandu", "2024-01-01"),
    ("Pacific/Apia", "2011-12-30"),
    ("America/St_Johns", "1995-04-02"),
    ("America/St_Johns", "1995-10-29"),
    ("Australia/Lord_Howe", "2024-04-07"),
    ("Pacific/Kiritimati", "1995-01-01"),
];

/// A zone, a night in it, and the instants around which everything in a case happens.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) zone: &'static str,
    pub(crate) night: NaiveDate,
    pub(crate) anchors: Vec<i64>,
}

impl Place {
    pub(crate) fn tz(&self) -> Tz {
        zone(self.zone)
    }
}

/// A place; `span` is a length that matters in the question, such as its window.
fn place(span: i64) -> impl Strategy<Value = Place> {
    select(NIGHTS.as_slice()).prop_map(move |(name, night)| {
        let tz = zone(name);
        let night: NaiveDate = night.parse().expect("a date");
        let begins = |days: i64| {
            let date = night
                .checked_add_days(Days::new((days + 40) as u64))
                .and_then(|d| d.checked_sub_days(Days::new(40)))
                .expect("a date");
            first_showing(tz, midnight(date))
        };
        let mut anchors = vec![
            begins(0),
            begins(0) + span,
            begins(1),
            begins(-1),
            begins(2),
            begins(7),
            begins(-7),
            begins(31),
        ];
        anchors.extend(transitions(tz, begins(-1), begins(2)));
        Place {
            zone: name,
            night,
            anchors,
        }
    })
}

/// An instant as an anchor and a distance from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When(Index, usize);

pub(crate) fn when() -> impl Strategy<Value = When> {
    (
        any::<Index>(),
        prop_oneof![5 => 0_usize..3, 5 => 3_usize..DISTANCES],
    )
        .prop_map(|(a, d)| When(a, d))
}

const DISTANCES: usize = 18;

impl When {
    pub(crate) fn at(self, place: &Place, span: i64) -> i64 {
        let distances: [i64; DISTANCES] = [
            0,
            1,
            -1,
            span,
            span + 1,
            span - 1,
            -span,
            2 * span,
            SECOND,
            59 * SECOND,
            60 * SECOND,
            -30 * 60 * SECOND,
            HOUR,
            -HOUR,
            DAY,
            -DAY,
            12 * HOUR,
            9 * DAY,
        ];
        place.anchors[self.0.index(place.anchors.len())] + distances[self.1]
    }
}

/// One event before it is placed: a user, a time (an anchor of its own, or the time of the event before it), and a name.
type Draft = (u8, Option<When>, u8);

/// 1 to 6 users with at most 10 events each, rows of one user and time in the order of their list.
pub(crate) fn history(place: &Place, span: i64, drafts: &[Draft], premium: u8) -> History {
    let mut history = History {
        premium_plans: vec!["gold".to_owned()],
        ..History::default()
    };
    let mut held = [0_usize; 6];
    let mut last = place.anchors[0];
    for (i, (user, time, name)) in drafts.iter().enumerate() {
        let user = usize::from(*user);
        held[user] += 1;
        if held[user] > 10 {
            continue;
        }
        last = time.map_or(last, |t| t.at(place, span));
        history.events.push(Event {
            user: Some(user.to_string()),
            name: NAMES[usize::from(*name)].to_owned(),
            ts: last,
            seq: Some(i as i64),
            ..Event::default()
        });
    }
    for user in 0..6 {
        let plan = if premium & (1 << user) == 0 {
            "basic"
        } else {
            "gold"
        };
        history.profiles.push(Profile {
            user: user.to_string(),
            plan: Some(plan.to_owned()),
            at: 0,
        });
    }
    history
}

/// Events of 1 to 6 users: few users and names, so that rows meet.
pub(crate) fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    (1_u8..=6, 1_u8..=4).prop_flat_map(|(users, names)| {
        vec(
            (0..users, proptest::option::weighted(0.75, when()), 0..names),
            0..=10 * usize::from(users),
        )
    })
}

pub(crate) fn selector() -> impl Strategy<Value = Selector> {
    let name =
        || prop_oneof![9 => select(NAMES.as_slice()), 1 => Just("Z")].prop_map(str::to_owned);
    prop_oneof![
        6 => name().prop_map(Selector::Event),
        2 => vec(name(), 1..=3).prop_map(Selector::AnyOf),
        1 => Just(Selector::Any),
    ]
}

pub(crate) fn segment() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just("all"), 2 => select(segment::SEGMENTS.as_slice())].prop_map(str::to_owned)
}

/// A place and a history for a question in which `span` matters, and a range and an `asOf` that fit them.
pub(crate) fn scene(span: i64) -> impl Strategy<Value = (History, Range, i64)> {
    (
        place(span),
        drafts(),
        any::<u8>(),
        bound(),
        bound(),
        as_of(),
    )
        .prop_map(move |(place, drafts, premium, start, end, as_of)| {
            let history = history(&place, span, &drafts, premium);
            let range = range(&place, span, start, end);
            let as_of = match as_of {
                AsOf::Late => NOW,
                AsOf::End(after) => range.span().1 + after,
                AsOf::At(when) => when.at(&place, span),
                AsOf::Event(index, after) => {
                    let times = history.events.iter().map(|e| e.ts).chain([range.span().0]);
                    index.get(&times.collect::<Vec<_>>()) + [0, span, span - 1, span + 1][after]
                }
            };
            (history, range, as_of)
        })
}

#[derive(Clone, Debug)]
enum AsOf {
    Late,
    End(i64),
    At(When),
    Event(Index, usize),
}

fn as_of() -> impl Strategy<Value = AsOf> {
    prop_oneof![
        2 => Just(AsOf::Late),
        1 => select(vec![-1, 0, 1, DAY]).prop_map(AsOf::End),
        2 => when().prop_map(AsOf::At),
        2 => (any::<Index>(), 0_usize..4).prop_map(|(i, a)| AsOf::Event(i, a)),
    ]
}

#[derive(Clone, Debug)]
enum Edge {
    Date(i8),
    Local(i8, u32),
    At(When),
}

fn bound() -> impl Strategy<Value = Edge> {
    prop_oneof![
        4 => (-9_i8..12).prop_map(Edge::Date),
        1 => (-2_i8..3, select(vec![0, 1, 59, 60, 3600, 9030, 86_340, 86_399])).prop_map(|(d, s)| Edge::Local(d, s)),
        3 => when().prop_map(Edge::At),
    ]
}

/// The range between two edges, in the right order, and never empty.
fn range(place: &Place, span: i64, a: Edge, b: Edge) -> Range {
    let tz = place.tz();
    let date = |days: i8| {
        let base = place.night.checked_sub_days(Days::new(50)).expect("a date");
        base.checked_add_days(Days::new((i64::from(days) + 50) as u64))
            .expect("a date")
    };
    let bound = |edge: Edge| match edge {
        Edge::Date(days) => Bound::Date(date(days)),
        Edge::Local(days, seconds) => {
            Bound::Local(midnight(date(days)) + chrono::TimeDelta::seconds(i64::from(seconds)))
        }
        Edge::At(when) => Bound::At(when.at(place, span)),
    };
    let (mut start, mut end) = (bound(a), bound(b));
    if start.start(tz) > end.start(tz) {
        (start, end) = (end, start);
    }
    if start.start(tz) == end.start(tz) {
        end = Bound::At(start.start(tz) + 1);
    }
    Range {
        start,
        end,
        timezone: place.zone.to_owned(),
    }
}

/// The engine's timelines of a history, and the keys of its premium users as of an instant.
pub(crate) fn timelines(history: &History, range: &Range, as_of: i64) -> (Timelines, Vec<u32>) {
    let key = |user: &str| user.parse::<u32>().expect("users are numbers");
    let name = |name: &str| NAMES.iter().position(|n| *n == name).expect("a name") as u16;
    let rows = history
        .events
        .iter()
        .filter_map(|e| Some((key(e.user.as_deref()?), e.ts, name(&e.name))));
    let names = NAMES.iter().map(|n| (*n).to_owned()).collect();
    let timelines = Timelines::from_rows(names, rows).expect("timelines");
    let (from, to) = range.span();
    // Everybody is known from the start, by a profile.
    let mut premium: Vec<u32> = history.profiles.iter().map(|p| key(&p.user)).collect();
    premium.sort_unstable();
    premium.dedup();
    premium.retain(|u| segment::member(history, &u.to_string(), "premium", from, to, as_of));
    (timelines, premium)
}

/// Asks the engine a question, as of an instant, over a history whose events say what the oracle takes them to say.
pub(crate) fn ask<Q, A>(
    history: &History,
    range: &Range,
    as_of: i64,
    question: &Q,
    answer: impl Fn(&Scoped<&Q>, &View<'_>) -> Result<A>,
) -> std::result::Result<A, String> {
    let (timelines, premium) = timelines(history, range, as_of);
    let says = history.events.iter().filter(|e| e.user.is_some());
    let says = says.map(|e| said(e).map(|value| Value::from(value).to_string()));
    let columns = Columns::given([("p".to_owned(), says.collect())], [], Vec::new());
    let scoped = access::grant(&Principal::owner(), Permission::ReadAnalytics, question)
        .map_err(|e| e.to_string())?;
    let as_of = Instant::from_micros(as_of).ok_or("as of an instant out of bounds")?;
    let view = View {
        premium: &premium,
        columns: &columns,
        ..View::new(&timelines, as_of)
    };
    // What is asked for again may be answered from what was read from the timelines the time before.
    if history.events.len().is_multiple_of(2) {
        answer(&scoped, &view).map_err(|e| e.to_string())?;
    }
    answer(&scoped, &view).map_err(|e| e.to_string())
}
