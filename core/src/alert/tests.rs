mod odd;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::query::{Instant, Window, Zone};

fn at(minute: i64) -> Instant {
    Instant::from_micros(minute * 60_000_000).unwrap()
}

fn policy(hold: u32, clear: u32, cool_down: u32) -> Policy {
    Policy {
        hold,
        clear,
        cool_down: Window::seconds(cool_down * 60),
    }
}

/// The phases after each verdict, one a minute, and what was told: `F` and `R` with the minute.
fn run(policy: Policy, verdicts: &str) -> (String, String) {
    let (mut state, mut phases, mut told) = (State::default(), String::new(), Vec::new());
    for (minute, verdict) in verdicts.chars().enumerate() {
        let verdict = match verdict {
            'x' => Verdict::Breach,
            '.' => Verdict::Clear,
            '-' => Verdict::Between,
            _ => Verdict::Unknown,
        };
        let step = step(&policy, &state, once(at(minute as i64)), verdict, false).unwrap();
        told.extend(step.notices.iter().map(|n| match n {
            Notice::Firing(_) => format!("F{minute}"),
            Notice::Resolved(_) => format!("R{minute}"),
        }));
        state = step.state;
        phases.push(match state.phase {
            Phase::Ok => 'o',
            Phase::Pending => 'p',
            Phase::Firing => 'f',
            Phase::Resolved => 'r',
        });
    }
    (phases, told.join(" "))
}

#[test]
fn an_incident_goes_from_ok_over_pending_and_firing_to_resolved() {
    let said = |phases: &str, told: &str| (phases.to_owned(), told.to_owned());
    assert_eq!(
        run(policy(3, 2, 0), "..xxxx..."),
        said("ooppffrro".replace("rro", "fro").as_str(), "F4 R7")
    );
    // Two of three are nothing.
    assert_eq!(run(policy(3, 2, 0), "xx.xx.x"), said("ppoppop", ""));
    // Between the limits an incident goes on and none begins.
    assert_eq!(
        run(policy(1, 2, 0), "-x-.-.-.."),
        said("offfffffr", "F1 R8")
    );
    // What cannot be said changes nothing.
    assert_eq!(run(policy(2, 1, 0), "x?x?.?"), said("ppffrr", "F2 R4"));
    // Within the cool-down it is the same incident, told once and over once.
    assert_eq!(
        run(policy(1, 1, 3), "x.x.x...."),
        said("frfrfrrro", "F0 R8")
    );
    assert_eq!(
        run(policy(1, 1, 1), "x..x.."),
        said("frofro", "F0 R2 F3 R5")
    );
}

#[test]
fn what_is_muted_is_told_when_it_outlasts_that_and_only_then() {
    let policy = policy(1, 1, 0);
    let go = |muted: &[bool], verdicts: &[Verdict]| {
        let (mut state, mut told, mut unheard) = (State::default(), Vec::new(), 0);
        for (i, (muted, verdict)) in muted.iter().zip(verdicts).enumerate() {
            let step = step(&policy, &state, once(at(i as i64)), *verdict, *muted).unwrap();
            told.extend(
                step.notices
                    .iter()
                    .map(|n| (i, matches!(n, Notice::Firing(_)))),
            );
            unheard += usize::from(step.unheard.is_some());
            state = step.state;
        }
        (told, unheard)
    };
    use Verdict::{Breach as X, Clear as O};
    assert_eq!(
        go(&[true, true, false, false], &[X, X, X, O]),
        (vec![(2, true), (3, false)], 0)
    );
    // Whoever heard of the beginning hears of the end once the silence is over, before the next beginning.
    assert_eq!(
        go(&[false, true, true, false], &[X, O, O, O]),
        (vec![(0, true), (3, false)], 0)
    );
    assert_eq!(
        go(&[false, true, true, false], &[X, O, X, X]),
        (vec![(0, true), (3, false), (3, true)], 0)
    );
    // What began and ended within it nobody hears of.
    assert_eq!(
        go(&[false, true, true, true, false], &[X, O, X, O, O]),
        (vec![(0, true), (4, false)], 1)
    );
    assert_eq!(go(&[true, true, true, false], &[X, X, O, O]), (vec![], 1));
}

