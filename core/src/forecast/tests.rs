//! The models against known values, and forecasts of every kind of series.

use super::batch::forecasts;
use super::calendar::holidays;
use super::interval::{Kind, Spread, quantile, t4};
use super::model::base::Base;
use super::model::seasonal::SeasonalTheta;
use super::model::sparse::{croston, tsb};
use super::series::{Forecast, Options, Series, forecast};
use super::*;

/// The flow of the Nile at Aswan, 1871 to 1970, in 10^8 m³ (Cobb 1978; the data set `Nile` of R).
const NILE: [f64; 100] = [
    1120., 1160., 963., 1210., 1160., 1160., 813., 1230., 1370., 1140., 995., 935., 1110., 994.,
    1020., 960., 1180., 799., 958., 1140., 1100., 1210., 1150., 1250., 1260., 1220., 1030., 1100.,
    774., 840., 874., 694., 940., 833., 701., 916., 692., 1020., 1050., 969., 831., 726., 456.,
    824., 702., 1120., 1100., 832., 764., 821., 768., 845., 864., 862., 698., 845., 744., 796.,
    1040., 759., 781., 865., 845., 944., 984., 897., 822., 1010., 771., 676., 649., 846., 812.,
    742., 801., 1040., 860., 874., 848., 890., 744., 749., 838., 1050., 918., 986., 797., 923.,
    975., 815., 1020., 906., 901., 1170., 912., 746., 919., 718., 714., 740.,
];

/// International airline passengers, 1949 to 1960, in thousands (Box and Jenkins 1976; `AirPassengers` of R).
const AIR: [f64; 144] = [
    112., 118., 132., 129., 121., 135., 148., 148., 136., 119., 104., 118., 115., 126., 141., 135.,
    125., 149., 170., 170., 158., 133., 114., 140., 145., 150., 178., 163., 172., 178., 199., 199.,
    184., 162., 146., 166., 171., 180., 193., 181., 183., 218., 230., 242., 209., 191., 172., 194.,
    196., 196., 236., 235., 229., 243., 264., 272., 237., 211., 180., 201., 204., 188., 235., 227.,
    234., 264., 302., 293., 259., 229., 203., 229., 242., 233., 267., 269., 270., 315., 364., 347.,
    312., 274., 237., 278., 284., 277., 317., 313., 318., 374., 413., 405., 355., 306., 271., 306.,
    315., 301., 356., 348., 355., 422., 465., 467., 404., 347., 305., 336., 340., 318., 362., 348.,
    363., 435., 491., 505., 404., 359., 310., 337., 360., 342., 406., 396., 420., 472., 548., 559.,
    463., 407., 362., 405., 417., 391., 419., 461., 472., 535., 622., 606., 508., 461., 390., 432.,
];

/// A generator without seed of its own: the same numbers always.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal, by the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

fn whole(values: &[f64]) -> Series {
    Series {
        id: "x".to_owned(),
        times: (0..values.len() as i64).collect(),
        values: values.to_vec(),
        regressors: Vec::new(),
    }
}

fn options(horizon: usize, seasons: &[usize]) -> Options {
    Options {
        horizon,
        seasons: Some(seasons.to_vec()),
        integers: true,
        ..Options::default()
    }
}

#[test]
fn simple_smoothing_of_the_nile_is_as_r_says() {
    // R: HoltWinters(Nile, gamma = FALSE, beta = FALSE) has alpha 0.2465796 and ends at 805.0389.
    let base = Base::fit(&NILE, 1);
    let (_, simple) = base
        .pool
        .iter()
        .find(|(_, e)| e.form.name() == "ETS(A,N,N)")
        .unwrap();
    assert!((simple.alpha - 0.2466).abs() < 0.02, "{}", simple.alpha);
    let mut next = [0.0; 3];
    simple.forecast(&mut next);
    assert!(next.iter().all(|f| (f - 805.04).abs() < 4.0), "{next:?}");
}

#[test]
fn the_level_of_the_nile_falls_after_1898() {
    // The break that Cobb (1978) found: the 28 years to 1898 lie about 250 higher than those after.
    let noise = 127.0 * 127.0;
    assert_eq!(
        super::clean::pelt(&NILE, 8, 3.0 * noise * 100_f64.ln()),
        [28]
    );
}

#[test]
fn theta_of_a_line_draws_the_line_on() {
    let line: Vec<f64> = (0..40).map(|t| 10.0 + 2.0 * f64::from(t)).collect();
    let mut next = [0.0; 5];
    SeasonalTheta::fit(&line, 1).unwrap().forecast(&mut next);
    for (h, f) in next.iter().enumerate() {
        assert!((f - (90.0 + 2.0 * h as f64)).abs() < 0.5, "{next:?}");
    }
}

#[test]
fn airline_passengers_of_1960_are_foretold_from_the_years_before() {
    let made = forecast(&whole(&AIR[..132]), &options(12, &[12]));
    let off: f64 = made
        .mean
        .iter()
        .zip(&AIR[132..])
        .map(|(f, y)| (f - y).abs() / y)
        .sum::<f64>()
        / 12.0;
    let naive: f64 = AIR[120..132]
        .iter()
        .zip(&AIR[132..])
        .map(|(f, y)| (f - y).abs() / y)
        .sum::<f64>()
        / 12.0;
    assert!(off < 0.5 * naive && off < 0.05, "{off} {naive}");
    let inside = (0..12).filter(|h| {
        let (low, high) = made.interval(*h, 95.0);
        (low..=high).contains(&AIR[132 + h])
    });
    assert!(inside.count() >= 10);
}

