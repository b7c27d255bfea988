//! How well anomalies are found in the demo, in buckets of each length: false alarms where nothing happened, and how many injected
//! incidents are found how soon.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use arrow::array::{Array as _, AsArray as _, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use serde_json::{Value, json};
use travelsense::anomaly::{Finding, Measure, Series, Settings, Shape, scan};
use travelsense::demo::{Demo, Table, World};
use travelsense::{Error, Instant, Result, Zone};

const MINUTE: i64 = 60_000_000;

/// The lengths of buckets in minutes.
const STEPS: [usize; 4] = [1, 5, 15, 60];

/// What is usual is learned for so many days; until then nothing is counted.
const LEARNED: usize = 35;

/// An incident lasts for so many minutes, and is to be found within ten, or within a bucket that is longer.
const LASTS: usize = 60;
const SOON: usize = 10;

/// So many incidents of each kind are injected, each into a copy of its own.
const INCIDENTS: usize = 60;

/// The buckets of one metric: the value, and for shares of how many.
struct Buckets {
    name: &'static str,
    measure: Measure,
    values: Vec<(f64, f64)>,
}

/// Measures on a demo of so many people and days.
pub(crate) fn measure(users: u32, days: u32) -> Result<Value> {
    let end: Instant = "2026-11-20T00:00:00Z".parse().map_err(Error::internal)?;
    let demo = Demo {
        users,
        days,
        live_hours: 0,
        ..Demo::until(end)
    };
    let start = end.micros() - i64::from(days) * 86_400_000_000;
    let world = demo.make()?;
    let mut told = Vec::new();
    for step in STEPS {
        let metrics = buckets(&world, start, step, days as usize)?;
        told.extend(
            metrics
                .iter()
                .map(|metric| of(metric, start, step, days as usize)),
        );
    }
    Ok(json!({ "users": users, "days": days, "metrics": told }))
}

/// Measures on one metric in buckets of so many minutes.
fn of(metric: &Buckets, start: i64, step: usize, days: usize) -> Value {
    let day = 24 * 60 / step;
    let (learned, lasts, in_time) = (LEARNED * day, LASTS / step, (SOON / step).max(1));
    let length = step as i64 * MINUTE;
    let end = Instant::saturating_from_micros(start + days as i64 * 1_440 * MINUTE);
    // The demo has incidents of its own: a campaign of four days, an outage of two hours, and what follows on them.
    let whole = |share: f64| (days as f64 * share).floor() as usize * day;
    let own = [
        (
            whole(11.0 / 18.0).saturating_sub(day),
            whole(11.0 / 18.0) + 7 * day,
        ),
        (whole(4.0 / 5.0) + day / 2, whole(4.0 / 5.0) + 2 * day),
    ];
    let quiet = |at: usize| own.iter().all(|(from, to)| at < *from || at >= *to);
    let counted = (learned..days * day).filter(|at| quiet(*at)).count();
    let weeks = counted as f64 / (7 * day) as f64;
    let mut chance = Chance(7);
    let found = |values: &[(f64, f64)]| -> Vec<Finding> {
        let series = Series {
            start: Instant::saturating_from_micros(start),
            zone: Zone::default(),
            values: values.iter().map(|v| Some(*v)).collect(),
        };
        let settings = Settings::new(metric.measure, length);
        let found = scan(settings, &series, end, 0).findings.into_iter();
        found.filter(|f| f.shape != Shape::TrendChange).collect()
    };
    let place = |at: Instant| ((at.micros() - start) / length).max(0) as usize;
    let clean = found(&metric.values);
    let false_alarms = clean
        .iter()
        .filter(|f| {
            place(f.found_at) >= learned && quiet(place(f.since)) && quiet(place(f.found_at))
        })
        .count();
    let mut kinds = Vec::new();
    for factor in [0.0, 0.5, 0.7, 1.3, 1.5, 2.0] {
        let (mut hits, mut soon, mut delays, mut injected, mut loud, mut loud_soon) =
            (0, 0, Vec::new(), 0, 0, 0);
        while injected < INCIDENTS {
            let from = learned + chance.below(metric.values.len() - learned - 2 * lasts);
            if !quiet(from)
                || !quiet(from + lasts)
                || clean.iter().any(|f| place(f.found_at).abs_diff(from) < day)
            {
                continue;
            }
            injected += 1;
            let mut values = metric.values.clone();
            let stretch = values.get_mut(from..from + lasts).unwrap_or_default();
            // What ten minutes bring says what can be told from chance at all.
            let volume: f64 = stretch.iter().take(in_time).map(|v| v.0).sum();
            for value in stretch {
                value.0 = chance.times(value.0, factor, value.1, metric.measure);
            }
            let hit = found(&values).into_iter().find(|f| {
                let at = place(f.found_at);
                (from..from + lasts).contains(&at) && place(f.since) + in_time >= from
            });
            let delay = hit.map(|f| place(f.found_at) + 1 - from);
            hits += usize::from(delay.is_some());
            let quick = delay.is_some_and(|delay| delay <= in_time);
            soon += usize::from(quick);
            delays.extend(delay);
            if volume >= 1_000.0 {
                loud += 1;
                loud_soon += usize::from(quick);
            }
        }
        delays.sort_unstable();
        kinds.push(json!({
            "factor": factor,
            "injected": injected,
            "found": hits,
            "within10Minutes": soon,
            "ofVolume": loud,
            "ofVolumeWithin10Minutes": loud_soon,
            "medianDelayMinutes": delays.get(delays.len() / 2).map(|delay| delay * step),
        }));
    }
    let hits: u64 = kinds.iter().filter_map(|k| k["found"].as_u64()).sum();
    let injected = kinds.len() * INCIDENTS;
    json!({
        "metric": metric.name,
        "stepMinutes": step,
        "aBucket": metric.values.iter().map(|v| v.0).sum::<f64>() / metric.values.len() as f64,
        "weeks": weeks,
        "falseAlarms": false_alarms,
        "falseAlarmsAWeek": false_alarms as f64 / weeks,
        // Every copy holds its incident and all false alarms of these weeks.
        "precision": hits as f64 / (hits as f64 + false_alarms as f64),
        "recall": hits as f64 / injected as f64,
        "incidents": kinds,
    })
}

