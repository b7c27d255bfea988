//! A made-up platform on its way into a store: through the same import as anybody's data.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Table, World};
use crate::access::Principal;
use crate::analytics::Analytics;
use crate::error::Result;
use crate::events::{self, ImportOptions, ImportReport, Mapping, Progress, Source};

/// Hears which table is loaded and how far it is, and may stop it.
pub type OnLoad<'a> = dyn FnMut(Table, Progress) -> ControlFlow<()> + 'a;

/// Rates before the amounts that need them.
const ORDER: [Table; 8] = [
    Table::Rates,
    Table::Trips,
    Table::Profiles,
    Table::Events,
    Table::Bookings,
    Table::Payments,
    Table::Reviews,
    Table::Performance,
];

impl World {
    /// Imports all tables into a store, one after the other, and says what became of each.
    ///
    /// The copies among the events are found to be duplicates; nothing is refused.
    ///
    /// # Errors
    /// Those of [`Analytics::import`]; `cancelled` where `hear` breaks, then the table under way is not kept.
    pub fn load(
        self,
        into: &Analytics,
        who: &Principal,
        hear: &mut OnLoad<'_>,
    ) -> Result<Vec<(Table, ImportReport)>> {
        let world = Arc::new(self);
        let import = |table: Table| {
            let total = world.count(table) as u64;
            let mut progress = |p: Progress| {
                hear(
                    table,
                    Progress {
                        total_rows: Some(total),
                        ..p
                    },
                )
            };
            let mut options = ImportOptions {
                table: events::Table::named(table.name()),
                strict: true,
                progress: Some(&mut progress),
            };
            let source = Source::Batches(world.reader(table)?);
            let report = into.import(who, source, &Mapping::default(), &mut options)?;
            Ok((table, report))
        };
        ORDER.into_iter().map(import).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::*;
    use crate::analytics::Options;
    use crate::demo::person::{Event, What};
    use crate::demo::{DAY, Demo, MINUTE, rhythm::Rhythm};
    use crate::query::Instant;

    fn demo() -> Demo {
        let end = "2026-03-15T18:30:00Z".parse().unwrap();
        Demo {
            users: 6_000,
            days: 21,
            ..Demo::until(end)
        }
    }

    fn store(now: Instant) -> Analytics {
        Analytics::open_with(Options {
            clock: Arc::new(move || now),
            threads: Some(2),
            ..Options::default()
        })
        .unwrap()
    }

    fn load(world: World, into: &Analytics) -> BTreeMap<&'static str, ImportReport> {
        let mut on = |_, _| ControlFlow::Continue(());
        let loaded = world.load(into, &Principal::owner(), &mut on).unwrap();
        loaded
            .into_iter()
            .map(|(table, report)| (table.name(), report))
            .collect()
    }

    #[test]
    fn all_is_accepted_but_the_copies_and_nothing_changes_the_second_time() {
        let world = demo().make().unwrap();
        let sent = Table::ALL.map(|table| (table, world.count(table) as u64));
        let ids: BTreeSet<_> = world.all.events.iter().map(|e| (e.person, e.seq)).collect();
        let copies = world.all.events.len() - ids.len();
        assert!(copies > 100, "{copies} copies");
        let into = store(demo().end);
        let reports = load(world, &into);
        for (table, sent) in sent {
            let report = &reports[table.name()];
            assert_eq!(report.sent, sent, "{table:?}");
            assert_eq!(
                report.accepted + report.duplicates,
                sent,
                "{table:?}: {report:?}"
            );
            assert_eq!(
                (report.refused, report.conflicts, report.replaced),
                (0, 0, 0),
                "{table:?}: {report:?}"
            );
            let expected = if table == Table::Events {
                copies as u64
            } else {
                0
            };
            assert_eq!(report.duplicates, expected, "{table:?}");
        }
        let again = load(demo().make().unwrap(), &into);
        assert_eq!(again["events"].accepted, 0);
        assert_eq!(again["events"].version, again["bookings"].version);
    }

