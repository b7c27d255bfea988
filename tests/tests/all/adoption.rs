//! Adoption: the engine against a look at every user and every feature.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use travelsense::Instant;
use travelsense::access::Scoped;
use travelsense::adoption::{self, AdoptionAnswer, Cell};
use travelsense::timeline::View;
use travelsense_tests::oracle::History;
use travelsense_tests::oracle::adoption::{Adoption, Feature};
use travelsense_tests::oracle::calendar::{Period, WEEKDAYS};
use travelsense_tests::oracle::question::{Bound, Selector};

use crate::cases::{CASES, LAWS, agree, same};
use crate::generate::{DAY, HOUR, NOW, SECOND, ask, scene, segment, selector};

pub(crate) fn case() -> impl Strategy<Value = (History, Adoption)> {
    let within = select(vec![0, 60 * SECOND, HOUR, DAY, 7 * DAY, 30 * DAY]);
    within.prop_flat_map(|within| {
        let released = prop_oneof![
            3 => Just(None),
            2 => (any::<prop::sample::Index>(), select(vec![-DAY, -1, 0, 1, DAY])).prop_map(Some),
        ];
        (
            scene(within.max(SECOND)),
            vec((selector(), released), 0..=4),
            proptest::option::weighted(0.2, Just("x".to_owned())),
            prop_oneof![3 => Just(1_usize), 2 => 2_usize..4],
            select(vec![Period::Daily, Period::Weekly, Period::Monthly]),
            0_usize..7,
            select(vec![vec![1], vec![1, 2], vec![1, 2, 3, 5], vec![1, 4]]),
            segment(),
        )
            .prop_map(
                move |(
                    (history, range, as_of),
                    features,
                    says,
                    min_uses,
                    period,
                    day,
                    frequencies,
                    segment,
                )| {
                    let times: Vec<i64> = history.events.iter().map(|e| e.ts).collect();
                    let feature = |(i, (event, released)): (usize, _)| Feature {
                        name: format!("feature {i}"),
                        event,
                        released: Option::filter(released, |_| !times.is_empty()).map(
                            |(index, by): (prop::sample::Index, i64)| {
                                Bound::At(index.get(&times) + by)
                            },
                        ),
                    };
                    let question = Adoption {
                        features: features.into_iter().enumerate().map(feature).collect(),
                        range,
                        says,
                        min_uses,
                        within,
                        period,
                        week_start: WEEKDAYS[day].1,
                        frequencies,
                        segment,
                        as_of,
                    };
                    (history, question)
                },
            )
    })
}

/// The same question without filters, of one feature at least.
pub(crate) fn plain(question: &Adoption) -> Adoption {
    let mut question = question.clone();
    question.says = None;
    if question.features.is_empty() {
        question.features.push(Feature {
            name: "A".to_owned(),
            event: Selector::Event("A".to_owned()),
            released: None,
        });
    }
    question
}

/// Asks the engine.
fn with<T>(
    history: &History,
    question: &Adoption,
    answer: impl Fn(&Scoped<&travelsense::Adoption>, &View<'_>) -> travelsense::Result<T>,
) -> Result<T, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    let mut json = question.json();
    // A list without features can only come from a catalogue without any.
    if question.features.is_empty() {
        json["features"] = Value::Null;
    }
    let asked = travelsense::Adoption::parse(&json, &[], now).map_err(|e| e.to_string())?;
    ask(history, &question.range, question.as_of, &asked, answer)
}

fn answered(history: &History, question: &Adoption) -> Result<AdoptionAnswer, String> {
    with(history, question, adoption::answer)
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_adoption() {
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
fn d1_every_number_of_adoption_has_its_people() {
    agree(LAWS / 4, &case(), |(history, question)| {
        let answer = answered(history, question)?;
        let mut cells = vec![
            (json!({"cell": "active_users"}), answer.active_users),
            (json!({"cell": "unused"}), answer.breadth.unused),
        ];
        for f in &answer.features {
            let counts = [
                ("exposed", f.exposed),
                ("adopters", f.adopters),
                ("not_adopted", f.exposed - f.adopters),
                ("open", f.open),
                ("matured_exposed", f.matured.exposed),
                ("matured_adopters", f.matured.adopters),
                ("users", f.users),
            ];
            cells.extend(counts.map(|(who, n)| {
                (
                    json!({"cell": "feature", "feature": f.feature, "who": who}),
                    n,
                )
            }));
            // A date that a zone skips begins with the date after it, and so cannot be named by its beginning.
            let rows = f.first_uses.iter().filter(|row| row.start != row.end);
            cells.extend(rows.map(|row| {
                let start = row.start.to_string();
                (
                    json!({"cell": "first_uses", "feature": f.feature, "start": start}),
                    row.users,
                )
            }));
        }
        let mut all = answer.breadth.unused;
        for row in &answer.breadth.rows {
            all += row.users;
            cells.push((
                json!({"cell": "breadth", "features": row.features}),
                row.users,
            ));
            cells.extend(row.cells.iter().map(|cell| {
                let named = json!({"cell": "breadth", "features": row.features, "from": cell.from});
                (named, cell.users)
            }));
        }
        if all != answer.active_users {
            return Err(format!("{:?}\n{}", answer.breadth, question.json()));
        }
        for (cell, number) in cells {
            let read = Cell::parse(&cell).map_err(|e| e.to_string())?;
            let people = with(history, question, |q, v| adoption::people(q, v, &read))?;
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