#[test]
fn sparse_demand_by_hand() {
    // Sizes 4, 2 and gaps 2, 3 with α = 0.5: size 4 → 3, gap 2 → 2.5; (1 − 0.25) · 3 / 2.5 = 0.9.
    assert_eq!(croston(&[0.0, 4.0, 0.0, 0.0, 2.0], 0.5), Some(0.9));
    assert_eq!(croston(&[0.0; 5], 0.5), None);
    // Mean size 3, chance 2/4; then 0: 0.25; 4: size 3.5, chance 0.625; 0: 0.3125; 2: 2.75, 0.65625.
    assert_eq!(
        tsb(&[0.0, 4.0, 0.0, 2.0], 0.5, 0.5, |_, _| {}),
        2.75 * 0.656_25
    );
}

#[test]
fn quantiles_are_those_of_the_tables() {
    // Student's t with 4 degrees of freedom.
    for (p, t) in [
        (0.5, 0.0),
        (0.9, 1.533_206),
        (0.975, 2.776_445),
        (0.995, 4.604_095),
    ] {
        assert!((t4(p) - t).abs() < 1e-5 && (t4(1.0 - p) + t).abs() < 1e-5);
    }
    // Poisson of mean 3: P(X ≤ 6) = 0.9665, P(X ≤ 7) = 0.9881, P(X = 0) = 0.0498.
    assert_eq!(quantile(3.0, Spread::default(), Kind::Count, 0.975), 7.0);
    assert_eq!(quantile(3.0, Spread::default(), Kind::Count, 0.025), 0.0);
}

#[test]
fn holidays_fall_on_the_days_of_the_calendar() {
    let days = |country: &str, name: &str, year| -> Vec<String> {
        let all = holidays(country).unwrap().iter().filter(|h| h.0 == name);
        let of_year = all.filter_map(|(_, rule)| rule.of(year));
        of_year.map(|day| day.to_string()).collect()
    };
    let day = |country: &str, name: &str, year| days(country, name, year).concat();
    for (country, name, year, expected) in [
        ("DE", "Easter Monday", 2024, "2024-04-01"),
        ("DE", "Easter Monday", 2026, "2026-04-06"),
        ("GR", "Easter Monday", 2024, "2024-05-06"),
        ("GR", "Easter Monday", 2025, "2025-04-21"),
        ("US", "Thanksgiving", 2025, "2025-11-27"),
        ("US", "Memorial Day", 2026, "2026-05-25"),
        ("US", "Juneteenth", 2020, ""),
        ("NL", "King's Day", 2025, "2025-04-26"),
        ("NL", "King's Day", 2026, "2026-04-27"),
        ("GR", "Labour Day", 2024, "2024-05-07"),
        ("GR", "Labour Day", 2025, "2025-05-01"),
        ("JP", "Emperor's Birthday", 2018, "2018-12-232018-12-24"),
        ("JP", "Emperor's Birthday", 2019, ""),
        ("IE", "Saint Brigid", 2024, "2024-02-05"),
        ("IE", "Saint Brigid", 2030, "2030-02-01"),
        ("DK", "Great Prayer Day", 2023, "2023-05-05"),
        ("DK", "Great Prayer Day", 2024, ""),
        ("PL", "Christmas Eve", 2024, ""),
        ("PL", "Christmas Eve", 2025, "2025-12-24"),
        ("CA", "Victoria Day", 2026, "2026-05-18"),
        ("GB", "Summer", 2025, "2025-08-25"),
        ("SE", "Midsummer Day", 2026, "2026-06-20"),
        ("FR", "Ascension", 2026, "2026-05-14"),
        ("JP", "Vernal Equinox", 2025, "2025-03-20"),
        ("JP", "Autumnal Equinox", 2025, "2025-09-23"),
        ("AU", "Australia Day", 2025, "2025-01-27"),
        ("BR", "Carnival", 2026, "2026-02-17"),
    ] {
        assert_eq!(
            day(country, name, year),
            expected,
            "{country} {name} {year}"
        );
    }
    assert!(countries().len() >= 20);
    for (country, name, year, expected) in [
        ("US", "Juneteenth", 2027, &["2027-06-19", "2027-06-18"][..]),
        ("US", "New Year", 2022, &["2022-01-01", "2021-12-31"]),
        (
            "US",
            "Independence Day",
            2026,
            &["2026-07-04", "2026-07-03"],
        ),
        ("US", "Independence Day", 2025, &["2025-07-04"]),
        ("GB", "Christmas", 2021, &["2021-12-25", "2021-12-27"]),
        (
            "GB",
            "Second day of Christmas",
            2021,
            &["2021-12-26", "2021-12-28"],
        ),
        (
            "GB",
            "Second day of Christmas",
            2020,
            &["2020-12-26", "2020-12-28"],
        ),
        (
            "GB",
            "Second day of Christmas",
            2022,
            &["2022-12-26", "2022-12-27"],
        ),
        ("GB", "Second day of Christmas", 2024, &["2024-12-26"]),
        ("ZA", "Youth Day", 2024, &["2024-06-16", "2024-06-17"]),
        ("JP", "Constitution Day", 2025, &["2025-05-03"]),
    ] {
        assert_eq!(
            days(country, name, year),
            expected,
            "{country} {name} {year}"
        );
    }
}

