//! Pickup: the engine against a look at every booking for every number.

use chrono::Days;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use travelsense::Instant;
use travelsense::access::{self, Permission, Principal, Scoped};
use travelsense::pickup::{self, Cell, PickupAnswer};
use travelsense::timeline::{Columns, View};
use travelsense_tests::oracle::History;
use travelsense_tests::oracle::calendar::{Period, WEEKDAYS};
use travelsense_tests::oracle::pickup::Pickup;
use travelsense_tests::oracle::question::Selector;

use crate::cases::{CASES, LAWS, agree, same};
use crate::generate::{DAY, NOW, scene, selector, timelines};

/// What the properties of a booking say: the service so many days after the range begins, written in one of several ways, an
/// id that others may have, and how long it lasts.
type Says = (i64, u8, Option<u8>, Option<i64>);

fn case() -> impl Strategy<Value = (History, Pickup)> {
    let says = (
        prop_oneof![4 => -2_i64..9, 1 => 20_i64..50],
        0_u8..12,
        proptest::option::weighted(0.7, 0_u8..3),
        proptest::option::weighted(0.7, prop_oneof![5 => 0_i64..9, 1 => -3_i64..0]),
    );
    (
        scene(DAY),
        vec(says, 60),
        (selector(), proptest::option::weighted(0.7, selector())),
        select(vec![Period::Daily, Period::Weekly, Period::Monthly]),
        0_usize..7,
        select(vec![
            vec![],
            vec![0],
            vec![0, 1, 2],
            vec![1, 7, 30],
            vec![400],
        ]),
        proptest::option::weighted(0.7, Just("stay".to_owned())),
    )
        .prop_map(
            |(
                (mut history, range, as_of),
                says,
                (booking, cancellation),
                period,
                day,
                days_before,
                stay,
            )| {
                // Null takes nothing back, and not everything.
                let cancellation = cancellation.filter(|c| *c != Selector::Any);
                let question = Pickup {
                    booking,
                    cancellation,
                    length_of_stay: stay,
                    range,
                    period,
                    week_start: WEEKDAYS[day].1,
                    days_before,
                    as_of,
                };
                for (event, says) in history.events.iter_mut().zip(says) {
                    event.properties = properties(&question, says);
                }
                (history, question)
            },
        )
}

fn properties(question: &Pickup, (after, way, id, stay): Says) -> serde_json::Map<String, Value> {
    let base = question
        .first()
        .checked_sub_days(Days::new(2))
        .expect("a date");
    let date = base + chrono::TimeDelta::days(after + 2);
    let said = match way {
        0 => Value::Null,
        1 => json!("soon"),
        2 => json!(17),
        3 => json!(format!("{date}T23:30:00Z")),
        4 => json!(format!("{date}T00:15:00")),
        _ => json!(date.to_string()),
    };
    let mut says = serde_json::Map::new();
    says.insert("serviceDate".to_owned(), said);
    if let Some(id) = id {
        says.insert("bookingId".to_owned(), json!(format!("b{id}")));
    }
    if let Some(stay) = stay {
        let value = if way % 2 == 0 {
            json!(stay)
        } else {
            json!((date + chrono::TimeDelta::days(stay)).to_string())
        };
        says.insert("stay".to_owned(), value);
    }
    says
}

fn with<T>(
    history: &History,
    question: &Pickup,
    answer: impl Fn(&Scoped<&travelsense::Pickup>, &View<'_>) -> travelsense::Result<T>,
) -> Result<T, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    let asked =
        travelsense::Pickup::parse(&question.json(), &[], now).map_err(|e| e.to_string())?;
    let (timelines, _) = timelines(history, &question.range, question.as_of);
    let column = |name: &str| {
        let events = history.events.iter().filter(|e| e.user.is_some());
        let said = events.map(|e| e.properties.get(name).map(Value::to_string));
        (name.to_owned(), said.collect::<Vec<_>>())
    };
    let columns = ["serviceDate", "bookingId", "stay"].map(column);
    let columns = Columns::given(columns, [], Vec::new());
    let scoped = access::grant(&Principal::owner(), Permission::ReadAnalytics, &asked)
        .map_err(|e| e.to_string())?;
    let as_of = Instant::from_micros(question.as_of).ok_or("as of an instant out of bounds")?;
    let view = View {
        columns: &columns,
        ..View::new(&timelines, as_of)
    };
    answer(&scoped, &view).map_err(|e| e.to_string())
}

fn answered(history: &History, question: &Pickup) -> Result<PickupAnswer, String> {
    with(history, question, pickup::answer)
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_pickup() {
    agree(CASES, &case(), |(history, question)| {
        let answer = answered(history, question)?;
        same(
            &question.answer(history),
            &answer,
            &question.json(),
            history,
        )
    });
}

#[test]
fn d1_every_number_of_pickup_has_its_people() {
    agree(LAWS / 4, &case(), |(history, question)| {
        let answer = answered(history, question)?;
        let of = |start: Option<String>, figures: &pickup::Figures| {
            let users = figures.users;
            let counts = [
                ("booked", users.booked),
                ("cancelled", users.cancelled),
                ("on_the_books", users.on_the_books),
            ];
            counts.map(|(cell, n)| (json!({"cell": cell, "period": start}), n))
        };
        let mut cells: Vec<(Value, u64)> = of(None, &answer.total).into();
        // A date that a zone skips begins with the date after it, and so cannot be named by its beginning.
        let periods = answer.periods.iter().filter(|p| p.start != p.end);
        cells.extend(periods.flat_map(|p| of(Some(p.start.to_string()), &p.figures)));
        for (cell, number) in cells {
            let read = Cell::parse(&cell).map_err(|e| e.to_string())?;
            let people = with(history, question, |q, v| pickup::people(q, v, &read))?;
            if !people.is_sorted_by(|a, b| a < b) || people.len() as u64 != number {
                return Err(format!(
                    "{people:?} are not the {number} of {cell}\n{}",
                    question.json()
                ));
            }
        }
        Ok(())
    });
}