/// The metrics in buckets of so many minutes.
fn buckets(world: &World, start: i64, step: usize, days: usize) -> Result<Vec<Buckets>> {
    let count = days * 24 * 60 / step;
    let zeros = || vec![0.0_f64; count];
    let (mut events, mut views, mut errors) = (zeros(), zeros(), zeros());
    let (mut users, mut buyers) = (vec![HashSet::new(); count], vec![HashSet::new(); count]);
    for batch in world.batches(Table::Events) {
        let batch = batch?;
        let text = |name: &str| -> Result<StringArray> {
            let column = batch
                .column_by_name(name)
                .and_then(|c| c.as_string_opt::<i32>());
            column
                .cloned()
                .ok_or_else(|| Error::internal("the demo has other columns"))
        };
        let (names, known, anonymous) = (text("name")?, text("user_id")?, text("anonymous_id")?);
        let times = batch.column_by_name("ts");
        let times = times.and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
        let times = times.ok_or_else(|| Error::internal("the demo has other times"))?;
        for row in 0..batch.num_rows() {
            let place = (times.value(row) - start).div_euclid(step as i64 * MINUTE);
            let Some(place) = usize::try_from(place).ok().filter(|p| *p < count) else {
                continue;
            };
            let add = |to: &mut Vec<f64>| {
                if let Some(value) = to.get_mut(place) {
                    *value += 1.0;
                }
            };
            add(&mut events);
            match names.value(row) {
                "page_view" => add(&mut views),
                "error" => add(&mut errors),
                _ => {}
            }
            let id = [&known, &anonymous]
                .into_iter()
                .find(|a| a.is_valid(row) && !a.value(row).is_empty());
            if let (Some(id), Some(users)) = (id, users.get_mut(place)) {
                let mut hash = DefaultHasher::new();
                id.value(row).hash(&mut hash);
                users.insert(hash.finish());
                if let (true, Some(buyers)) = (
                    names.value(row) == "complete_booking",
                    buyers.get_mut(place),
                ) {
                    buyers.insert(hash.finish());
                }
            }
        }
    }
    let count = |values: Vec<f64>| values.into_iter().map(|v| (v, 1.0)).collect::<Vec<_>>();
    let active: Vec<f64> = users.iter().map(|u| u.len() as f64).collect();
    let bought = buyers.iter().map(|u| u.len() as f64);
    let share =
        |hits: Vec<f64>, of: &[f64]| hits.into_iter().zip(of.iter().copied()).collect::<Vec<_>>();
    let conversion = share(bought.collect(), &active);
    let error_rate = share(errors, &events);
    let all = [
        ("events_per_second", Measure::Count, count(events)),
        ("active_users", Measure::Count, count(active)),
        ("page_views", Measure::Count, count(views)),
        ("error_rate", Measure::Share, error_rate),
        ("conversion_rate", Measure::Share, conversion),
    ];
    Ok(all
        .into_iter()
        .map(|(name, measure, values)| Buckets {
            name,
            measure,
            values,
        })
        .collect())
}

/// Numbers that look like chance, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }

    fn share(&mut self) -> f64 {
        self.below(1 << 24) as f64 / f64::from(1 << 24)
    }

    /// So many times as much, each of them by chance; a share has no more hits than there are.
    fn times(&mut self, value: f64, factor: f64, of: f64, measure: Measure) -> f64 {
        let (whole, part) = (factor.floor(), factor.fract());
        let extra = (0..value as u64).filter(|_| self.share() < part).count() as f64;
        let times = value * whole + extra;
        match measure {
            Measure::Share => times.min(of),
            _ => times,
        }
    }
}