fn check(made: &Forecast, name: &str) {
    for h in 0..made.mean.len() {
        let mean = made.mean[h];
        assert!(mean.is_finite(), "{name}: {mean}");
        let mut last: Option<(f64, f64)> = None;
        for level in [0.1, 50.0, 80.0, 95.0, 99.9] {
            let (low, high) = made.interval(h, level);
            assert!(
                low.is_finite() && high.is_finite(),
                "{name} {level}: {low} {high}"
            );
            assert!(
                low <= mean && mean <= high,
                "{name} {level}: {low} {mean} {high}"
            );
            if let Some((l, u)) = last {
                assert!(low <= l && u <= high, "{name} {level}");
            }
            last = Some((low, high));
        }
        let (low, high) = last.unwrap();
        match made.kind {
            Kind::Count => assert!(low >= 0.0 && low.fract() == 0.0, "{name}: {low}"),
            Kind::Amount => assert!(low >= 0.0, "{name}: {low}"),
            Kind::Share => assert!(low >= 0.0 && high <= 1.0, "{name}: {low} {high}"),
            Kind::Value => {}
        }
    }
}

#[test]
fn every_series_gets_an_answer() {
    let mut chance = Chance(7);
    let noise: Vec<f64> = (0..60).map(|_| chance.normal()).collect();
    let mut cases: Vec<(&str, Vec<f64>)> = vec![
        ("zeros", vec![0.0; 50]),
        ("constant", vec![7.25; 50]),
        ("one", vec![3.0]),
        ("two", vec![3.0, 5.0]),
        ("three", vec![3.0, 5.0, 4.0]),
        ("four", vec![1.0, 2.0, 3.0, 4.0]),
        ("five", vec![1.0, 2.0, 3.0, 4.0, 5.0]),
        ("six", vec![1.0, 2.0, 3.0, 4.0, 5.0, 9.0]),
        (
            "missing",
            vec![
                f64::NAN,
                1.5,
                f64::NAN,
                2.0,
                f64::INFINITY,
                1.0,
                1.2,
                f64::NAN,
            ],
        ),
        ("negative", noise.iter().map(|x| -100.0 + x).collect()),
        ("huge", noise.iter().map(|x| 1e140 * (2.0 + x)).collect()),
        ("tiny", noise.iter().map(|x| 1e-140 * (9.0 + x)).collect()),
        ("signs", noise.iter().map(|x| 1e12 * x).collect()),
        (
            "step",
            (0..60).map(|t| if t < 30 { 1.0 } else { 1e6 }).collect(),
        ),
        (
            "spike",
            (0..60).map(|t| if t == 57 { 1e9 } else { 1.0 }).collect(),
        ),
        ("exponential", (0..60).map(|t| 1.5_f64.powi(t)).collect()),
        ("alternating", (0..61).map(|t| f64::from(t % 2)).collect()),
        (
            "sparse",
            (0..60)
                .map(|t| if t % 9 == 0 { 3.0 } else { 0.0 })
                .collect(),
        ),
    ];
    for length in [5, 6, 7, 11, 13, 25, 49] {
        cases.push(("noise", noise[..length.min(60)].to_vec()));
    }
    for (name, values) in &cases {
        for seasons in [&[][..], &[4], &[7], &[12], &[24, 168]] {
            for kind in [None, Some(Kind::Value)] {
                let asked = Options {
                    kind,
                    ..options(9, seasons)
                };
                check(&forecast(&whole(values), &asked), name);
            }
        }
    }
    let nothing = forecast(&whole(&[f64::NAN; 4]), &options(3, &[]));
    assert!(nothing.mean.iter().all(|m| m.is_nan()));
    let shares: Vec<f64> = noise
        .iter()
        .map(|x| (0.5 + 0.2 * x).clamp(0.0, 1.0))
        .collect();
    let asked = Options {
        kind: Some(Kind::Share),
        ..options(9, &[])
    };
    check(&forecast(&whole(&shares), &asked), "shares");
}

#[test]
fn intervals_of_simulated_series_cover_what_they_say() {
    let mut chance = Chance(11);
    let (mut inside, mut all) = (0, 0);
    for _ in 0..60 {
        let mut level = 100.0;
        let walk = |chance: &mut Chance, t: usize, level: &mut f64| {
            *level += 0.5 * chance.normal();
            *level + 5.0 * (std::f64::consts::TAU * t as f64 / 12.0).sin() + 2.0 * chance.normal()
        };
        let values: Vec<f64> = (0..96).map(|t| walk(&mut chance, t, &mut level)).collect();
        let made = forecast(&whole(&values[..90]), &options(6, &[12]));
        for h in 0..6 {
            let (low, high) = made.interval(h, 95.0);
            inside += usize::from((low..=high).contains(&values[90 + h]));
            all += 1;
        }
    }
    let covered = f64::from(inside as u32) / f64::from(all as u32);
    assert!(
        all >= 200 && (0.92..=0.99).contains(&covered),
        "{covered} of {all}"
    );
}

