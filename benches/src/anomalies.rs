//! How well anomalies are found in the demo, in buckets of each length: false alarms where nothing happened, and how many injected
//! incidents are found how soon, beside what can be told from chance at all.

mod chance;
mod counts;

use chance::Chance;
use counts::Metric;
use serde_json::{Value, json};
use travelsense::anomaly::{Detector, Direction, Finding, Measure, Settings, Shape};
use travelsense::{Error, Instant, Result};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1_440 * MINUTE;

/// What is usual is learned for so many days; until then nothing is counted.
const LEARNED: usize = 35;

/// An incident lasts for so many minutes, and is to be found within ten, or within a bucket that is longer.
const LASTS: usize = 60;
const SOON: usize = 10;

/// So many incidents of each size are injected, each into a copy of its own.
const INCIDENTS: usize = 400;

/// What of an incident there is of its usual value.
const FACTORS: [f64; 6] = [0.0, 0.5, 0.7, 1.3, 1.5, 2.0];

/// By so many standard deviations an incident has to move the sum of ten minutes to be found in time nineteen times in twenty: chance
/// alone moves one minute in 80,640 by 4.2, which is an alarm in four weeks each way, and 1.65 more are not undone by chance.
const NEEDED: f64 = 5.9;

/// When clocks changed in Europe and in America, where most people of the demo live, and for how many hours their new hours are
/// news: what is found then has a cause, and is counted apart.
const CLOCKS: [&str; 2] = ["2026-10-25T00:00:00Z", "2026-11-01T00:00:00Z"];
const NEWS: i64 = 60;

/// Measures on a demo of so many people and days.
pub(crate) fn measure(users: u32, days: u32) -> Result<Value> {
    let end: Instant = "2026-11-20T00:00:00Z".parse().map_err(Error::internal)?;
    let start = Instant::saturating_from_micros(end.micros() - i64::from(days) * DAY);
    let metrics = counts::count(users, days as usize, start)?;
    let told: Result<Vec<Value>> = metrics
        .iter()
        .map(|metric| Bench::of(metric, start, days as usize).map(|bench| bench.run()))
        .collect();
    Ok(json!({ "users": users, "days": days, "metrics": told? }))
}

/// One metric in buckets of one length.
struct Bench<'a> {
    metric: &'a Metric,
    start: i64,
    /// The length of a bucket in microseconds, and how many make a day, an incident and ten minutes.
    length: i64,
    day: usize,
    lasts: usize,
    soon: usize,
    /// When the demo has incidents of its own, and when clocks changed.
    own: Vec<(usize, usize)>,
    clocks: Vec<(usize, usize)>,
}

impl<'a> Bench<'a> {
    fn of(metric: &'a Metric, start: Instant, days: usize) -> Result<Self> {
        let (start, length) = (start.micros(), metric.step as i64 * MINUTE);
        let day = 24 * 60 / metric.step;
        // A campaign of four days, an outage of two hours, and what follows on them, in a demo that goes on for a day more.
        let whole = |share: f64| ((days + 1) as f64 * share).floor() as usize * day;
        let campaign = whole(11.0 / 18.0);
        let outage = whole(4.0 / 5.0) + day / 2;
        let mut clocks = Vec::new();
        for changed in CLOCKS {
            let at = changed
                .parse::<Instant>()
                .map_err(Error::internal)?
                .micros();
            let from = ((at - start) / length).max(0) as usize;
            clocks.push((from, from + (NEWS * 60 * MINUTE / length) as usize));
        }
        Ok(Self {
            metric,
            start,
            length,
            day,
            lasts: LASTS / metric.step,
            soon: (SOON / metric.step).max(1),
            own: vec![
                (campaign.saturating_sub(day), campaign + 7 * day),
                (outage, outage + 3 * day / 2),
            ],
            clocks,
        })
    }

    fn run(&self) -> Value {
        let (learned, count) = (LEARNED * self.day, self.metric.values.len());
        let mut chance = Chance::new();
        let mut starts: Vec<usize> = Vec::new();
        while starts.len() < INCIDENTS {
            let from = learned + chance.below(count - learned - 2 * self.lasts);
            if self.quiet(from) && self.quiet(from + self.lasts) {
                starts.push(from);
            }
        }
        starts.sort_unstable();
        let (alarms, before) = self.clean(&starts);
        let weeks =
            (learned..count).filter(|at| self.quiet(*at)).count() as f64 / (7 * self.day) as f64;
        let wrong = alarms
            .iter()
            .filter(|f| self.quiet(self.place(f.since)) && self.quiet(self.place(f.found_at)))
            .count();
        let of_clocks = alarms
            .iter()
            .filter(|f| within(&self.clocks, self.place(f.since)))
            .count();
        let strays = self.strays();
        let kinds: Vec<Value> = FACTORS
            .iter()
            .map(|factor| self.incidents(*factor, &before, strays, &mut chance))
            .collect();
        let sum = |name: &str| kinds.iter().filter_map(|k| k[name].as_f64()).sum::<f64>();
        let hits: f64 = self.metric.values.iter().map(|v| v.0).sum();
        json!({
            "metric": self.metric.name,
            "stepMinutes": self.metric.step,
            "aMinute": hits / (count * self.metric.step) as f64,
            // What ten minutes stray by, of what independent arrivals would.
            "strays": strays.sqrt(),
            "weeks": weeks,
            "falseAlarms": wrong,
            "falseAlarmsAWeek": wrong as f64 / weeks,
            "alarmsOfClockChanges": of_clocks,
            // Every copy holds its incident and all false alarms of these weeks.
            "precision": sum("found") / (sum("found") + wrong as f64).max(1.0),
            "recall": sum("found") / sum("injected").max(1.0),
            "incidents": kinds,
        })
    }

