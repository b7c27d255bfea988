//! The history of a prediction: one pass over all users, a number for each bucket that has wholly passed.

use super::question::{Prediction, Predictive};
use crate::error::Result;
use crate::events::Catalogue;
use crate::query::calendar::Bucket;
use crate::query::{Calendar, Instant, Segment, Selector, WeekStart};
use crate::timeline::{Members, Timeline, View};

const DAY: i64 = 86_400_000_000;

/// Weeks without activity that make a user of the week before them churned.
const AWAY: usize = 4;

/// The buckets that are known, in order, with their values; none where a share has nobody to be of.
pub(super) type History = Vec<(Bucket, Option<f64>)>;

/// What one pass adds up, by bucket.
#[derive(Debug, Default)]
struct Sums {
    counts: Vec<u64>,
    of: Vec<u64>,
    worth: Vec<i128>,
    fault: Option<crate::error::Error>,
}

/// The history of a segment.
pub(super) fn history(
    asked: &Predictive,
    segment: Segment,
    catalogue: &Catalogue,
    view: &View<'_>,
) -> Result<History> {
    let span = asked.range.span();
    let after = Instant::saturating_from_micros(view.as_of.micros().saturating_add(1));
    let weekly = asked.prediction == Prediction::ChurnRate;
    // The weeks after the last decide who is churned of it.
    let room = if weekly {
        (7 * AWAY as i64 + 7) * DAY
    } else {
        0
    };
    let until = Instant::saturating_from_micros(span.to.micros() + room).min(after);
    let until = until.max(Instant::saturating_from_micros(span.from.micros() + 1));
    let calendar = Calendar::new(
        &asked.range.zone,
        asked.prediction.period(),
        WeekStart::default(),
        span.from,
        until,
    )?;
    let buckets = calendar.buckets();
    let members = Members::new(segment, span, view);
    let features: Vec<Selector> = match &asked.feature {
        Some(feature) => vec![Selector::Event(feature.clone())],
        None => catalogue
            .features
            .iter()
            .cloned()
            .map(Selector::Event)
            .collect(),
    };
    let meant: Vec<Option<Vec<bool>>> = match asked.prediction {
        Prediction::FeatureAdoption => features
            .iter()
            .map(|f| view.timelines.matching(f))
            .collect(),
        Prediction::DemandForecast => {
            vec![
                view.timelines
                    .matching(&Selector::AnyOf(catalogue.conversions.clone())),
            ]
        }
        _ => Vec::new(),
    };
    let pass = Pass {
        asked,
        calendar: &calendar,
        meant: &meant,
        view,
        buckets: buckets.len(),
    };
    let empty = || Sums {
        counts: vec![0; buckets.len()],
        of: vec![0; buckets.len()],
        worth: vec![0; buckets.len()],
        fault: None,
    };
    let user = |sums: &mut Sums, t: Timeline<'_>| {
        if members.hold(&t) {
            pass.user(sums, &t);
        }
    };
    let sums = view.fold(empty, user, merged)?;
    if let Some(fault) = sums.fault {
        return Err(fault);
    }
    let known = |i: usize| {
        let last = buckets.get(i + if weekly { AWAY } else { 0 });
        last.is_some_and(|last| last.end <= view.as_of)
    };
    let whole = |b: &Bucket| b.start >= span.from && b.end <= span.to && b.start < b.end;
    let each = buckets
        .iter()
        .enumerate()
        .filter(|(i, b)| whole(b) && known(*i));
    let value = |i: usize| {
        let count = sums.counts.get(i).copied().unwrap_or_default() as f64;
        match asked.prediction {
            // 10^-12 of the base currency.
            Prediction::Revenue => sums.worth.get(i).map(|w| *w as f64 / 1e12),
            Prediction::ChurnRate => match sums.of.get(i) {
                Some(0) | None => None,
                Some(of) => Some(count / *of as f64),
            },
            _ => Some(count),
        }
    };
    Ok(each.map(|(i, b)| (*b, value(i))).collect())
}

fn merged(mut a: Sums, b: Sums) -> Sums {
    let add = |to: &mut [u64], from: &[u64]| to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
    add(&mut a.counts, &b.counts);
    add(&mut a.of, &b.of);
    for (to, from) in a.worth.iter_mut().zip(&b.worth) {
        *to = to.saturating_add(*from);
    }
    a.fault = a.fault.or(b.fault);
    a
}

struct Pass<'a> {
    asked: &'a Predictive,
    calendar: &'a Calendar,
    meant: &'a [Option<Vec<bool>>],
    view: &'a View<'a>,
    buckets: usize,
}

impl Pass<'_> {
    /// Takes one user in.
    fn user(&self, sums: &mut Sums, t: &Timeline<'_>) {
        let one = |counts: &mut [u64], at: i64| {
            let cell = self.calendar.locate(at).and_then(|i| counts.get_mut(i));
            cell.into_iter().for_each(|c| *c += 1);
        };
        let named = |names: &Option<Vec<bool>>, name: u16| {
            names
                .as_ref()
                .is_none_or(|n| n.get(usize::from(name)) == Some(&true))
        };
        match self.asked.prediction {
            Prediction::UserGrowth => {
                if let Some(first) = t.ts.first() {
                    one(&mut sums.counts, *first);
                }
            }
            Prediction::DemandForecast => {
                for names in self.meant {
                    for (at, _) in t.ts.iter().zip(t.name).filter(|e| named(names, *e.1)) {
                        one(&mut sums.counts, *at);
                    }
                }
            }
            Prediction::FeatureAdoption => {
                for names in self.meant {
                    if let Some((at, _)) = t.ts.iter().zip(t.name).find(|e| named(names, *e.1)) {
                        one(&mut sums.counts, *at);
                    }
                }
            }
            Prediction::Revenue => self.revenue(sums, t),
            Prediction::ChurnRate => self.churn(sums, t),
        }
    }

    fn revenue(&self, sums: &mut Sums, t: &Timeline<'_>) {
        let amounts = match self.view.columns.amounts() {
            Ok(amounts) => amounts,
            Err(fault) => {
                sums.fault = Some(fault);
                return;
            }
        };
        for (at, row) in t.ts.iter().zip(t.row) {
            let Some(i) = self.calendar.locate(*at) else {
                continue;
            };
            match amounts.worth(*row) {
                Ok(worth) => {
                    let cell = sums.worth.get_mut(i).into_iter();
                    cell.for_each(|c| *c = c.saturating_add(worth.unwrap_or_default()));
                }
                Err(fault) => {
                    sums.fault = Some(fault);
                    return;
                }
            }
        }
    }

    /// Counts the weeks of a user, and those after which the user stays away for four.
    fn churn(&self, sums: &mut Sums, t: &Timeline<'_>) {
        let mut weeks: Vec<usize> =
            t.ts.iter()
                .filter_map(|at| self.calendar.locate(*at))
                .collect();
        weeks.sort_unstable();
        weeks.dedup();
        for (i, week) in weeks.iter().enumerate() {
            let next = weeks.get(i + 1).copied().unwrap_or(self.buckets + AWAY + 1);
            if let (Some(of), Some(count)) = (sums.of.get_mut(*week), sums.counts.get_mut(*week)) {
                *of += 1;
                *count += u64::from(next - week > AWAY);
            }
        }
    }
}