#[test]
fn a_batch_is_the_same_on_any_number_of_threads() {
    let mut chance = Chance(3);
    let series: Vec<Series> = (0..40)
        .map(|i| Series {
            id: i.to_string(),
            ..whole(
                &(0..60)
                    .map(|_| 50.0 + chance.normal())
                    .collect::<Vec<f64>>(),
            )
        })
        .collect();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| forecasts(&series, &options(12, &[12])))
    };
    assert_eq!(on(1), on(3));
}

const DAY: i64 = 86_400_000_000;

fn daily(values: impl Iterator<Item = f64>) -> Series {
    // 2024-01-01 was a Monday.
    let start = 19_723;
    let values: Vec<f64> = values.collect();
    Series {
        id: "d".to_owned(),
        times: (0..values.len() as i64)
            .map(|t| (start + t) * DAY)
            .collect(),
        values,
        regressors: Vec::new(),
    }
}

#[test]
fn later_rows_never_change_an_earlier_forecast() {
    let mut chance = Chance(5);
    let all = daily((0..120).map(|t| 100.0 + 10.0 * f64::from(t % 7) + chance.normal()));
    let asked = |as_of| Options {
        horizon: 14,
        as_of,
        ..Options::default()
    };
    // Day 100 is over when day 101 begins.
    let as_of = Some(all.times[101]);
    let mut changed = all.clone();
    for value in &mut changed.values[102..] {
        *value = 1e6;
    }
    let made = forecast(&all, &asked(as_of));
    let mut other = forecast(&changed, &asked(as_of));
    assert_eq!(made.notes.future, 18);
    other.notes.future = made.notes.future;
    assert_eq!(made, other);
    let mut known = all.clone();
    known.times.truncate(101);
    known.values.truncate(101);
    let alone = forecast(&known, &asked(None));
    assert_eq!((alone.times, alone.mean), (made.times, made.mean));
}

#[test]
fn a_backtest_knows_nothing_of_what_it_foretells() {
    let mut chance = Chance(9);
    let all = daily((0..200).map(|t| 100.0 + 10.0 * f64::from(t % 7) + chance.normal()));
    let asked = Options {
        horizon: 7,
        ..Options::default()
    };
    let tests = backtests(std::slice::from_ref(&all), &asked, 4, 7);
    assert_eq!((tests[0].origins, tests[0].points), (4, 28));
    let mase = tests[0].model.mase.unwrap();
    assert!(mase < 1.0, "{mase}");
    // What comes after an origin does not move what was forecast at it.
    let mut changed = all.clone();
    for value in &mut changed.values[193..] {
        *value *= 3.0;
    }
    let other = backtests(&[changed], &asked, 4, 7);
    let early = |t: &Backtest| {
        let rows = t.rows.iter().filter(|r| r.origin < all.times[192]);
        rows.map(|r| r.mean).collect::<Vec<f64>>()
    };
    assert_eq!(early(&tests[0]), early(&other[0]));
}

#[test]
fn the_grid_understands_gaps_months_and_closed_days() {
    // Weekends without a row are no periods, a missing Wednesday is unknown.
    let open = |t: &i64| !matches!((19_723 + t).rem_euclid(7), 2 | 3) && *t != 30;
    let rows: Vec<i64> = (0..60).filter(open).collect();
    let series = Series {
        id: "shop".to_owned(),
        times: rows.iter().map(|t| (19_723 + t) * DAY).collect(),
        values: rows.iter().map(|t| 50.5 + (t % 7) as f64).collect(),
        regressors: Vec::new(),
    };
    let made = forecast(
        &series,
        &Options {
            horizon: 10,
            ..Options::default()
        },
    );
    assert_eq!(made.notes.gaps, Some(Gaps::Closed));
    assert_eq!(
        (made.notes.seasons.clone(), made.notes.filled),
        (vec![5], 1)
    );
    let weekend = |t: &&i64| matches!(t.div_euclid(DAY).rem_euclid(7), 2 | 3);
    assert_eq!(made.times.iter().filter(weekend).count(), 0);

    // Month ends stay month ends.
    let ends = ["2025-10-31", "2025-11-30", "2025-12-31", "2026-01-31"];
    let at = |d: &str| {
        micros(
            d.parse::<jiff::civil::Date>()
                .unwrap()
                .to_datetime(jiff::civil::Time::midnight()),
        )
    };
    let series = Series {
        id: "m".to_owned(),
        times: ends.iter().map(|d| at(d)).collect(),
        values: vec![1.5, 2.0, 2.5, 3.0],
        regressors: Vec::new(),
    };
    let made = forecast(
        &series,
        &Options {
            horizon: 2,
            ..Options::default()
        },
    );
    assert_eq!(made.times, ["2026-02-28", "2026-03-31"].map(at));
    assert!(made.notes.short);

    // Rows of one day are one day; days without orders are days of none.
    let orders = Series {
        id: "o".to_owned(),
        times: [0, 0, 1, 5, 6, 7]
            .map(|t| (19_723 + t) * DAY + 3_600_000_000)
            .to_vec(),
        values: vec![1.0, 2.0, 1.0, 4.0, 1.0, 2.0],
        regressors: Vec::new(),
    };
    let asked = Options {
        horizon: 2,
        frequency: Some(Frequency::Days),
        ..Options::default()
    };
    let made = forecast(&orders, &asked);
    assert_eq!(
        made.history.iter().map(|h| h.1).collect::<Vec<_>>(),
        [3.0, 1.0, 0.0, 0.0, 0.0, 4.0, 1.0, 2.0]
    );
    assert_eq!(
        (made.notes.gaps, made.notes.repeated),
        (Some(Gaps::Zero), 1)
    );
}

