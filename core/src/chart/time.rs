//! Scales of time: ticks at midnights, firsts of months and full hours of a zone.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, ToSpan as _};

use super::canvas::{Anchor, Area, Canvas, Paint, Type};
use super::theme::Role;
use crate::query::{Instant, Zone};

/// What the axis at the bottom counts. Where it is not time, a number stands in the place of an instant's microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Across {
    /// Time.
    #[default]
    Time,
    /// Whole numbers.
    Number,
    /// Shares, in millionths.
    Share,
}

impl Across {
    /// Where a share stands.
    pub(crate) fn share(of: f64) -> Instant {
        Instant::saturating_from_micros((of * 1e6).round() as i64)
    }

    /// A place on the axis as people read it.
    pub(super) fn says(self, at: Instant, zone: &Zone) -> String {
        match self {
            Self::Time => moment(at, zone),
            Self::Number => at.micros().to_string(),
            Self::Share => super::format::percent(at.micros() as f64 / 1e6),
        }
    }
}

/// A stretch of time over a length of pixels.
#[derive(Debug)]
pub(super) struct TimeScale<'a> {
    from: i64,
    to: i64,
    zone: &'a Zone,
    across: Across,
}

/// The distance of two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Seconds(i64),
    Days(i64),
    Months(i32),
}

const STEPS: [Step; 24] = [
    Step::Seconds(1),
    Step::Seconds(5),
    Step::Seconds(15),
    Step::Seconds(30),
    Step::Seconds(60),
    Step::Seconds(120),
    Step::Seconds(300),
    Step::Seconds(600),
    Step::Seconds(900),
    Step::Seconds(1_800),
    Step::Seconds(3_600),
    Step::Seconds(10_800),
    Step::Seconds(21_600),
    Step::Seconds(43_200),
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
    Step::Months(60),
    Step::Months(600),
];

impl Step {
    fn micros(self) -> i64 {
        match self {
            Self::Seconds(n) => n * 1_000_000,
            Self::Days(n) => n * 86_400_000_000,
            Self::Months(n) => i64::from(n) * 2_629_746_000_000,
        }
    }

    /// The last tick that is not after a civil time.
    fn floor(self, at: DateTime) -> DateTime {
        match self {
            Self::Seconds(n) => {
                let midnight = at.date().at(0, 0, 0, 0);
                let since = at.duration_since(midnight).as_secs();
                let back = SignedDuration::from_secs(since - since.rem_euclid(n));
                midnight.checked_add(back).unwrap_or(midnight)
            }
            Self::Days(n) => {
                // Weeks are counted from a Monday.
                let first = Date::constant(1970, 1, 5);
                let days = first.duration_until(at.date()).as_hours() / 24;
                let back = days.rem_euclid(n);
                let date = at.date().checked_sub(back.days());
                date.unwrap_or(at.date()).at(0, 0, 0, 0)
            }
            Self::Months(n) => {
                let months = i32::from(at.year()) * 12 + i32::from(at.month()) - 1;
                let months = months - months.rem_euclid(n);
                month(months).unwrap_or(at.date()).at(0, 0, 0, 0)
            }
        }
    }

    fn next(self, at: DateTime) -> Option<DateTime> {
        match self {
            Self::Seconds(n) => at.checked_add(SignedDuration::from_secs(n)).ok(),
            Self::Days(n) => at.checked_add(n.days()).ok(),
            Self::Months(n) => at.checked_add(n.months()).ok(),
        }
    }
}

fn month(months: i32) -> Option<Date> {
    let year = i16::try_from(months.div_euclid(12)).ok()?;
    let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
    Date::new(year, month, 1).ok()
}

impl<'a> TimeScale<'a> {
    /// From the first to the last of some instants.
    pub(super) fn of(
        instants: impl Iterator<Item = Instant>,
        zone: &'a Zone,
        across: Across,
    ) -> Option<Self> {
        let span = instants.map(Instant::micros).fold(None, |span, at| {
            let (from, to) = span.unwrap_or((at, at));
            Some((at.min(from), at.max(to)))
        });
        let (from, to) = span?;
        Some(Self {
            from,
            to,
            zone,
            across,
        })
    }