/// Incidents of a sequence, from the rules alone: maximal stretches, joined where they come back within the cool-down. Each as the
/// index at which it began, and whether it was over for good within the sequence.
fn oracle(policy: &Policy, taken: &[(i64, Verdict)]) -> Vec<(usize, bool)> {
    let mut incidents: Vec<(usize, bool)> = Vec::new();
    let (mut firing, mut breaches, mut clears, mut cleared) = (false, 0, 0, None::<i64>);
    for (i, (minute, verdict)) in taken.iter().enumerate() {
        if let Some(since) = cleared
            && !firing
            && (minute - since) * 60_000_000 >= policy.cool_down.micros()
        {
            incidents.last_mut().unwrap().1 = true;
            cleared = None;
        }
        match verdict {
            Verdict::Unknown => {}
            Verdict::Breach if firing => clears = 0,
            Verdict::Breach if cleared.is_some() => (firing, cleared, clears) = (true, None, 0),
            Verdict::Breach => {
                breaches += 1;
                if breaches == policy.hold {
                    incidents.push((i, false));
                    (firing, clears, breaches) = (true, 0, 0);
                }
            }
            Verdict::Clear if firing => {
                clears += 1;
                if clears == policy.clear {
                    (firing, cleared) = (false, Some(*minute));
                    if policy.cool_down.micros() == 0 {
                        incidents.last_mut().unwrap().1 = true;
                        cleared = None;
                    }
                }
            }
            Verdict::Between if firing => clears = 0,
            _ => breaches = 0,
        }
    }
    incidents
}

/// An evaluation that knows nothing of the time before it.
fn once(at: Instant) -> (Instant, Instant) {
    (at, at)
}

#[test]
fn an_incident_is_since_when_it_is_so_as_far_as_that_is_known() {
    let policy = policy(2, 1, 0);
    let mut state = State::default();
    let mut told = Vec::new();
    // Found at 10, so since 3; found again at 11, by a reading that knows less.
    for (minute, since, verdict) in [
        (10, 3, Verdict::Breach),
        (11, 11, Verdict::Breach),
        (12, 12, Verdict::Clear),
        (13, 13, Verdict::Breach),
        // The second knows more, and none is of a time to come.
        (14, 5, Verdict::Breach),
        (15, 15, Verdict::Clear),
        (16, 99, Verdict::Breach),
        (17, 99, Verdict::Breach),
    ] {
        let done = step(&policy, &state, (at(minute), at(since)), verdict, false).unwrap();
        told.extend(done.notices.iter().map(|notice| match notice {
            Notice::Firing(i) => ("firing", i.since),
            Notice::Resolved(i) => ("resolved", i.since),
        }));
        state = done.state;
    }
    let since = |minute: i64| at(minute).micros();
    assert_eq!(
        told,
        [
            ("firing", since(3)),
            ("resolved", since(3)),
            ("firing", since(5)),
            ("resolved", since(5)),
            ("firing", since(16)),
        ]
    );
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        4 => Just(Verdict::Breach),
        4 => Just(Verdict::Clear),
        1 => Just(Verdict::Between),
        1 => Just(Verdict::Unknown),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Whatever comes, in whichever order, and however often it is evaluated again after a restart: one notification an incident,
    /// never none, and one end for each that is over.
    #[test]
    fn one_notification_an_incident_and_never_none(
        hold in 1_u32..4,
        clear in 1_u32..4,
        cool_down in 0_u32..6,
        steps in prop::collection::vec((verdict(), 1_i64..4, 0_u8..4), 1..60),
    ) {
        let policy = policy(hold, clear, cool_down);
        let (mut state, mut minute, mut taken) = (State::default(), 0, Vec::new());
        let (mut fired, mut resolved): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
        for (verdict, gap, again) in steps {
            minute += gap;
            taken.push((minute, verdict));
            let done = step(&policy, &state, once(at(minute)), verdict, false).unwrap();
            for notice in &done.notices {
                match notice {
                    Notice::Firing(incident) => fired.push(incident.opened),
                    Notice::Resolved(incident) => resolved.push(incident.opened),
                }
            }
            // A restart: what is remembered is what was stored.
            let stored = serde_json::to_string(&done.state).unwrap();
            state = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(&state, &done.state);
            // A re-run of this evaluation, and of one before, by this or another process, does nothing.
            for back in 0..i64::from(again) {
                for other in [Verdict::Breach, Verdict::Clear] {
                    prop_assert_eq!(step(&policy, &state, once(at(minute - back)), other, false), None);
                }
            }
        }
        let expected = oracle(&policy, &taken);
        let name = |i: usize| at(taken[i].0).micros();
        prop_assert_eq!(fired, expected.iter().map(|(i, _)| name(*i)).collect::<Vec<_>>());
        let over = expected.iter().filter(|(_, over)| *over);
        prop_assert_eq!(resolved, over.map(|(i, _)| name(*i)).collect::<Vec<_>>());
    }

    /// With silences, an incident is told at most once, and is told if it fires while nothing mutes it. Its end is told once if it was,
    /// in order, and never within a silence.
    #[test]
    fn a_silence_delays_a_notification_and_never_doubles_it(
        steps in prop::collection::vec((verdict(), any::<bool>()), 1..60),
        cool_down in 0_u32..4,
    ) {
        let policy = policy(1, 1, cool_down);
        let mut state = State::default();
        let (mut told, mut audible): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
        let mut going = None;
        // At last nothing is wrong any more, and nothing mutes it.
        let calm = std::iter::repeat_n((Verdict::Clear, false), 6);
        for (i, (verdict, muted)) in steps.into_iter().chain(calm).enumerate() {
            let done = step(&policy, &state, once(at(i as i64)), verdict, muted).unwrap();
            for notice in &done.notices {
                prop_assert!(!muted);
                match notice {
                    Notice::Firing(incident) => {
                        prop_assert_eq!(going.replace(incident.opened), None);
                        told.push(incident.opened);
                    }
                    Notice::Resolved(incident) => {
                        prop_assert_eq!(going.take(), Some(incident.opened));
                    }
                }
            }
            // A restart: what is remembered is what was stored.
            let stored = serde_json::to_string(&done.state).unwrap();
            state = serde_json::from_str(&stored).unwrap();
            if let (Phase::Firing, Some(incident), false) = (state.phase, state.incident, muted) {
                audible.push(incident.opened);
            }
        }
        audible.dedup();
        prop_assert_eq!(told, audible);
        prop_assert_eq!(going, None, "whoever heard of it heard of its end");
    }
}