#[test]
fn a_holiday_is_learnt_and_foretold() {
    let mut chance = Chance(21);
    let easter: Vec<i64> = [2023, 2024, 2025, 2026]
        .map(|y| {
            let day = holidays("DE")
                .unwrap()
                .iter()
                .find(|h| h.0 == "Good Friday")
                .unwrap()
                .1
                .of(y)
                .unwrap();
            micros(day.to_datetime(jiff::civil::Time::midnight())) / DAY
        })
        .to_vec();
    // From 2022-01-01, a Saturday, to shortly before Good Friday of 2026.
    let start = 18_993;
    let days = easter[3] - 3 - start;
    let value = |t: i64, chance: &mut Chance| {
        let usual = 200.0 + 20.0 * (t.rem_euclid(7) as f64) + 3.0 * chance.normal();
        if easter.contains(&(start + t)) {
            0.5 * usual
        } else {
            usual
        }
    };
    let values: Vec<f64> = (0..days).map(|t| value(t, &mut chance) + 0.001).collect();
    let series = Series {
        id: "h".to_owned(),
        times: (0..days).map(|t| (start + t) * DAY).collect(),
        values,
        regressors: Vec::new(),
    };
    let asked = |country: Option<&str>| Options {
        horizon: 10,
        country: country.map(str::to_owned),
        ..Options::default()
    };
    let without = forecast(&series, &asked(None));
    let with = forecast(&series, &asked(Some("DE")));
    let effect = with
        .notes
        .effects
        .iter()
        .find(|e| e.name == "Good Friday")
        .unwrap();
    assert!((effect.size + 0.5).abs() < 0.15, "{}", effect.size);
    assert!(
        with.mean[3] < 0.7 * without.mean[3],
        "{} {}",
        with.mean[3],
        without.mean[3]
    );
}

#[test]
fn intervals_of_clean_days_hold_what_they_say_and_are_no_wider() {
    // Weekdays and noise of a normal distribution, of which nothing more can be known.
    let mut chance = Chance(5);
    let day = 86_400_000_000;
    let series: Vec<Series> = (0..12)
        .map(|n| Series {
            id: n.to_string(),
            times: (0..220).map(|i| (20_000 + i) * day).collect(),
            values: (0..220)
                .map(|i| 100.0 + if i % 7 < 2 { 20.0 } else { 0.0 } + 10.0 * chance.normal())
                .collect(),
            ..Series::default()
        })
        .collect();
    let options = Options {
        horizon: 7,
        kind: Some(Kind::Value),
        ..Options::default()
    };
    let (model, _) = super::backtest::pooled(&backtests(&series, &options, 5, 7));
    let (of80, of95) = (model.coverage80.unwrap(), model.coverage95.unwrap());
    assert!(of80 >= 0.77 && of95 >= 0.92, "{model:?}");
    // Widths are over the mean value; how often chance stays within them says less of so few values.
    let least = 2.0 * 1.96 * 10.0 / (100.0 + 20.0 * 2.0 / 7.0);
    assert!(model.width95.unwrap() < 1.3 * least, "{model:?}");
}

#[test]
fn bounds_of_errors_as_large_as_values_have_an_end() {
    // Two days of hours that fall to a hundredth and rise again, of which an hourly season is not yet known.
    let day = [
        180., 391., 195., 458., 1305., 983., 637., 295., 339., 93., 60., 14., 13., 21., 13., 13.,
        11., 21., 49., 115., 288., 519., 1040., 700., 731., 1226., 881., 364., 174., 345., 105.,
        78., 45., 37., 30., 16., 10., 11., 10., 15., 27., 35., 39., 84., 116., 90., 173., 182.,
    ];
    let made = forecast(&whole(&day), &options(48, &[24]));
    let (low, high) = made.interval(47, 95.0);
    assert!(high - low < 10.0 * 1_305.0, "{low} {high}");
}

/// A series of dates, with values that do not matter.
fn dated(dates: &[&str]) -> Vec<i64> {
    let at = |d: &&str| micros(d.parse::<jiff::civil::DateTime>().unwrap());
    dates.iter().map(at).collect()
}

/// So many times that a step of the calendar lies between.
fn spaced(first: &str, step: jiff::Span, n: i64) -> Vec<i64> {
    let first: jiff::civil::DateTime = first.parse().unwrap();
    (0..n)
        .map(|i| micros(first.checked_add(step.checked_mul(i).unwrap()).unwrap()))
        .collect()
}