    /// Takes the series as it is: what is found in it, and the detector as it is before each of the incidents. Where something is
    /// found at the time, there is no incident.
    fn clean(&self, starts: &[usize]) -> (Vec<Finding>, Vec<(usize, Detector)>) {
        let mut detector = Detector::new(Settings::new(self.metric.measure, self.length));
        let (mut alarms, mut before) = (Vec::<Finding>::new(), Vec::new());
        let mut starts = starts.iter().copied().peekable();
        for (at, value) in self.metric.values.iter().enumerate() {
            while starts.next_if_eq(&at).is_some() {
                if detector.finding().is_none() {
                    before.push((at, detector.clone()));
                }
            }
            for finding in self.take(&mut detector, at, *value) {
                let last = alarms.last();
                if at >= LEARNED * self.day && last.is_none_or(|f| f.since != finding.since) {
                    alarms.push(finding);
                }
            }
        }
        (alarms, before)
    }

    fn take(&self, detector: &mut Detector, at: usize, (value, of): (f64, f64)) -> Vec<Finding> {
        if self.metric.measure == Measure::Share && of == 0.0 {
            return Vec::new();
        }
        let start = Instant::saturating_from_micros(self.start + at as i64 * self.length);
        let mut found = detector.take(start, 0, value, of).findings;
        found.retain(|f| f.shape != Shape::TrendChange);
        found
    }

    /// Injects an incident of this size at each of the places.
    fn incidents(
        &self,
        factor: f64,
        before: &[(usize, Detector)],
        strays: f64,
        chance: &mut Chance,
    ) -> Value {
        let (mut delays, mut soon, mut clear, mut clear_soon) = (Vec::new(), 0, 0, 0);
        let mut sizes = Vec::new();
        for (from, detector) in before {
            let mut detector = detector.clone();
            let stretch = self.metric.values.get(*from..from + self.soon);
            let (sum, variance) = self.chance_of(stretch.unwrap_or_default());
            let size = (factor - 1.0).abs() * sum.abs() / (strays * variance).max(1e-9).sqrt();
            let direction = if factor > 1.0 {
                Direction::Up
            } else {
                Direction::Down
            };
            let found = (*from..from + self.lasts).find(|at| {
                let value = self.metric.values.get(*at).copied().unwrap_or_default();
                let value = chance.times(value, factor, self.metric.measure);
                let found = self.take(&mut detector, *at, value);
                found.iter().any(|f| f.direction == direction)
            });
            let delay = found.map(|at| at + 1 - from);
            let quick = delay.is_some_and(|delay| delay <= self.soon);
            soon += usize::from(quick);
            delays.extend(delay);
            clear += usize::from(size >= NEEDED);
            clear_soon += usize::from(size >= NEEDED && quick);
            sizes.push(size);
        }
        delays.sort_unstable();
        sizes.sort_by(f64::total_cmp);
        json!({
            "factor": factor,
            "injected": before.len(),
            "found": delays.len(),
            "within10Minutes": soon,
            // By how many standard deviations of ten minutes half of them differ at least.
            "deviations": sizes.get(sizes.len() / 2),
            "clear": clear,
            "clearWithin10Minutes": clear_soon,
            "medianDelayMinutes": delays.get(delays.len() / 2).map(|d| d * self.metric.step),
            "worstDelayMinutes": delays.last().map(|d| d * self.metric.step),
        })
    }

    /// What a stretch comes to, and the variance that it would have if arrivals knew nothing of each other.
    fn chance_of(&self, stretch: &[(f64, f64)]) -> (f64, f64) {
        let (sum, of) = (stretch.iter()).fold((0.0, 0.0), |(a, b), v| (a + v.0, b + v.1));
        let variance = match self.metric.measure {
            Measure::Count => sum,
            Measure::Share => sum * (1.0 - sum / of.max(1.0)),
            Measure::Amount => of,
        };
        (sum, variance)
    }

    /// How much further ten minutes stray from the ten before and after them than such arrivals do, as a variance: visits come with
    /// many events each. By the median, so that jumps of the day do not count.
    fn strays(&self) -> f64 {
        let (learned, soon) = (LEARNED * self.day, self.soon);
        let mut ratios: Vec<f64> = (learned..self.metric.values.len() - 3 * soon)
            .step_by(soon)
            .filter(|at| self.quiet(*at))
            .filter_map(|at| self.metric.values.get(at..at + 3 * soon))
            .filter_map(|three| {
                let (before, rest) = three.split_at(soon);
                let (here, after) = rest.split_at(soon);
                let of = |part: &[(f64, f64)]| match self.metric.measure {
                    Measure::Share => part.iter().map(|v| v.1).sum(),
                    _ => 1.0,
                };
                let around = [before, after].concat();
                let (sum, variance) = self.chance_of(here);
                let expected = self.chance_of(&around).0 / of(&around) * of(here);
                let expected = match self.metric.measure {
                    Measure::Share => expected,
                    _ => expected / 2.0,
                };
                let off = sum - expected;
                (variance > 0.0).then(|| off * off / (1.5 * variance))
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        // The median square of a normal value is 0.4549.
        let middle = ratios.get(ratios.len() / 2).copied().unwrap_or(0.0);
        (middle / 0.454_9).max(1.0)
    }

    fn quiet(&self, at: usize) -> bool {
        !within(&self.own, at) && !within(&self.clocks, at)
    }

    fn place(&self, at: Instant) -> usize {
        ((at.micros() - self.start) / self.length).max(0) as usize
    }
}

fn within(stretches: &[(usize, usize)], at: usize) -> bool {
    stretches
        .iter()
        .any(|(from, to)| (*from..*to).contains(&at))
}