    pub(super) fn x(&self, area: Area, at: Instant) -> f64 {
        if self.from == self.to {
            return area.x + area.width / 2.0;
        }
        let part = (at.micros() - self.from) as f64 / (self.to - self.from) as f64;
        area.x + part * area.width
    }

    /// The ticks that have room: where they are and what they say. The first says its year, and so does the first of a year.
    fn ticks(&self, area: Area) -> Vec<(Instant, String)> {
        let room = (area.width / 72.0).floor().clamp(2.0, 12.0);
        if self.across != Across::Time {
            return self.numbers(room);
        }
        let span = (self.to - self.from) as f64;
        let fitting = STEPS.iter().find(|s| span / s.micros() as f64 <= room);
        let step = fitting.copied().unwrap_or(Step::Months(600));
        let at = |micros| self.zone.civil(Instant::saturating_from_micros(micros));
        let mut civil = step.floor(at(self.from));
        let mut ticks: Vec<(Instant, String)> = Vec::new();
        let mut before: Option<DateTime> = None;
        while ticks.len() < 64 {
            let instant = self.zone.instant(civil);
            if instant.micros() > self.to {
                break;
            }
            // A civil time that a change of the clock leaves out, or has twice, is one tick.
            if instant.micros() >= self.from && ticks.last().is_none_or(|t| t.0 < instant) {
                ticks.push((instant, label(step, civil, before)));
                before = Some(civil);
            }
            let Some(next) = step.next(civil) else { break };
            civil = next;
        }
        ticks
    }

    /// The ticks at round numbers.
    fn numbers(&self, room: f64) -> Vec<(Instant, String)> {
        let span = self.to.saturating_sub(self.from) as f64;
        let mut step: i64 = 1;
        for factor in [2, 5, 10].into_iter().cycle() {
            if span / step as f64 <= room || step > i64::MAX / 20 {
                break;
            }
            // From 1 on: 2, 5, 10, 20, 50 and so on.
            step = match factor {
                5 => step / 2 * 5,
                _ => step * 2,
            };
        }
        let first = self.from.div_euclid(step) * step;
        let each = (0..64).map(|i| first.saturating_add(step.saturating_mul(i)));
        let within = each.filter(|at| (self.from..=self.to).contains(at));
        let tick = |at: i64| {
            let at = Instant::saturating_from_micros(at);
            (at, self.across.says(at, self.zone))
        };
        within.map(tick).collect()
    }

    /// Draws the ticks below an area.
    pub(super) fn columns(&self, canvas: &mut Canvas, area: Area) {
        let mut free = f64::NEG_INFINITY;
        for (at, label) in self.ticks(area) {
            let x = self.x(area, at);
            let (y, width) = (area.bottom(), Type::SMALL.width(&label));
            canvas.line((x, y), (x, y + 4.0), Paint::stroke(Role::Other, 1.0));
            let left = (x - width / 2.0).clamp(0.0, canvas.width() - width - 4.0);
            if left >= free {
                let middle = left + width / 2.0;
                canvas.text(middle, y + 18.0, &label, Type::SMALL.at(Anchor::Middle));
                free = left + width + 8.0;
            }
        }
    }
}

/// What a tick says, after the one before it.
fn label(step: Step, at: DateTime, before: Option<DateTime>) -> String {
    let new_year = before.is_none_or(|b| b.year() != at.year());
    let new_day = before.is_none_or(|b| b.date() != at.date());
    let date = at.date();
    match step {
        Step::Seconds(n) if !new_day => {
            let format = if n < 60 { "%H:%M:%S" } else { "%H:%M" };
            at.strftime(format).to_string()
        }
        // The day stands where it begins, and at the first tick.
        Step::Seconds(_) if at.hour() == 0 && at.minute() == 0 => day(date, false),
        Step::Seconds(_) => format!("{}, {}", day(date, false), at.strftime("%H:%M")),
        Step::Days(_) => day(date, new_year),
        Step::Months(n) if n >= 12 => date.year().to_string(),
        Step::Months(_) if new_year => date.strftime("%b %Y").to_string(),
        Step::Months(_) => date.strftime("%b").to_string(),
    }
}