#[test]
fn a_frequency_fits_all_rows_it_is_inferred_from() {
    use jiff::ToSpan as _;
    let infer = |times: &[i64]| Frequency::infer(times, false);
    let steps = |days: i64| Frequency::Steps(days * 86_400_000_000);
    let monday = "2022-01-03";
    for (step, wanted) in [
        (1.day(), Frequency::Days),
        (2.days(), steps(2)),
        (7.days(), Frequency::Weeks),
        (14.days(), steps(14)),
        (28.days(), steps(28)),
        (91.days(), steps(91)),
        (1.month(), Frequency::Months),
        (2.months(), Frequency::Every(2)),
        (3.months(), Frequency::Quarters),
        (6.months(), Frequency::Every(6)),
        (12.months(), Frequency::Years),
        (24.months(), Frequency::Every(24)),
    ] {
        for first in [monday, "2022-01-03T12:00", "2022-01-31", "2022-01-31T23:00"] {
            let times = spaced(first, step, 40);
            assert_eq!(infer(&times), wanted, "{step} from {first}");
            // A few that are missing change nothing.
            let some: Vec<i64> = times
                .iter()
                .enumerate()
                .filter(|(i, _)| i % 9 != 4)
                .map(|t| *t.1)
                .collect();
            assert_eq!(infer(&some), wanted, "{step} from {first} with gaps");
            // Every row has a period of its own, the next period follows on the last, and no period between has no row.
            let frequency = infer(&times);
            let anchor = *times.last().unwrap();
            let index: Vec<i64> = times.iter().map(|t| frequency.index(*t, anchor)).collect();
            assert!(
                index.windows(2).all(|w| w[1] - w[0] == 1),
                "{step} from {first}: {index:?}"
            );
            let next = frequency.time(frequency.index(anchor, anchor) + 1, anchor);
            assert_eq!(next, spaced(first, step, 41)[40], "{step} from {first}");
        }
    }
    // Midnights of Berlin written in UTC.
    let berlin = dated(&[
        "2024-01-31T23:00",
        "2024-02-29T23:00",
        "2024-03-31T22:00",
        "2024-04-30T22:00",
        "2024-05-31T22:00",
    ]);
    assert_eq!(infer(&berlin), Frequency::Months);
    let days = dated(&[
        "2024-03-28T23:00",
        "2024-03-29T23:00",
        "2024-03-30T23:00",
        "2024-03-31T22:00",
        "2024-04-01T22:00",
    ]);
    assert_eq!(infer(&days), Frequency::Days);
    // The last working days of months.
    let working = dated(&[
        "2024-01-31",
        "2024-02-29",
        "2024-03-29",
        "2024-04-30",
        "2024-05-31",
        "2024-06-28",
    ]);
    assert_eq!(infer(&working), Frequency::Months);
    // Days of which few have rows are days, and hours hours.
    let few = dated(&[
        "2024-01-01",
        "2024-01-05",
        "2024-01-06",
        "2024-01-09",
        "2024-01-20",
    ]);
    assert_eq!(infer(&few), Frequency::Days);
    let hours = spaced("2024-01-01T05:00", 1.hour(), 30);
    assert_eq!(infer(&hours), Frequency::Steps(3_600_000_000));
    for (name, wanted) in [
        ("2W", steps(14)),
        ("6M", Frequency::Every(6)),
        ("2Q", Frequency::Every(6)),
        ("12MS", Frequency::Years),
        ("7D", Frequency::Weeks),
        ("28D", steps(28)),
    ] {
        assert_eq!(Frequency::parse(name), Some(wanted), "{name}");
    }
    for name in ["0D", "9999999999999M", "2B", "-1D", "1.5H"] {
        assert_eq!(Frequency::parse(name), None, "{name}");
    }
}

#[test]
fn a_backtest_compares_each_forecast_with_its_own_day() {
    // Thirty working days, of which Fridays are higher; the first origins do not know yet that weekends have no rows.
    let days: Vec<i64> = (0..42)
        .map(|i| (19_723 + i) * DAY)
        .filter(|t| (t / DAY + 3) % 7 < 5)
        .collect();
    let friday = |t: i64| f64::from(u8::from((t / DAY + 3) % 7 == 4));
    let series = Series {
        id: "w".to_owned(),
        values: days
            .iter()
            .enumerate()
            .map(|(i, t)| 100.5 + i as f64 + 50.0 * friday(*t))
            .collect(),
        times: days,
        regressors: Vec::new(),
    };
    let asked = Options {
        horizon: 5,
        ..Options::default()
    };
    let tested = backtests(std::slice::from_ref(&series), &asked, 3, 5).remove(0);
    assert!(tested.origins == 3 && tested.points > 8, "{tested:?}");
    for row in &tested.rows {
        let cut = series.times.partition_point(|t| *t <= row.origin);
        let known = Series {
            times: series.times[..cut].to_vec(),
            values: series.values[..cut].to_vec(),
            ..series.clone()
        };
        let made = forecast(&known, &asked);
        let h = made.times.iter().position(|t| *t == row.time).unwrap();
        assert_eq!(made.mean[h].to_bits(), row.mean.to_bits(), "{row:?}");
    }
}