    /// The figures of a window, counted one event after the other.
    fn counted(world: &World, at: i64, window: i64) -> Value {
        let mut seen = BTreeSet::new();
        let inside: Vec<&Event> = world
            .all
            .events
            .iter()
            .filter(|e| at - window < e.ts && e.ts <= at && seen.insert((e.person, e.seq)))
            .collect();
        // A member is one user; a visitor is as many as the devices on which nobody has signed in.
        let signed_in: BTreeSet<(u32, u8)> = world
            .all
            .events
            .iter()
            .filter(|e| e.known)
            .map(|e| (e.person, e.device))
            .collect();
        let known = |e: &Event| e.known || signed_in.contains(&(e.person, e.device));
        let user = |e: &&&Event| (e.person, if known(e) { u8::MAX } else { e.device });
        let of = |wanted: fn(What) -> bool| -> Vec<&&Event> {
            inside.iter().filter(|e| wanted(e.what)).collect()
        };
        let people = |events: &[&&Event]| {
            events
                .iter()
                .filter(|e| e.person != u32::MAX)
                .map(user)
                .collect::<BTreeSet<_>>()
                .len()
        };
        let users = people(&inside.iter().collect::<Vec<_>>());
        let pages = of(|w| matches!(w, What::Page(..))).len();
        let errors = of(|w| matches!(w, What::Error { .. })).len();
        let converters = people(&of(|w| matches!(w, What::CompleteBooking { .. })));
        let mut revenue = 0_i128;
        for event in &inside {
            let What::Payment { amount, .. } = event.what else {
                continue;
            };
            let currency = world.people[event.person as usize].currency();
            let today = |r: &&crate::demo::server::DailyRate| {
                r.currency == currency.code && r.day == event.ts / DAY
            };
            let worth = world
                .rates
                .iter()
                .find(today)
                .map_or(100_000_000, |r| r.worth);
            revenue += i128::from(amount) * i128::from(worth) * 10_i128.pow(4 - currency.digits);
        }
        let share = |k: usize, n: usize| {
            if n == 0 {
                Value::Null
            } else {
                json!(k as f64 / n as f64)
            }
        };
        json!({
            "active_users": users,
            "page_views": pages,
            "events_per_second": inside.len() as f64 / (window / 1_000_000) as f64,
            "conversion_rate": share(converters, users),
            "error_rate": share(errors, inside.len()),
            // In 10^-12 of a euro over the window; the figure has six digits, rounded.
            "revenue": revenue.to_string(),
        })
    }

    #[test]
    fn the_six_figures_are_those_counted_one_event_after_the_other() {
        let (world, same) = (demo().make().unwrap(), demo().make().unwrap());
        let outage = Rhythm::of(world.demo()).unwrap().outage;
        let end = demo().end.micros();
        let into = store(Instant::from_micros(end + DAY).unwrap());
        load(world, &into);
        // Quiet and busy moments, the outage, and just after the first and the last of the payments.
        let payments: Vec<i64> = same.all.payments.iter().map(|p| p.at).collect();
        let moments = [
            end,
            end + 137 * MINUTE + 1,
            outage.from + 50 * MINUTE,
            payments[0],
            payments[payments.len() - 1] + MINUTE,
        ];
        let mut paid = 0;
        for at in moments {
            for (range, minutes) in [
                ("last_5_minutes", 5),
                ("last_15_minutes", 15),
                ("last_hour", 60),
            ] {
                let as_of = Instant::from_micros(at).unwrap().to_string();
                let question = json!({"timeRange": range, "asOf": as_of});
                let answers = into.realtime_json(&Principal::owner(), &question).unwrap();
                let expected = counted(&same, at, minutes * MINUTE);
                let before = counted(&same, at - minutes * MINUTE, minutes * MINUTE);
                for answer in answers {
                    let name = answer.metric_name.name();
                    let answer = serde_json::to_value(answer).unwrap();
                    if name == "revenue_per_minute" {
                        let exact: f64 = answer["metadata"]["exact"]
                            .as_str()
                            .unwrap()
                            .parse()
                            .unwrap();
                        let total: f64 = expected["revenue"].as_str().unwrap().parse().unwrap();
                        paid += u32::from(total != 0.0);
                        assert!(
                            (exact - total / 1e12 / minutes as f64).abs() <= 5.1e-7,
                            "{question}"
                        );
                        continue;
                    }
                    assert_eq!(answer["value"], expected[&*name], "{name} {question}");
                    assert_eq!(
                        answer["metadata"]["previous"], before[&*name],
                        "previous {name} {question}"
                    );
                }
            }
        }
        assert!(paid >= 6, "{paid} windows with a payment");
    }

    #[test]
    fn whoever_watches_may_stop_it_and_keeps_what_was_done_before() {
        let into = store(demo().end);
        let mut heard = Vec::new();
        let mut on = |table: Table, progress: Progress| {
            assert!(progress.total_rows.is_some());
            heard.push(table);
            if table == Table::Events {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let error = demo()
            .make()
            .unwrap()
            .load(&into, &Principal::owner(), &mut on)
            .unwrap_err();
        assert_eq!(error.code(), "cancelled");
        assert_eq!(heard.first(), Some(&Table::Rates));
        assert_eq!(heard.last(), Some(&Table::Events));
        let answers = into
            .realtime_json(&Principal::owner(), &json!({"metrics": ["active_users"]}))
            .unwrap();
        assert_eq!(answers[0].value.map(|v| v.number()), Some(0.0));
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "it measures how long loading takes"
    )]
    fn the_default_demo_is_made_and_loaded_in_seconds() {
        let begin = std::time::Instant::now();
        let world = Demo::until(demo().end).make().unwrap();
        let made = begin.elapsed();
        let into = store(demo().end);
        let reports = load(world, &into);
        eprintln!("made in {made:?}, loaded in {:?}", begin.elapsed() - made);
        assert_eq!(reports["events"].refused, 0);
        let mut times: Vec<_> = (0..9)
            .map(|_| {
                let begin = std::time::Instant::now();
                into.realtime_json(&Principal::owner(), &json!({})).unwrap();
                begin.elapsed()
            })
            .collect();
        times.sort();
        eprintln!("six figures: {:?} (median of 9)", times[4]);
        assert!(made.as_secs() < 30, "made in {made:?}");
    }
}