/// A day as people write it: `3 Jun`, with the year `3 Jun 2026`.
fn day(date: Date, year: bool) -> String {
    let format = if year { "%-d %b %Y" } else { "%-d %b" };
    date.strftime(format).to_string()
}

/// An instant in a zone as people write it: its day, and its time where that is not midnight.
pub(crate) fn moment(at: Instant, zone: &Zone) -> String {
    let civil = zone.civil(at);
    let day = day(civil.date(), true);
    let time = civil.time();
    if time == jiff::civil::Time::midnight() {
        day
    } else if time.second() == 0 {
        format!("{day}, {}", time.strftime("%H:%M"))
    } else {
        format!("{day}, {}", time.strftime("%H:%M:%S"))
    }
}

/// A range in a zone as people write it, with its last day in it: `1 Jun 2026 to 30 Jun 2026, Europe/Paris`.
pub(crate) fn range(from: Instant, to: Instant, zone: &Zone) -> String {
    let last = Instant::saturating_from_micros(to.micros() - 1);
    let whole = |at: Instant| zone.start_of(zone.date(at)) == at;
    let name = zone.name();
    if whole(from) && whole(to) && from < to {
        let (first, last) = (moment(from, zone), day(zone.date(last), true));
        if first == last {
            format!("{first}, {name}")
        } else {
            format!("{first} to {last}, {name}")
        }
    } else {
        format!(
            "{} to before {}, {name}",
            moment(from, zone),
            moment(to, zone)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from: &str, to: &str, zone: &str) -> Vec<String> {
        let zone = Zone::named(zone).unwrap();
        let ends = [from.parse().unwrap(), to.parse().unwrap()];
        let scale = TimeScale::of(ends.into_iter(), &zone, Across::Time).unwrap();
        let area = Area {
            x: 0.0,
            y: 0.0,
            width: 600.0,
            height: 100.0,
        };
        scale.ticks(area).into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn ticks_stand_at_round_civil_times() {
        assert_eq!(
            labels("2026-01-15T00:00:00Z", "2027-02-15T00:00:00Z", "UTC"),
            ["Apr 2026", "Jul", "Oct", "Jan 2027"]
        );
        assert_eq!(
            labels("2026-06-01T00:00:00Z", "2026-06-30T00:00:00Z", "UTC"),
            ["1 Jun 2026", "8 Jun", "15 Jun", "22 Jun", "29 Jun"]
        );
        assert_eq!(
            labels("2026-06-01T09:57:00Z", "2026-06-01T10:12:00Z", "UTC"),
            [
                "1 Jun, 09:58",
                "10:00",
                "10:02",
                "10:04",
                "10:06",
                "10:08",
                "10:10",
                "10:12"
            ]
        );
    }

    #[test]
    fn days_of_a_changed_clock_are_as_long_as_they_are() {
        let zone = Zone::named("Europe/Paris").unwrap();
        let paris = labels(
            "2024-03-29T23:00:00Z",
            "2024-04-01T22:00:00Z",
            "Europe/Paris",
        );
        assert_eq!(paris.first().map(String::as_str), Some("30 Mar"));
        assert!(paris.contains(&"31 Mar".to_owned()) && paris.contains(&"1 Apr".to_owned()));
        let noon: Instant = "2024-03-31T10:00:00Z".parse().unwrap();
        assert_eq!(moment(noon, &zone), "31 Mar 2024, 12:00");
        let from: Instant = "2024-03-30T23:00:00Z".parse().unwrap();
        let to: Instant = "2024-04-02T22:00:00Z".parse().unwrap();
        assert_eq!(
            range(from, to, &zone),
            "31 Mar 2024 to 2 Apr 2024, Europe/Paris"
        );
        assert_eq!(
            range(from, noon, &zone),
            "31 Mar 2024 to before 31 Mar 2024, 12:00, Europe/Paris"
        );
    }
}