#[test]
fn nothing_that_comes_later_changes_a_backtest() {
    // A last value that is no count, one below 0, and a day of nothing after days without rows.
    let mut chance = Chance(3);
    let counts: Vec<f64> = (0..100)
        .map(|_| (20.0 + 4.0 * chance.normal()).round())
        .collect();
    let rows = |last: f64| Series {
        id: "c".to_owned(),
        times: (0..100)
            .filter(|i| i % 17 != 5)
            .map(|i| (19_723 + i) * DAY)
            .collect(),
        values: (0..100)
            .filter(|i| i % 17 != 5)
            .map(|i| if i == 99 { last } else { counts[i] })
            .collect(),
        regressors: Vec::new(),
    };
    let asked = Options {
        horizon: 7,
        ..Options::default()
    };
    let first = |last: f64| {
        let tested = backtests(&[rows(last)], &asked, 4, 7).remove(0);
        let origin = tested.rows[0].origin;
        let rows = tested.rows.into_iter().filter(move |r| r.origin == origin);
        // Whether a day without a row held nothing is known better later; what was said of it is not.
        let given = rows.filter(|r| (r.time / DAY - 19_723) % 17 != 5);
        given
            .map(|r| (r.time, r.mean, r.naive, r.bounds, r.naive_bounds))
            .collect::<Vec<_>>()
    };
    let usual = first(20.0);
    assert!(usual.len() > 4);
    for last in [2.5, -3.0, 0.0] {
        assert_eq!(first(last), usual, "{last}");
    }
}

/// Periods apart, each with a value of `x` that the values follow.
fn driven(frequency: Frequency, n: i64, ahead: i64) -> (Series, Vec<f64>) {
    let mut chance = Chance(9);
    let anchor = 20_000 * DAY;
    let x: Vec<f64> = (0..n + ahead).map(|_| chance.normal()).collect();
    let at = |i: i64| frequency.time(frequency.index(anchor, anchor) + i, anchor);
    let value = |i: i64| 100.0 + 10.0 * x[i as usize] + 0.5 * chance.normal();
    let series = Series {
        id: "x".to_owned(),
        times: (0..n).map(at).collect(),
        values: (0..n).map(value).collect(),
        regressors: vec![(
            "x".to_owned(),
            (0..n + ahead).map(|i| (at(i), x[i as usize])).collect(),
        )],
    };
    let expected = (n..n + ahead).map(|i| 100.0 + 10.0 * x[i as usize]);
    let expected = expected.collect();
    (series, expected)
}

#[test]
fn a_regressor_explains_series_of_every_frequency() {
    for frequency in [
        Frequency::Days,
        Frequency::Weeks,
        Frequency::Months,
        Frequency::Quarters,
        Frequency::Steps(3_600_000_000),
    ] {
        let (series, expected) = driven(frequency, 120, 6);
        let asked = Options {
            horizon: 6,
            ..Options::default()
        };
        let made = forecast(&series, &asked);
        let off = |made: &Forecast| {
            let each = made.mean.iter().zip(&expected).map(|(a, b)| (a - b).abs());
            each.fold(0.0, f64::max)
        };
        assert_eq!(made.frequency, frequency);
        assert_eq!(made.notes.effects.len(), 1, "{frequency:?}");
        assert!(
            off(&made) < 4.0,
            "{frequency:?}: {} {expected:?}",
            off(&made)
        );
    }
}

#[test]
fn a_regressor_that_never_changed_has_no_effect() {
    let (mut series, _) = driven(Frequency::Days, 200, 3);
    let without = Series {
        regressors: Vec::new(),
        ..series.clone()
    };
    for (i, (_, value)) in series.regressors[0].1.iter_mut().enumerate() {
        *value = f64::from(u8::from(i == 201));
    }
    let asked = Options {
        horizon: 3,
        ..Options::default()
    };
    assert_eq!(
        forecast(&series, &asked).mean,
        forecast(&without, &asked).mean
    );
}

#[test]
fn regressors_are_known_in_each_period_ahead_once() {
    use super::rows::lacking;
    let asked = Options {
        horizon: 5,
        ..Options::default()
    };
    let codes = |series: &Series, options: &Options| {
        let found = lacking(std::slice::from_ref(series), options);
        found.iter().map(|f| f.code).collect::<Vec<_>>()
    };
    let (series, _) = driven(Frequency::Days, 60, 20);
    assert!(codes(&series, &asked).is_empty());
    // Values further ahead do not stand in for those that are missing.
    let mut late = series.clone();
    late.regressors[0]
        .1
        .retain(|(t, _)| !(20_060 * DAY..20_065 * DAY).contains(t));
    assert_eq!(codes(&late, &asked), ["regressor_too_short"]);
    let mut twice = series.clone();
    twice.regressors[0].1.push((20_061 * DAY, 50.0));
    assert_eq!(codes(&twice, &asked), ["duplicate"]);
    // What is known after the time as of which a forecast is made is what lies ahead of it.
    let (known, _) = driven(Frequency::Days, 60, 0);
    let early = Options {
        as_of: Some(20_030 * DAY),
        ..asked.clone()
    };
    assert!(codes(&known, &early).is_empty());
    assert_eq!(codes(&known, &asked), ["regressor_too_short"]);
}