#[test]
fn a_rule_that_sees_nothing_three_times_in_a_row_is_told_once_and_so_is_that_it_sees_again() {
    // `x` cannot be answered, `.` can; in capitals (`X`, `:`) it is muted.
    let told = |evaluations: &str| {
        let mut state = State::default();
        let mut told = Vec::new();
        for (i, how) in evaluations.chars().enumerate() {
            let (answered, muted) = (".:".contains(how), "X:".contains(how));
            let since = |blind: Blind| blind.since / 60_000_000;
            match state.sight(at(i as i64), answered, muted) {
                Some(Sight::Lost(blind)) => told.push(format!("{i} lost since {}", since(blind))),
                Some(Sight::Back(_)) => told.push(format!("{i} back")),
                None => {}
            }
            let stored = serde_json::to_string(&state).unwrap();
            state = serde_json::from_str(&stored).unwrap();
        }
        told.join(", ")
    };
    assert_eq!(told("xx.xx.xx"), "");
    assert_eq!(
        told(".xxxxx..xxx"),
        "3 lost since 1, 6 back, 10 lost since 8"
    );
    assert_eq!(told("xXXXx:"), "4 lost since 0");
    assert_eq!(told("XXX:.xx"), "");
    assert_eq!(told("xxx::x."), "2 lost since 0, 6 back");
}