#[test]
fn whole_numbers_may_be_as_large_as_they_like() {
    let nanos = |i: i64| 1_735_689_600_000_000_000 + i * 86_400_000_000_000;
    let series = Series {
        id: "n".to_owned(),
        times: (0..30).map(nanos).collect(),
        values: (0..30).map(f64::from).collect(),
        regressors: Vec::new(),
    };
    let asked = Options {
        horizon: 2,
        integers: true,
        ..Options::default()
    };
    let made = forecast(&series, &asked);
    assert_eq!(made.times, [nanos(30), nanos(31)]);
    assert_eq!((made.notes.periods, made.notes.repeated), (30, 0));
}

#[test]
fn rows_closer_than_periods_are_whole_periods_of_the_calendar() {
    // Ten a day are seventy a week, three hundred in a month of thirty days, nine hundred a quarter, however they end.
    let (day, hour) = (86_400_000_000, 3_600_000_000);
    for (frequency, gap, y, least, most) in [
        (Frequency::Weeks, day, 10.0, 70.0, 70.0),
        (Frequency::Months, day, 10.0, 280.0, 310.0),
        (Frequency::Quarters, day, 10.0, 900.0, 920.0),
        (Frequency::Steps(hour), hour / 4, 5.0, 20.0, 20.0),
        (Frequency::Days, hour, 1.0, 24.0, 24.0),
        (Frequency::Steps(14 * day), day, 10.0, 140.0, 140.0),
    ] {
        for rows in [400, 401, 402, 403] {
            let series = Series {
                id: "w".to_owned(),
                times: (0..rows)
                    .map(|i| 20_003 * day + 7 * gap + i * gap)
                    .collect(),
                values: (0..rows).map(|_| y).collect(),
                regressors: Vec::new(),
            };
            let asked = Options {
                horizon: 2,
                frequency: Some(frequency),
                ..Options::default()
            };
            let made = forecast(&series, &asked);
            assert!(
                made.mean
                    .iter()
                    .all(|m| (least - 1e-6..=most + 1e-6).contains(m)),
                "{frequency:?} {rows}: {:?} {:?}",
                made.mean,
                made.history
            );
            // What is left out at the end is what is foretold first.
            let last = made.history.last().unwrap().0;
            assert_eq!(
                frequency.index(made.times[0], last) - frequency.index(last, last),
                1
            );
        }
    }
}

#[test]
fn a_month_that_is_named_by_its_last_day_is_over_with_it() {
    let ends = spaced("2022-01-31", jiff::Span::new().months(1), 30);
    let made = |as_of: &str, integers: bool| {
        let series = Series {
            id: "m".to_owned(),
            times: if integers {
                (0..60).collect()
            } else {
                ends.clone()
            },
            values: (0..60)
                .take(if integers { 60 } else { 30 })
                .map(f64::from)
                .collect(),
            regressors: Vec::new(),
        };
        let asked = Options {
            horizon: 1,
            integers,
            as_of: Some(if integers { 40 } else { dated(&[as_of])[0] }),
            ..Options::default()
        };
        forecast(&series, &asked)
    };
    for (as_of, partial, next) in [
        ("2024-04-15T00:00", false, "2024-04-30T00:00"),
        ("2024-04-01T00:00", false, "2024-04-30T00:00"),
        ("2024-03-31T12:00", true, "2024-03-31T00:00"),
    ] {
        let made = made(as_of, false);
        assert_eq!(
            (made.notes.partial, made.times),
            (partial, dated(&[next])),
            "{as_of}"
        );
    }
    let whole = made("", true);
    assert_eq!((whole.notes.partial, whole.times), (false, vec![41]));
    // Before the first row nothing is known, and that is said.
    let early = made("2021-06-15T00:00", false);
    assert!(early.notes.short && early.mean[0].is_nan());
    assert!(early.times[0] > dated(&["2021-01-01T00:00"])[0]);
}

#[test]
fn intervals_of_shares_that_do_not_hold_are_widened_in_a_batch() {
    let mut chance = Chance(4);
    let series: Vec<Series> = (0..40)
        .map(|n| Series {
            id: n.to_string(),
            times: (0..100).map(|i| (20_000 + i) * DAY).collect(),
            values: (0..100)
                .map(|i| {
                    let off = if i < 93 { 0.02 } else { 0.25 };
                    (0.5 + off * chance.normal()).clamp(0.01, 0.99)
                })
                .collect(),
            regressors: Vec::new(),
        })
        .collect();
    let widened = |kind| {
        let asked = Options {
            horizon: 7,
            kind: Some(kind),
            ..Options::default()
        };
        let together = forecasts(&series, &asked).swap_remove(0);
        let alone = forecast(&series[0], &asked);
        together.spread[0].at(0.975) / alone.spread[0].at(0.975)
    };
    let (value, share) = (widened(Kind::Value), widened(Kind::Share));
    assert!(value > 1.4 && share > 0.95 * value, "{value} {share}");
}