#[test]
fn a_threshold_has_two_sides_so_that_nothing_flaps() {
    let judge = |condition: Condition, value: Option<f64>| {
        condition.judge(&Reading {
            value,
            ..Reading::default()
        })
    };
    let above = Condition::Threshold {
        above: Some(0.05),
        below: None,
        recover: Some(0.03),
    };
    assert_eq!(judge(above, Some(0.05)), Verdict::Between);
    assert_eq!(judge(above, Some(0.051)), Verdict::Breach);
    assert_eq!(judge(above, Some(0.03)), Verdict::Clear);
    assert_eq!(judge(above, None), Verdict::Unknown);
    let below = Condition::Threshold {
        above: None,
        below: Some(10.0),
        recover: Some(20.0),
    };
    assert_eq!(judge(below, Some(9.0)), Verdict::Breach);
    assert_eq!(judge(below, Some(19.0)), Verdict::Between);
    assert_eq!(judge(below, Some(20.0)), Verdict::Clear);
    assert_eq!(judge(Condition::NoData, None), Verdict::Breach);
    assert_eq!(judge(Condition::NoData, Some(0.0)), Verdict::Clear);
    let change = Condition::Change {
        by: 0.3,
        up: false,
        down: true,
        against: Against::Previous,
    };
    let from = |before: f64, value: f64| {
        change.judge(&Reading {
            value: Some(value),
            before: Some(before),
            ..Reading::default()
        })
    };
    assert_eq!(from(100.0, 70.0), Verdict::Breach);
    assert_eq!(from(100.0, 71.0), Verdict::Clear);
    assert_eq!(from(100.0, 200.0), Verdict::Clear);
    assert_eq!(from(0.0, 200.0), Verdict::Unknown);
    // What was nothing and is nothing has not changed: a rule that fired on its way there comes to an end.
    assert_eq!(from(0.0, 0.0), Verdict::Clear);
    let band = |value: f64| {
        Condition::Band { against: None }.judge(&Reading {
            value: Some(value),
            low: Some(1.0),
            high: Some(2.0),
            ..Reading::default()
        })
    };
    assert_eq!(
        (band(0.9), band(1.5), band(2.1)),
        (Verdict::Breach, Verdict::Clear, Verdict::Breach)
    );
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

#[test]
fn a_rule_is_due_at_local_times_through_changes_of_the_clock() {
    let paris = || Zone::named("Europe/Paris").unwrap();
    let nine = Schedule::At {
        minute: 540,
        days: 0b001_1111,
        zone: paris(),
    };
    // A Friday, then the Monday after the clock went forward.
    assert_eq!(
        nine.due(instant("2026-03-29T12:00:00Z")),
        Some(instant("2026-03-27T08:00:00Z"))
    );
    assert_eq!(
        nine.due(instant("2026-03-30T06:59:59Z")),
        Some(instant("2026-03-27T08:00:00Z"))
    );
    assert_eq!(
        nine.due(instant("2026-03-30T07:00:00Z")),
        Some(instant("2026-03-30T07:00:00Z"))
    );
    // 02:30 is missing that night, and comes at 03:00.
    let missing = Schedule::At {
        minute: 150,
        days: 0x7f,
        zone: paris(),
    };
    assert_eq!(
        missing.due(instant("2026-03-29T01:10:00Z")),
        Some(instant("2026-03-29T01:00:00Z"))
    );
    let every = Schedule::Every(Window::seconds(900), paris());
    assert_eq!(
        every.due(instant("2026-06-01T10:29:59.9Z")),
        Some(instant("2026-06-01T10:15:00Z"))
    );
    // The day on which the clock goes back has 25 hours, and what comes once a day comes once on it.
    let new_york = Zone::named("America/New_York").unwrap();
    let daily = Schedule::Every(Window::seconds(86_400), new_york.clone());
    let last = instant("2026-11-02T04:59:00Z");
    assert_eq!(daily.due(last), Some(instant("2026-11-01T04:00:00Z")));
    assert_eq!(
        daily.due(instant("2026-11-02T05:00:00Z")),
        Some(instant("2026-11-02T05:00:00Z"))
    );
    let hourly = Schedule::Every(Window::seconds(3_600), new_york);
    assert_eq!(hourly.due(last), Some(instant("2026-11-02T04:00:00Z")));
    // The evaluation before one of a Monday was on Friday, also for whoever looks in between.
    let friday = instant("2026-03-27T08:00:00Z");
    assert_eq!(nine.before(instant("2026-03-30T07:00:00Z")), friday);
    assert_eq!(nine.before(instant("2026-03-30T15:00:00Z")), friday);
    // A week before it was nine o'clock as well.
    assert_eq!(
        nine.week_before(instant("2026-03-30T07:00:00Z")),
        instant("2026-03-23T08:00:00Z")
    );
    // The last of a day is nearer to midnight than the others to each other.
    let sevens = Schedule::Every(Window::seconds(420), Zone::default());
    assert_eq!(
        sevens.before(instant("2026-06-02T00:00:00Z")),
        instant("2026-06-01T23:55:00Z")
    );
    let night = Maintenance {
        days: 1 << 6,
        from: 23 * 60,
        to: 60,
        zone: paris(),
    };
    assert!(!night.has(instant("2026-06-07T20:59:00Z")));
    assert!(night.has(instant("2026-06-07T21:00:00Z")));
    assert!(
        night.has(instant("2026-06-07T22:59:00Z")),
        "Monday, 00:59 there"
    );
    assert!(!night.has(instant("2026-06-07T23:00:00Z")));
    assert!(
        !night.has(instant("2026-06-08T21:30:00Z")),
        "it begins on Sundays"
    );
}

fn whole() -> Value {
    json!({
        "name": "Checkout",
        "source": { "word": "funnel", "question": { "steps": ["a", "b"] }, "lastDays": 7, "value": "/rateMatured" },
        "condition": { "type": "threshold", "below": 0.2, "recover": 0.25 },
        "severity": "critical",
        "schedule": { "at": "09:30", "days": ["monday", "friday"], "timezone": "Europe/Paris" },
        "for": 2,
        "clearFor": 3,
        "coolDown": "1h",
        "group": "shop",
        "channels": [
            { "type": "in_app", "roles": ["admin"] },
            { "type": "webhook", "url": "https://example.com/hook" },
            { "type": "slack", "url": "https://hooks.example.com/x" },
            { "type": "email", "to": ["ops@example.com"] },
        ],
        "maintenance": [{ "days": ["sunday"], "from": "02:00", "to": "04:00" }],
        "enabled": false,
    })
}

#[test]
fn a_rule_says_the_same_in_its_json_form() {
    let rule = Rule::parse(&whole()).unwrap();
    assert_eq!(Rule::parse(&rule.json()).unwrap(), rule);
    // Null is no change, and no change is none.
    let patch = json!({ "enabled": true, "severity": "info", "name": null, "group": null });
    let changed = rule.patched(patch.as_object().unwrap()).unwrap();
    assert_eq!(
        changed,
        Rule {
            enabled: true,
            severity: Importance::Info,
            ..rule
        }
    );
}

#[test]
fn everything_wrong_with_a_rule_is_told_at_once() {
    let faults = |body: Value| {
        let error = Rule::parse(&body).unwrap_err();
        let list = error
            .field_errors()
            .iter()
            .map(|f| format!("{} {}", f.field, f.code));
        list.collect::<Vec<_>>()
    };
    assert_eq!(
        faults(json!({})),
        ["name required", "source required", "condition required"]
    );
    let wrong = json!({
        "name": "a\nb",
        "source": { "word": "funnel", "question": [], "value": "rate" },
        "condition": { "type": "threshold", "above": 1, "recover": 2 },
        "schedule": { "every": "90s" },
        "for": 0,
        "channels": [
            { "type": "webhook", "url": "ftp://x" },
            { "type": "email", "to": ["a@b.c\r\nBcc: x@y.z"] },
            { "type": "in_app" },
            { "type": "pigeon" },
        ],
        "maintenance": [{ "from": "24:00", "to": "4:00" }],
        "colour": "red",
    });
    assert_eq!(
        faults(wrong),
        [
            "name invalid_character",
            "source.question invalid_type",
            "source.value invalid_pointer",
            "condition.recover out_of_range",
            "schedule.every out_of_range",
            "for out_of_range",
            "channels[0].url invalid_url",
            "channels[1].to[0] invalid_character",
            "channels[2].users required",
            "channels[3].type not_in_list",
            "maintenance[0].from invalid_time",
            "maintenance[0].to invalid_time",
            "colour unknown_field",
        ]
    );
    let asked = |source: Value, kind: &str| {
        faults(json!({ "name": "n", "source": source, "condition": { "type": kind } }))
    };
    assert_eq!(
        asked(json!({ "system": "freshness" }), "anomaly"),
        ["condition.type unsupported"]
    );
    assert_eq!(
        asked(json!({ "metric": "active_users" }), "band"),
        ["condition.type unsupported"]
    );
    assert_eq!(asked(json!({}), "no_data"), ["source invalid_type"]);
}

#[test]
fn a_rule_holds_whole_seconds_and_text_that_every_store_holds() {
    let fault = |field: &str, value: Value| {
        let mut body = whole();
        body[field] = value;
        Rule::parse(&body).map_or_else(|e| e.field_errors()[0].code, |_| "")
    };
    let week = 604_800;
    for (field, value, code) in [
        ("coolDown", json!(0), ""),
        ("coolDown", json!(week), ""),
        ("coolDown", json!(week + 1), "out_of_range"),
        ("coolDown", json!(1.0), ""),
        ("coolDown", json!(1.5), "out_of_range"),
        ("coolDown", json!(1e-42), "out_of_range"),
        ("coolDown", json!("500ms"), "out_of_range"),
        ("coolDown", json!("7d"), ""),
        ("coolDown", json!("8d"), "out_of_range"),
        ("name", json!("Ü".repeat(100)), ""),
        ("name", json!("Ü".repeat(101)), "invalid_length"),
        ("name", json!("a\0b"), "invalid_text"),
        ("name", json!("a\u{85}b"), "invalid_character"),
    ] {
        assert_eq!(fault(field, value.clone()), code, "{field} {value}");
    }
    assert_eq!(silence(&json!("1w")).unwrap(), Window::seconds(604_800));
    assert!(silence(&json!(0.5)).is_err());
    assert!(silence(&json!("366d")).is_err());
}

fn alarm(rule: &str, minute: i64) -> Alarm {
    Alarm {
        rule: rule.to_owned(),
        name: format!("rule {rule}"),
        event: "firing",
        severity: Importance::Warning,
        at: at(minute),
        opened_at: Some(at(minute)),
        since: at(minute),
        value: Some(1.0),
        expected: None,
        summary: format!("{rule} is firing"),
    }
}

#[test]
fn alarms_of_a_group_that_are_raised_together_are_one_message_to_each_place() {
    let places = [
        Channel::Webhook {
            url: "https://a.example".to_owned(),
        },
        Channel::Email {
            to: vec!["o@a.example".to_owned()],
        },
    ];
    let told = grouped(&[
        (alarm("1", 5), &places, "shop"),
        (alarm("2", 5), &places[..1], "shop"),
        (alarm("3", 5), &places[..1], ""),
    ]);
    let mut seen: Vec<(&str, usize)> = told
        .iter()
        .map(|m| {
            (
                m.channel.name(),
                m.body["data"]["alerts"].as_array().unwrap().len(),
            )
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, [("email", 1), ("webhook", 1), ("webhook", 2)]);
    let again = grouped(&[(alarm("3", 5), &places[..1], "")]);
    let keys: Vec<&str> = told.iter().map(|m| m.key.as_str()).collect();
    assert!(
        keys.contains(&again[0].key.as_str()),
        "the same alarm has the same key"
    );
    assert!(
        !keys.contains(
            &grouped(&[(alarm("3", 6), &places[..1], "")])[0]
                .key
                .as_str()
        )
    );
}

#[test]
fn what_is_over_is_told_before_what_begins_and_both_are_of_one_thing() {
    let place = [Channel::Webhook {
        url: "https://a.example".to_owned(),
    }];
    for group in ["", "shop"] {
        let over = Alarm {
            event: "resolved",
            ..alarm("2", 5)
        };
        let raised = [
            (alarm("1", 5), &place[..], group),
            (over, &place[..], group),
            (alarm("2", 5), &place[..], group),
        ];
        let told = grouped(&raised);
        assert_eq!(told[0].body["type"], "alert.resolved");
        assert!(told[1..].iter().all(|m| m.body["type"] == "alert.firing"));
        assert_eq!(told[0].body["data"]["alerts"][0]["openedAt"], json!(at(5)));
        let about: Vec<&str> = told
            .iter()
            .map(|m| m.key.split('/').next().unwrap())
            .collect();
        let same = about.iter().filter(|a| **a == about[0]).count();
        assert_eq!(
            same, 2,
            "the end and the beginning are told one after the other"
        );
        assert!(told.iter().all(|m| m.key.matches('/').count() == 1));
    }
}

#[test]
fn a_title_names_as_many_as_it_has_room_for() {
    let place = [Channel::Email {
        to: vec!["o@a.example".to_owned()],
    }];
    let title = |many: usize, length: usize| {
        let raised: Vec<_> = (0..many)
            .map(|i| {
                let name = "Ü".repeat(length);
                let alarm = alarm(&i.to_string(), 5);
                (Alarm { name, ..alarm }, &place[..], "shop")
            })
            .collect();
        grouped(&raised).remove(0).title
    };
    assert_eq!(title(2, 1), "2 alerts firing: Ü, Ü");
    let long = title(60, 100);
    assert_eq!(
        long,
        format!("60 alerts firing: {} and 59 more", "Ü".repeat(100))
    );
    assert!(title(1_000, 10).chars().count() < 200);
}

#[test]
fn what_fails_is_tried_again_later_and_later_and_given_up_at_last() {
    let tries: Vec<i64> = (1..)
        .map_while(|n| after("m1", n, at(0)))
        .map(|t| t.micros() / 1_000_000)
        .collect();
    assert_eq!(tries.len() as u32 + 1, ATTEMPTS);
    assert!(tries.windows(2).all(|w| w[0] < w[1]), "{tries:?}");
    assert!((4..=6).contains(&tries[0]));
    assert_eq!(after("m1", 0, at(0)), None);
    let others: Vec<_> = (0..50)
        .filter_map(|n| after(&format!("m{n}"), 4, at(0)))
        .collect();
    let (first, last) = (others.iter().min().unwrap(), others.iter().max().unwrap());
    assert!(last.micros() - first.micros() > 120_000_000, "they spread");
}
